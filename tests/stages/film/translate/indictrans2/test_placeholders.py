from __future__ import annotations

import pytest

from sutradhar.stages.film.translate.indictrans2.placeholders import put_back, take_out


@pytest.mark.parametrize(
    ("sentence", "taken"),
    [
        ("अभी 12:30 बजे हैं।", ["12:30"]),
        ("₹1,500 दो!", ["₹1,500"]),
        ("मुझे a@b.in पर लिखो।", ["a@b.in"]),
        ("देखो https://sutradhar.in/x?y=1.", ["https://sutradhar.in/x?y=1"]),
        ("www.example.com और example.org/a।", ["www.example.com", "example.org/a"]),
        ("#फिल्म @raj_1 आज", ["#फिल्म", "@raj_1"]),
        ("15/08/1947 से 2-3 दिन, 1,00,000 लोग", ["15/08/1947", "2-3", "1,00,000"]),
        ("1:05 पर", ["1:05"]),
        ("वह 3.5 किलो का है, 20 लोग", []),
        ("डॉ. शर्मा आए. चलो.", []),
    ],
)
def test_what_no_translator_may_touch_is_taken_out(sentence: str, taken: list[str]) -> None:
    text, kept = take_out(sentence)
    assert kept == taken
    assert put_back(text, kept) == sentence


def test_placeholders_are_numbered_in_order_and_the_same_text_has_one_number() -> None:
    assert take_out("12:30 से 14:45 तक, नहीं 12:30 से") == ("<ID1> से <ID2> तक, नहीं <ID1> से", ["12:30", "14:45"])


@pytest.mark.parametrize(
    "spelled", ["<ID1>", "< ID1 >", "< ID 1 >", "[ID1]", "<id1>", "<ID1 ]", "< आईडी1 >", "आईडी 1", "<आय. डी. 1>"]
)
def test_what_models_make_of_a_placeholder_is_known(spelled: str) -> None:
    assert put_back(f"at {spelled} sharp", ["12:30"]) == "at 12:30 sharp"


def test_what_stands_for_nothing_stays_for_a_guard_to_see() -> None:
    assert put_back("at <ID1> or <ID3>", ["12:30"]) == "at 12:30 or <ID3>"
    assert put_back("ID 1 is a word", ["12:30"]) == "ID 1 is a word"
