from __future__ import annotations

import pytest

from sutradhar.pipeline.wording import counted, did_you_mean, escaped, size, without_controls


def test_counted() -> None:
    assert [counted(number, "window") for number in (0, 1, 2)] == ["0 windows", "1 window", "2 windows"]


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0.0 MB"), (870_000, "0.9 MB"), (134_400_000, "134 MB"), (999_000_000, "999 MB"), (3_086_000_000, "3.1 GB")],
)
def test_sizes_below_a_gigabyte_are_in_megabytes(count: int, words: str) -> None:
    assert size(count) == words


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb\x1b]0;title\x07", r"a\x1b[31mb\x1b]0;title\x07"),
        ("two\nlines\rand\ta\x0bthird\x00\x7f", r"two\nlines\rand\ta\x0bthird\x00\x7f"),
        ("C1: \x85\x9b31m\x9d", r"C1: \x85\x9b31m\x9d"),
        ("gpj.\u202egnp.exe\u2066\u2069\u200e\u200f\u061c", r"gpj.\u202egnp.exe\u2066\u2069\u200e\u200f\u061c"),
        ("a\u2028b\u2029c", r"a\u2028b\u2029c"),
        ("no\u200bthing\ufeff\xad\u2060\u3164\u180e", r"no\u200bthing\ufeff\xad\u2060\u3164\u180e"),
        ("tags \U000e0041\U000e007f, private \ue000\U0010fffd", r"tags \U000e0041\U000e007f, private \ue000\U0010fffd"),
        ("bytes \udcff\udc80, a lone half \ud83d", r"bytes \xff\x80, a lone half \ud83d"),
        ("क्‍ष न्‌ 👨‍👩‍👧 ❤️ عَرَبِي 葛󠄀 e\u0301 a\xa0b [x] 100 % \\n", "क्‍ष न्‌ 👨‍👩‍👧 ❤️ عَرَبِي 葛󠄀 e\u0301 a\xa0b [x] 100 % \\n"),
    ],
)
def test_text_from_outside_is_shown_with_escapes_for_what_steers_turns_breaks_or_hides(text: str, shown: str) -> None:
    assert escaped(text) == shown


def test_what_steers_a_terminal_is_left_out_and_joiners_stay() -> None:
    assert without_controls("new\nline\x1b[31m\u202egnp क्‍ष 👩‍👩‍👧") == "new line [31m gnp क्‍ष 👩‍👩‍👧"


def test_the_closest_name_is_asked_for() -> None:
    assert did_you_mean("wisper", ["indictrans2", "whisper"]) == "; did you mean whisper?"
    assert did_you_mean("nonsense", ["indictrans2", "whisper"]) == ""
