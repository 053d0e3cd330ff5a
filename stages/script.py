"""Which script a language is written in, to notice a text in another: small models write Hindi in Urdu or Latin letters."""

from __future__ import annotations

import unicodedata

FOREIGN_SHARE = 0.3  # so many letters in another script are no names any more
# By Whisper's language codes, the first word of the Unicode names of its letters. Languages in Latin script are not listed.
SCRIPTS = {
    "hi": "DEVANAGARI",
    "mr": "DEVANAGARI",
    "ne": "DEVANAGARI",
    "sa": "DEVANAGARI",
    "bn": "BENGALI",
    "as": "BENGALI",
    "pa": "GURMUKHI",
    "gu": "GUJARATI",
    "ta": "TAMIL",
    "te": "TELUGU",
    "kn": "KANNADA",
    "ml": "MALAYALAM",
    "si": "SINHALA",
    "ur": "ARABIC",
    "ar": "ARABIC",
    "fa": "ARABIC",
    "ps": "ARABIC",
    "sd": "ARABIC",
    "he": "HEBREW",
    "yi": "HEBREW",
    "ru": "CYRILLIC",
    "uk": "CYRILLIC",
    "be": "CYRILLIC",
    "bg": "CYRILLIC",
    "mk": "CYRILLIC",
    "el": "GREEK",
    "hy": "ARMENIAN",
    "ka": "GEORGIAN",
    "th": "THAI",
    "lo": "LAO",
    "km": "KHMER",
    "my": "MYANMAR",
    "bo": "TIBETAN",
    "am": "ETHIOPIC",
    "ko": "HANGUL",
}


def not_in_script_of(language: str) -> str:
    """What is said of a text, or of much of it, that is in another script."""
    script = SCRIPTS.get(language, "LATIN").capitalize()
    return f"not in {script}: the model is too small for the language ({language}), or it is another"


def foreign_share(text: str, language: str) -> float:
    """Of the letters, from 0 to 1, those in another script than the language's; 0 for languages that are not listed."""
    letters = [character for character in text if character.isalpha()]
    if language not in SCRIPTS or not letters:
        return 0.0
    return sum(not unicodedata.name(letter, "").startswith(SCRIPTS[language]) for letter in letters) / len(letters)
