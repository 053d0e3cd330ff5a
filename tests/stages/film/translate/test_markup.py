from __future__ import annotations

import pytest

from sutradhar.stages.film.translate.labels import sound_of
from sutradhar.stages.film.translate.markup import label_in, lift, put_back


@pytest.mark.parametrize(
    ("text", "inner", "translated"),
    [
        ("<i>मैं ठीक हूँ।</i>", "मैं ठीक हूँ।", "<i>X</i>"),
        (r"{\an8}- <b>Raj</b> आया", "Raj आया", r"{\an8}- X"),
        ("- नमस्ते", "नमस्ते", "- X"),
        ("–नमस्ते", "नमस्ते", "–X"),
        (">> हाँ जी", "हाँ जी", ">> X"),
        ("RAJ KUMAR: हाँ", "हाँ", "RAJ KUMAR: X"),
        ("राज: हाँ", "राज: हाँ", "X"),
        ("♪ दिल ♪", "दिल", "♪ X ♪"),
        ("# दिल चाहता है #", "दिल चाहता है", "# X #"),
        ("[हँसते हुए] हाँ", "हाँ", "[laughter] X"),
        ("- (applause) Wow", "Wow", "- (applause) X"),
        ("वह [ख़ाँसी] गया", "वह गया", "[coughing] X"),
        ("*हँसी* हाँ", "हाँ", "*laughter* X"),
        ("[अनजान आवाज़] हाँ", "हाँ", "X"),
        ("(he knows) it", "(he knows) it", "X"),
        ("-5 डिग्री", "-5 डिग्री", "X"),
        ("#film देखो", "#film देखो", "X"),
        ("सीखो C#", "सीखो C#", "X"),
    ],
)
def test_what_is_lifted_off_is_put_back(text: str, inner: str, translated: str) -> None:
    lifted = lift(text)
    assert lifted.text == inner
    assert put_back(lifted, "X", "en") == translated


@pytest.mark.parametrize(
    ("text", "target", "shown"),
    [
        ("[संगीत]", "en", "[music]"),
        ("[MUSIC PLAYING]", "hi", "[संगीत]"),
        ("(Phone ringing)", "hi", "(फ़ोन की घंटी)"),
        ("[तालियां]", "en", "[applause]"),
        ("[BLANK_AUDIO]", "hi", "[मौन]"),
        ("♪♪", "en", "♪♪"),
        ("[music]", "ta", "♪"),
        ("[door closes]", "en", "[door closes]"),
        ("[door closes]", "hi", ""),
        ("[दरवाज़ा बंद]", "en", ""),
        ("[दरवाज़ा बंद]", "mr", ""),
        ("...", "en", ""),
    ],
)
def test_a_label_alone_is_not_for_the_translator(text: str, target: str, shown: str) -> None:
    lifted = lift(text)
    assert lifted.is_label
    assert put_back(lifted, "", target) == shown


def test_labels_are_known_in_any_spelling() -> None:
    assert label_in("[हंसी]", "en") == label_in("[हँसी]", "en") == "[laughter]"
    assert sound_of("[फोन की घंटी]") is sound_of("*Telephone Rings*")
    assert sound_of("[something else]") is None


def test_text_is_clean_and_joiners_stay() -> None:
    assert lift(" वैज्ञानिक\u200b  और\n\ufeff\u0958लम ").text == "वैज्ञानिक और \u0915\u093cलम"
    assert lift("क्\u200dष नमाज़\u200cगाह").text == "क्\u200dष नमाज\u093c\u200cगाह"


def test_loops_are_collapsed_and_noted() -> None:
    lifted = lift("नहीं नहीं नहीं नहीं। चलो")
    assert (lifted.text, lifted.collapsed) == ("नहीं। चलो", True)
    assert not lift("नहीं नहीं चलो").collapsed


@pytest.mark.parametrize("text", ["(मुझे घर जाना है।)", "[मैं तुमसे कल सुबह वहीं मिलूँगा]", "*चलो!*"])
def test_speech_between_brackets_is_for_the_translator(text: str) -> None:
    assert lift(text).text
