"""The characters of a text: characters that are not letters, clean text, bare words."""

from __future__ import annotations

import re
import unicodedata

_USELESS = re.compile(
    "[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x08\x0e-\x1f\x7f-\x9f]"
)  # the joiners U+200C and U+200D change how a word reads
_BLANKS = re.compile(r"\s+")

# The characters of a word, for regular expressions: \w leaves out India's vowel signs, and so finds राज in राजा.
IN_WORD = (
    r"\w\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0963\u0966-\u0dff"
    r"\u0e31-\u0e4e\u1c5a-\u1c7d\uabe3-\uabed\u200c\u200d"
)
WORDS = re.compile(f"[{IN_WORD}]+(?:['’-][{IN_WORD}]+)*")

OPENING = "\"'“‘„«‹([{「『（［｛〈《【〔¿¡"
CLOSING = "\"'”’»›)]}」』）］｝〉》】〕"
DASHES = "-–—―‒"
ELLIPSES = ("…", "...")
# Marks that end sentences: Latin, Devanagari (the bar is a danda on keyboards that have none), Urdu, Arabic, Ethiopic,
# Armenian, Burmese, Khmer, Tibetan, Meitei, Santali, Sinhala, Mongolian, full-width.
STOPS = ".?!…‽⁇⁈⁉।॥|۔؟።፧፨։။។៕།༎꯫᱾᱿෴᠃᠉。？！．｡"
FULL_STOPS = ".।۔᱾"  # among them, those of plain statements in the languages that are translated
COMMAS = ",;:،؛፣፤፥፦՝၊᠂、，；：､"


def word_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


def visible(text: str) -> str:
    """Return the text without invisible characters, but for the joiners."""
    return _USELESS.sub("", text)


def clean(text: str) -> str:
    """Return the text in NFC, with single spaces and nothing invisible but the joiners."""
    return _BLANKS.sub(" ", visible(unicodedata.normalize("NFC", text))).strip()


def words_of(text: str) -> list[str]:
    """Return the words in lower case, without punctuation."""
    return WORDS.findall(clean(text).lower())


def bare(word: str) -> str:
    """Return the word in lower case, without the punctuation around it."""
    return word.strip(" " + OPENING + CLOSING + STOPS + COMMAS + DASHES).lower()
