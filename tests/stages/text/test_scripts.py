from __future__ import annotations

import pytest

from stages.text.scripts import foreign_share, is_of, needs_no_space, script_doubt, script_of
from tests.stages.recognise.support import segment


@pytest.mark.parametrize(
    ("text", "language", "share"),
    [("मैं Sanjay हूँ", "hi", 0.75), ("मैं स्कूल जा रहा हूँ।", "hi", 0.0), ("میں", "hi", 1.0), ("Hello", "en", 0.0), ("...", "hi", 0.0), ("漢字", "ja", 0.0)],
)
def test_foreign_share(text: str, language: str, share: float) -> None:
    assert foreign_share([segment(text, language=language)])[0] == pytest.approx(share)


def test_each_segment_is_held_to_its_own_language() -> None:
    call = [segment("Добрый день", language="ru"), segment("Good morning, how are you?", language="en")]
    assert foreign_share(call)[0] == 0.0
    assert foreign_share([*call, segment("dobry den", language="ru")]) == (pytest.approx(8 / 38), "ru")


@pytest.mark.parametrize(
    ("text", "language", "doubted"),
    [
        ("میں گھر جا رہا ہوں", "hi", True),
        ("Main ghar ja raha hoon", "hi", True),
        ("मैं घर जा रहा हूँ", "en", True),
        ("मैं Sanjay हूँ और हम सब लोग अपने घर पर ही रहते हैं", "hi", False),
        ("東京タワーへ行きましょう", "ja", False),
        ("Добро јутро", "sr", False),
        ("Dobro jutro", "sr", False),
        ("오늘 밤", "ko", False),
        ("123", "hi", False),
    ],
)
def test_a_text_in_another_script_is_doubted(text: str, language: str, doubted: bool) -> None:
    assert bool(script_doubt([segment(text, language=language)])) is doubted


def test_scripts_of_languages() -> None:
    assert [script_of(language) for language in ("hi", "ur", "sat", "zh", "fr", "xx")] == ["DEVANAGARI", "ARABIC", "OL", "CJK", "LATIN", "LATIN"]
    assert (is_of("KATAKANA", "ja"), is_of("KATAKANA", "zh")) == (True, False)
    assert [needs_no_space(character) for character in "ส我かက。a가अ"] == [True, True, True, True, True, False, False, False]
