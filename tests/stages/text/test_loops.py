from __future__ import annotations

import pytest

from sutradhar.stages.text.loops import collapse, loops


@pytest.mark.parametrize(
    ("text", "once"),
    [
        ("No, no, no!", "No!"),
        ("go go stop", "go go stop"),
        ("I see it, I see it. I see it? Good.", "I see it? Good."),
        ("a b c d e f g h " * 3 + "i", "a b c d e f g h i"),
        ("a b c d e f g h j " * 3 + "i", "a b c d e f g h j " * 3 + "i"),
        ("हाँ जी हाँ जी हाँ जी", "हाँ जी"),
        ("हाहाहाहाहाहाहा क्या", "हा क्या"),
        ("Nooooooo", "No"),
        ("killillillillill he said", "kill he said"),
        ("बारबारबार", "बार"),
        ("hahaha lalala हाहाहा", "hahaha lalala हाहाहा"),
        ("banana Mississippi", "banana Mississippi"),
        ("9 9 9 1000000", "9 9 9 1000000"),
        ("9:30 9:30 9:30", "9:30 9:30 9:30"),
        ("नौ नौ नौ आठ आठ आठ", "नौ नौ नौ आठ आठ आठ"),
        ("nine nine nine", "nine nine nine"),
    ],
)
def test_the_same_words_three_times_are_written_once(text: str, once: str) -> None:
    assert collapse(text) == once
    assert loops(text) is (once != text)
