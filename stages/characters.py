"""What the characters of a text are: clean text, bare words, sentence ends, scripts."""

from __future__ import annotations

import re
import unicodedata

_USELESS = re.compile("[\u00ad\u200b\u200e\u200f\u2060\ufeff\x00-\x08\x0e-\x1f\x7f-\x9f]")  # the joiners U+200C and U+200D change what is read
_BLANKS = re.compile(r"\s+")

# What a word is made of, for regular expressions: \w leaves out the vowel signs of India, without which राज stands in राजा.
IN_WORD = r"\w\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0963\u0966-\u0dff\u0e31-\u0e4e\u1c5a-\u1c7d\uabe3-\uabed\u200c\u200d"
WORDS = re.compile(f"[{IN_WORD}]+(?:['’-][{IN_WORD}]+)*")

CLOSING = "\"'”’»›)]}」』）"
OPENING = "\"'“‘«‹([{「『（¿¡"
DASHES = "-–—―‒"
ELLIPSES = ("…", "...")
STOPS = ".?!…।॥|۔؟᱾᱿。？！"  # the bar is a danda on keyboards that have none
COMMAS = ",;:،؛、，；："


def word_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TITLES = word_set(
    """mr mrs ms dr prof st rev gen col capt lt sgt maj insp smt shri sr vs
    श्री श्रीमती सुश्री कु डॉ डा प्रो पं मो स्व मि
    ए बी सी डी एफ एच आई जे के एल एम एन पी क्यू आर एस टी यू वी"""
)
_INITIALS = re.compile(r"[A-Za-z]\.|\w[^\s.]{0,3}(?:\.\w[^\s.]{0,3})+\.")  # "J.", "U.S.", "p.m.", "बी.ए."
_SPACELESS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_NO_ABBREVIATIONS = ("i.", "a.m.", "p.m.")

# The first word of the Unicode names of a script's characters, and the languages that are written in it. Others: Latin.
_WRITTEN_IN = {
    "DEVANAGARI": "hi mr ne sa brx doi gom kok mai bho awa",
    "BENGALI": "bn as mni",
    "GURMUKHI": "pa",
    "GUJARATI": "gu",
    "ORIYA": "or",
    "TAMIL": "ta",
    "TELUGU": "te",
    "KANNADA": "kn",
    "MALAYALAM": "ml",
    "SINHALA": "si",
    "OL": "sat",
    "ARABIC": "ur ks ar fa ps sd",
    "HEBREW": "he yi",
    "CYRILLIC": "ru uk be bg mk kk ky mn sr tg tt ba",
    "GREEK": "el",
    "ARMENIAN": "hy",
    "GEORGIAN": "ka",
    "THAI": "th",
    "LAO": "lo",
    "KHMER": "km",
    "MYANMAR": "my",
    "TIBETAN": "bo",
    "ETHIOPIC": "am",
    "HANGUL": "ko",
    "CJK": "zh yue ja",
}
_SCRIPTS = {language: script for script, languages in _WRITTEN_IN.items() for language in languages.split()}
LATIN = "LATIN"


def clean(text: str) -> str:
    """NFC, single spaces, nothing invisible but the joiners."""
    return _BLANKS.sub(" ", _USELESS.sub("", unicodedata.normalize("NFC", text))).strip()


def words_of(text: str) -> list[str]:
    """Its words in lower case, without punctuation."""
    return WORDS.findall(clean(text).lower())


def bare(word: str) -> str:
    """In lower case, without the punctuation around it."""
    return word.strip(" " + OPENING + CLOSING + STOPS + COMMAS + DASHES).lower()


def script_of(language: str) -> str:
    return _SCRIPTS.get(language, LATIN)


def in_script(text: str, script: str) -> int:
    """How many of its characters are of the script: letters, marks, digits, and Devanagari's own danda."""
    return sum(unicodedata.name(character, "").startswith(f"{script} ") for character in text)


def is_spaceless(character: str) -> bool:
    """Is it of a script that is written without spaces?"""
    return _SPACELESS.match(character) is not None


def ends_sentence(word: str, following: str) -> bool:
    """Does the punctuation of `word` end a sentence, when `following` comes next? An ellipsis ends one only before a capital:
    elsewhere somebody hesitates."""
    core = word.strip().rstrip(CLOSING)
    if not core or core[-1] not in STOPS:
        return False
    first = following.lstrip(" " + OPENING + DASHES + "….♪")[:1]
    if core.endswith(ELLIPSES):
        return first.isupper()
    return not (core[-1] == "." and _is_abbreviation(core)) and not first.islower()


def _is_abbreviation(word: str) -> bool:
    """May a sentence go on in capitals after its full stop?"""
    return bare(word) in _TITLES or (_INITIALS.fullmatch(word.lstrip(OPENING)) is not None and word.lower() not in _NO_ABBREVIATIONS)


def ends_clause(word: str) -> bool:
    core = word.strip().rstrip(CLOSING)
    return bool(core) and core[-1] in COMMAS + STOPS + DASHES and not (core[-1] == "." and _is_abbreviation(core))
