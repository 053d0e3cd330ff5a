from __future__ import annotations

import pytest

from sutradhar.stages.text.english import is_translation
from sutradhar.stages.transcript import Segment


def segment(text: str, start_ms: int = 0, end_ms: int = 1000) -> Segment:
    return Segment(0, start_ms, end_ms, text, (), "hi", 1.0, -0.2, 0.0, 1.2, 0.0)


@pytest.mark.parametrize(
    ("text", "said", "translated"),
    [
        ("I will come tomorrow.", "मैं कल आऊँगा।", True),
        ("मैं कल आऊँगा।", "मैं कल आऊँगा।", False),
        ("quiero ir a casa hoy", "quiero ir a casa hoy", False),
        ("Okay, Sanjay.", "okay Sanjay", True),
    ],
    ids=["english", "source script", "source in Latin letters", "few words may be the same"],
)
def test_source_text_does_not_pass_as_a_translation(text: str, said: str, translated: bool) -> None:
    assert is_translation(segment(text), [segment(said)]) is translated


@pytest.mark.parametrize("text", ["", "...", "1234", "He killillillillill", "Tum yahan kya kar rahe ho, mujhe batao"])
def test_what_has_no_words_or_is_hindi_in_latin_letters_is_none(text: str) -> None:
    assert not is_translation(segment(text), [segment("तुम यहाँ क्या कर रहे हो, मुझे बताओ")])


def test_only_what_is_said_at_the_time_counts_as_the_source() -> None:
    copy = "quiero ir a casa hoy"
    assert is_translation(segment(copy, 5000, 6000), [segment(copy, 0, 1000)])
