"""The faults of a translation, as far as one can see them without knowing either language.

The bounds were set on reference pairs, Hindi and English, both ways: FLORES-200 devtest (1,012 of news) and Tatoeba
(1,500 of talk).
"""

from __future__ import annotations

import re
from typing import Literal

from sutradhar.stages.film.translate.markup import is_label
from sutradhar.stages.film.translate.numbers import lost
from sutradhar.stages.film.translate.verbatim import verbatim
from sutradhar.stages.text.characters import WORDS, clean, words_of
from sutradhar.stages.text.loops import loops
from sutradhar.stages.text.roman import has_capitals, language_of
from sutradhar.stages.text.roman_words import ENGLISH
from sutradhar.stages.text.scripts import LATIN, in_script, is_usual, script_of, script_of_letter

Fault = Literal[
    "blank",
    "same as source",
    "too short",
    "too long",
    "loop",
    "source script",
    "untranslated",
    "unknown word",
    "placeholder",
    "number lost",
]

# Characters that say as much as 100 in English: measured for Hindi, and about so many for the others.
_LENGTHS = {"en": 100, "hi": 102, "ta": 116, "ml": 112, "zh": 33, "yue": 33, "ja": 45, "ko": 50, "th": 90, "lo": 90}
_OTHERS = 105
_SHORTEST, _LONGEST = 0.55, 1.65  # times the length to be expected
_SLACK = 14  # characters more or less, which decide for short texts: "Hi." is "नमस्ते।"

_UNKNOWN = re.compile(r"<\s*(?:unk|pad|/?s)\s*>|\u2047|\ufffd|\b(?-i:[a-z]{3}_[A-Z][a-z]{3})\b", re.IGNORECASE)
_ID = r"(?:\bID|आई\s?\.?\s?डी|आय\s?\.?\s?डी|आइ\s?\.?\s?डी|ऐडि|ऐटि|آی\s?ڈی|آئی\s?ڈی|ꯑꯥꯏꯗꯤ|ᱟᱭᱰᱤ\s?᱾?)\s?\.?"
_PLACEHOLDER = re.compile(rf"<\s*/?\s*dnt\s*/?\s*>|[<\[]\s*{_ID}\s*\d+|{_ID}\s*\d+\s*[>\]]|\bID\d\b", re.IGNORECASE)
_DANDAS = str.maketrans("", "", "।॥")
_FEW_WORDS = 2  # so many may be the same in both languages
_UNTRANSLATED = 0.5  # of the words, in small Latin letters where that is not the target's script
_UNTRANSLATED_WORDS = 4


def faults(source: str, target: str, source_language: str, target_language: str) -> tuple[Fault, ...]:
    """Return the guards that fire: none for a translation that may be good. Both texts are without markup."""
    source, target = clean(source), clean(target)
    if not _has_words(source):
        return ()
    if not _has_words(target) or (is_label(target, alone=True) and not is_label(source, alone=True)):
        return ("blank",)
    found: dict[Fault, bool] = {
        "same as source": _is_same(source, target),
        "too short": len(target) < _expected(source, source_language, target_language) * _SHORTEST - _SLACK,
        "too long": len(target) > _expected(source, source_language, target_language) * _LONGEST + _SLACK,
        "loop": loops(target) and not loops(source),
        "source script": _has_source_script(source, target, source_language, target_language),
        "untranslated": _is_untranslated(source, target, target_language),
        "unknown word": _UNKNOWN.search(target) is not None and _UNKNOWN.search(source) is None,
        "placeholder": (_PLACEHOLDER.search(target) is not None and _PLACEHOLDER.search(source) is None)
        or _is_verbatim_lost(source, target),
        "number lost": lost(source, target, source_language, target_language),
    }
    return tuple(fault for fault, fires in found.items() if fires)


def _has_words(text: str) -> bool:
    return any(character.isalnum() for character in text)


def _expected(source: str, source_language: str, target_language: str) -> float:
    return len(source) * _LENGTHS.get(target_language, _OTHERS) / _LENGTHS.get(source_language, _OTHERS)


def _is_same(source: str, target: str) -> bool:
    words = words_of(target)
    return words == words_of(source) and len(words) > _FEW_WORDS and not has_capitals(target)


def _has_source_script(source: str, target: str, source_language: str, target_language: str) -> bool:
    """Return whether there are letters of a script that is neither the target's nor Latin, but for single ones of the
    source, as in "3 µm" and "α particle". Whisper now and then writes Hindi in Arabic letters, so the source's script
    is not the only one to look for."""
    if (
        script_of(target_language) == LATIN
        and script_of(source_language) != LATIN
        and target != target.translate(_DANDAS)
    ):
        return True
    return any(_is_foreign(word, source, source_language, target_language) for word in WORDS.findall(target))


def _is_foreign(word: str, source: str, source_language: str, target_language: str) -> bool:
    scripts = {letter: script_of_letter(letter) for letter in word if letter.isalpha()}
    foreign = [
        letter for letter, script in scripts.items() if script != LATIN and not is_usual(script, target_language)
    ]
    is_symbol = len(foreign) == 1 and foreign[0] in source and not is_usual(scripts[foreign[0]], source_language)
    return bool(foreign) and not is_symbol


def _is_untranslated(source: str, target: str, target_language: str) -> bool:
    """Return whether sentences, or English words with nothing in the target's script beside them, stay in Latin
    letters: names may."""
    if target_language == "en" and language_of(target) == "hindi" and words_of(source) != words_of(target):
        return not has_capitals(target)
    if script_of(target_language) == LATIN:
        return False
    words = WORDS.findall(target)
    latin = [word for word in words if in_script(word, LATIN)]
    if latin and not in_script(target, script_of(target_language)):
        return any(word[0].islower() or word.lower() in ENGLISH for word in latin)
    small = sum(word[0].islower() for word in latin)
    return len(words) >= _UNTRANSLATED_WORDS and small > _UNTRANSLATED * len(words)


def _is_verbatim_lost(source: str, target: str) -> bool:
    """Return whether an e-mail address, URL or tag of the source does not stand in the target as it was. Numbers have
    another guard."""
    kept = [text for text in verbatim(source) if any(character.isalpha() for character in text)]
    return any(text not in target for text in kept)
