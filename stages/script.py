"""Which script a language is written in, to notice a text in another: small models write Hindi in Urdu or Latin letters."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable

from stages.transcript import Segment

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


def foreign_share(segments: Iterable[Segment]) -> tuple[float, str]:
    """Of the letters, from 0 to 1, those in another script than their segment's language, none for languages that are not listed;
    and the language that most of them should be in."""
    letters, foreign = 0, Counter[str]()
    for segment in segments:
        for letter in filter(str.isalpha, segment.text):
            letters += 1
            foreign[segment.language] += not unicodedata.name(letter, "").startswith(SCRIPTS.get(segment.language, ""))
    return (foreign.total() / letters, foreign.most_common(1)[0][0]) if letters else (0.0, "")
