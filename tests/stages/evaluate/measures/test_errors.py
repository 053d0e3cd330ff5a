from __future__ import annotations

from sutradhar.stages.evaluate.measures import Conditions
from tests.stages.evaluate.support import compared, figures, text, values

HINDI = Conditions("hi", "unicode")


def test_errors_are_counted_by_kind() -> None:
    found = values("errors", compared(text("the cat sat on the mat"), text("a cat on the big mat")))
    assert found == {
        "wer": 50.0,
        "cer": 50.0,  # "the"/"a" are 3, " sat" 4 and " big" 4 of 22
        "words": 6,
        "substitutions": 1,
        "deletions": 1,
        "insertions": 1,
        "loops": 0,
    }


def test_vowel_signs_of_devanagari_are_no_punctuation() -> None:
    found = values(
        "errors",
        compared(text("हमने उस उम्मीदवार को चुना।"), text("हमने उस उम्मीदवार की चुना"), language="hi"),
        conditions=HINDI,
    )
    assert (found["words"], found["wer"], found["wer_spelling"]) == (5, 20.0, 20.0)


def test_usual_spellings_are_told_from_errors() -> None:
    found = values("errors", compared(text("हिन्दी में ज़रा गये"), text("हिंदी में जरा गए"), language="hi"), conditions=HINDI)
    assert (found["wer"], found["wer_spelling"]) == (75.0, 0.0)


def test_in_scripts_without_spaces_each_character_is_a_word() -> None:
    japanese = Conditions("ja", "unicode")
    found = values("errors", compared(text("今日は雨。"), text("今日も雨"), language="ja"), conditions=japanese)
    assert (found["words"], found["wer"], found["cer"]) == (4, 25.0, 25.0)


def test_an_empty_side_has_no_rate_or_is_all_deleted() -> None:
    nothing_said = values("errors", compared(text(), text("thank you")))
    assert (nothing_said["wer"], nothing_said["cer"], nothing_said["insertions"]) == (None, None, 2)
    nothing_heard = values("errors", compared(text("thank you"), text()))
    assert (nothing_heard["wer"], nothing_heard["cer"], nothing_heard["deletions"]) == (100.0, 100.0, 2)


def test_optional_words_count_in_no_rate() -> None:
    for heard in ("hello world", "hello my dear world", "hello my tear world"):
        found = values("errors", compared(text("hello (my dear) world"), text(heard)))
        assert (found["words"], found["wer"], found["cer"]) == (2, 0.0, 0.0)


def test_a_loop_is_the_turns_after_the_first() -> None:
    found = values("errors", compared(text("I am so happy"), text("I am so so so so happy")))
    assert (found["insertions"], found["loops"]) == (3, 3)


def test_intervals_are_over_utterances_until_there_are_enough_recordings() -> None:
    one = compared(text(*["red green"] * 10), text(*["red green", "red"] * 5))
    assert len(figures("errors", one)["wer"].parts) == 10
    assert figures("errors", one)["cer"].interval is None
    several = figures("errors", *[one] * 5)
    assert len(several["wer"].parts) == len(several["cer"].parts) == 5
    assert several["wer"].value == 25.0
