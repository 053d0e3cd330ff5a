"""The script that a language is written in, and the script of a text."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from functools import cache

from sutradhar.stages.text.characters import word_set

LATIN = "LATIN"

# By script, as the Unicode names of its characters begin, the languages that are mostly written in it. Others: Latin.
_WRITTEN_IN: Mapping[str, str] = {
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
# Scripts that a language mixes with its own.
_MIXED: Mapping[str, frozenset[str]] = {
    "ja": frozenset(("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA")),
    "ko": frozenset(("CJK",)),
    "sr": frozenset((LATIN,)),
    **dict.fromkeys(("uz", "az", "tk"), frozenset(("CYRILLIC",))),
    **dict.fromkeys(("zh", "yue"), frozenset(("BOPOMOFO",))),
}
# Scripts that other people, or other times, write a language in.
_ALSO: Mapping[str, frozenset[str]] = {
    "mni": word_set("MEETEI"),
    "sat": word_set("DEVANAGARI BENGALI ORIYA LATIN"),
    "ks": word_set("DEVANAGARI SHARADA"),
    "sd": word_set("DEVANAGARI GURMUKHI KHUDAWADI"),
    "kok": word_set("LATIN KANNADA MALAYALAM"),
    "gom": word_set("LATIN KANNADA MALAYALAM"),
    "pa": word_set("ARABIC"),
    "doi": word_set("ARABIC TAKRI DOGRA"),
    "brx": word_set("LATIN BENGALI"),
    "mai": word_set("TIRHUTA KAITHI"),
    "bho": word_set("KAITHI"),
    "ne": word_set("NEWA"),
    "sa": word_set("GRANTHA BENGALI GUJARATI KANNADA MALAYALAM ORIYA TAMIL TELUGU SHARADA"),
    "kk": word_set("LATIN ARABIC"),
    "tt": word_set("LATIN"),
    "ky": word_set("ARABIC"),
    "tg": word_set("ARABIC"),
    "mn": word_set("MONGOLIAN"),
    "bs": word_set("CYRILLIC"),
    "uz": word_set("ARABIC"),
    "az": word_set("ARABIC"),
    "ms": word_set("ARABIC"),
    "ha": word_set("ARABIC"),
}
_NAMES = {"OL": "Ol Chiki", "CJK": "Chinese characters"}
_OF_ANY_SCRIPT = frozenset(("MODIFIER", "FEMININE", "MASCULINE", "HALFWIDTH", "FULLWIDTH", "MICRO"))

# Thai, Lao, Tibetan, Burmese, Khmer, kana and Han are written without spaces between words.
SPACELESS = (
    "\u0e00-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
WIDE_PUNCTUATION = "\u3000-\u3004\u3008-\u303f\uff00-\uff65"
_SPACELESS = re.compile(f"[{SPACELESS}]")
_NO_SPACE_NEEDED = re.compile(f"[{SPACELESS}{WIDE_PUNCTUATION}]")


def script_of(language: str) -> str:
    return _SCRIPTS.get(language, LATIN)


@cache
def likely_language(text: str) -> str:
    """Return the language that is most often written in the script that most letters of a text are in: `en` for
    Latin, `hi` for Devanagari."""
    letters = letters_in(text)
    return _WRITTEN_IN.get(max(letters, key=letters.__getitem__, default=LATIN), "en").split()[0]


def script_of_letter(letter: str) -> str:
    """Name the script of a letter as its Unicode name begins: "DEVANAGARI". "" for a letter without a name."""
    return unicodedata.name(letter, "").split(" ")[0]


def in_script(text: str, script: str) -> int:
    """Count the characters of the text that are of the script: letters, marks, digits, and Devanagari's danda."""
    return sum(script_of_letter(character) == script for character in text)


def letters_in(text: str) -> Counter[str]:
    """Count the letters of each script in the text."""
    found = Counter[str]()
    for letter, count in Counter(text).items():
        if letter.isalpha():
            found[script_of_letter(letter)] += count
    return found


def is_of(script: str, language: str) -> bool:
    """Return whether anybody writes the language in the script, or it mixes the script with its usual one."""
    return is_usual(script, language) or script in _ALSO.get(language, ())


def is_usual(script: str, language: str) -> bool:
    """Return whether the language is mostly written in the script, which a translator has learnt, or mixes it with
    that."""
    return script == script_of(language) or script in _MIXED.get(language, ()) or script in _OF_ANY_SCRIPT


def is_spaceless(character: str) -> bool:
    """Return whether the character is of a script that is written without spaces."""
    return _SPACELESS.match(character) is not None


def needs_no_space(character: str) -> bool:
    """Return whether words part beside the character without a space: it is of such a script, or full-width
    punctuation."""
    return _NO_SPACE_NEEDED.match(character) is not None


def script_name(language: str) -> str:
    script = script_of(language)
    return _NAMES.get(script, script.capitalize())
