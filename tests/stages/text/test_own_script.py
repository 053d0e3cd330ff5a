from __future__ import annotations

import pytest

from sutradhar.stages.text.own_script import Letters, script_doubt
from tests.stages.corpus.recognise.support import segment


@pytest.mark.parametrize(
    ("text", "language", "share"),
    [
        ("मैं Sanjay हूँ", "hi", 0.75),
        ("मैं स्कूल जा रहा हूँ।", "hi", 0.0),
        ("میں", "hi", 1.0),
        ("Hello", "en", 0.0),
        ("...", "hi", 0.0),
        ("漢字", "ja", 0.0),
    ],
)
def test_foreign_share(text: str, language: str, share: float) -> None:
    assert Letters([segment(text, language=language)]).share == pytest.approx(share)


def test_each_segment_is_held_to_its_own_language() -> None:
    call = [segment("Добрый день", language="ru"), segment("Good morning, how are you?", language="en")]
    assert Letters(call).share == 0.0
    letters = Letters([*call, segment("dobry den", language="ru")])
    assert (letters.share, letters.language) == (pytest.approx(8 / 38), "ru")


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
        ("جی ہاں، کل آؤں گا", "hi", True),
        ("Ha, theek hai bhai.", "hi", True),
        ("Okay, thank you, Sanjay.", "hi", False),
        ("Okay, thank you. " * 6, "hi", True),
        ("ہاں", "hi", False),
        ("ꯑꯩ ꯌꯨꯝꯗꯥ ꯆꯠꯂꯤ", "mni", False),
        ("আমি ইম্ফাল চৎলি", "mni", False),
        ("मैं घर जा रहा हूँ", "mni", True),
        ("इञ ओड़ाक् चालाक् काना", "sat", False),
        ("मां घरि वञां थो", "sd", False),
        ("ਮੈਂ ਘਰ ਜਾ ਰਿਹਾ ਹਾਂ", "pa", False),
        ("میں گھر جا رہیا ہاں", "pa", False),
        ("Hanv ghara vetam", "kok", False),
        ("मैं घर जा रहा हूँ", "ur", True),
    ],
)
def test_a_text_in_another_script_is_doubted(text: str, language: str, doubted: bool) -> None:
    assert bool(script_doubt([segment(text, language=language)])) is doubted


def test_texts_too_short_to_tell_add_up() -> None:
    letters = Letters([segment("Okay, thank you.", language="hi")])
    assert (letters.doubt, letters.share) == ("", 1.0)
    for _ in range(6):
        letters.add([segment("Okay, thank you.", language="hi")])
    assert letters.doubt == "100% of the text is not in Devanagari"
