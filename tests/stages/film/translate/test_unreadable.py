from __future__ import annotations

import pytest

from sutradhar.stages.film.translate.unreadable import digits, why_unreadable


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("میں گھر جا رہا ہوں۔", "hi"),
        ("मैं घर जा रहा हूँ।", "ta"),
        ("मैं घर जा रहा हूँ।", "en"),
        ("I am going to घर now with all of my friends.", "hi"),
        ("Я иду домой.", "hi"),
        ("আমি বাড়ি যাচ্ছি।", "hi"),
        ("ꯑꯩ ꯌꯨꯝꯗꯥ ꯆꯠꯂꯤ", "mni"),
        ("میں گھر جا رہیا ہاں", "pa"),
        ("आज میں گھر جا رہا ہوں", "hi"),
    ],
)
def test_another_script_than_the_languages(text: str, language: str) -> None:
    assert why_unreadable(text, text, language) == "another script"


@pytest.mark.parametrize(
    "text",
    [
        "Alarm set करो for 12 minutes",
        "मेरे लिए reminder set करो to wake up at 6:30 am tomorrow",
        "Dallas International Airport में weather forecast please",
        "Rahul Sharma और Priya Verma office meeting cancel",
    ],
)
def test_a_sentence_of_mostly_english_words_is_read(text: str) -> None:
    assert why_unreadable(text, text, "hi") is None


@pytest.mark.parametrize("text", ["Kya kar rahe ho tum yahan?", "main ghar jaa raha hoon"])
@pytest.mark.parametrize("language", ["hi", "en"])
def test_hindi_in_latin_letters(text: str, language: str) -> None:
    assert why_unreadable(text, text, language) == "roman script"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("व", "वववववववववव"),
        ("क", "क क क क क"),
        ("मैं", "मैं " * 20),
        ("जा रहा", "जा रहा " * 12),
        ("ह\ufffd म\ufffd", "ह\ufffd म\ufffd"),
        ("\ue001\ue002 है", "\ue001\ue002 है"),
        ("ािु ीूे ्", "ािु ीूे ्"),
        ("рaжb घaрb", "рaжb घaрb"),
        ("मैं go иду گھر ไป", "मैं go иду گھر ไป"),
    ],
)
def test_garbage(text: str, said: str) -> None:
    assert why_unreadable(text, said, "hi") == "garbage"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("मैं घर जा रहा हूँ।", "hi"),
        ("मैं Shah Rukh Khan हूँ", "hi"),
        ("मेरा WhatsApp message delete हो गया", "hi"),
        ("SIMवाला फ़ोन", "hi"),
        ("हाहाहाहाहाहा", "hi"),
        ("नहीं नहीं नहीं नहीं", "hi"),
        ("1947 में", "hi"),
        ("Rajesh saw घर there.", "en"),
        ("Come home, it is late.", "en"),
        ("ನಾನು ಮನೆಗೆ ಹೋಗುತ್ತಿದ್ದೇನೆ", "kn"),
        ("میں گھر جا رہا ہوں۔", "ur"),
    ],
)
def test_what_a_translator_may_be_given(text: str, language: str) -> None:
    assert why_unreadable(text, text, language) is None


def test_digits_of_any_script() -> None:
    assert (digits("१९४७, 12।", "en"), digits("१२।", "bn")) == ("1947, 12.", "12।")
