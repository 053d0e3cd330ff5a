"""What is wrong with a translation, as far as one can see without knowing either language.

The bounds were set on reference pairs, Hindi and English, both ways: FLORES-200 devtest (1,012 of news) and Tatoeba (1,500 of talk).
"""

from __future__ import annotations

import re
from typing import Literal

from stages.characters import LATIN, WORDS, clean, in_script, script_of, words_of
from stages.translate.loops import loops
from stages.translate.numbers import lost

Fault = Literal[
    "blank", "same as source", "too short", "too long", "loop", "source script", "untranslated", "unknown word", "placeholder", "number lost"
]

# Characters that say what takes 100 in English: measured for Hindi, and about so many for the others.
_LENGTHS = {"en": 100, "hi": 102, "ta": 116, "ml": 112, "zh": 33, "yue": 33, "ja": 45, "ko": 50, "th": 90, "lo": 90}
_OTHERS = 105
_SHORTEST, _LONGEST = 0.55, 1.65  # times the length to be expected
_SLACK = 14  # characters more or less, which decide for short texts: "Hi." is "नमस्ते।"

_UNKNOWN = re.compile(r"<\s*unk\s*>|\u2047|\ufffd", re.IGNORECASE)
_ID = r"(?:\bID|आई\s?\.?\s?डी|आय\s?\.?\s?डी|आइ\s?\.?\s?डी|ऐडि|ऐटि|آی\s?ڈی|آئی\s?ڈی|ꯑꯥꯏꯗꯤ|ᱟᱭᱰᱤ\s?᱾?)\s?\.?"
_PLACEHOLDER = re.compile(rf"<\s*/?\s*dnt\s*/?\s*>|[<\[]\s*{_ID}\s*\d+|{_ID}\s*\d+\s*[>\]]|\bID\d\b", re.IGNORECASE)
_DANDAS = str.maketrans("", "", "।॥")
_FEW_WORDS = 2  # so many may be the same in both languages
_UNTRANSLATED = 0.5  # of the words, in small Latin letters where that is not the target's script
_UNTRANSLATED_WORDS = 4


def faults(source: str, target: str, source_language: str, target_language: str) -> tuple[Fault, ...]:
    """The guards that fire, none for a translation that may be one. Both texts are without markup."""
    source, target = clean(source), clean(target)
    if not _has_words(target):
        return ("blank",) if _has_words(source) else ()
    found: dict[Fault, bool] = {
        "same as source": _is_same(source, target),
        "too short": len(target) < _expected(source, source_language, target_language) * _SHORTEST - _SLACK,
        "too long": len(target) > _expected(source, source_language, target_language) * _LONGEST + _SLACK,
        "loop": loops(target) and not loops(source),
        "source script": _has_source_script(target, source_language, target_language),
        "untranslated": _is_untranslated(target, target_language),
        "unknown word": _UNKNOWN.search(target) is not None and _UNKNOWN.search(source) is None,
        "placeholder": _PLACEHOLDER.search(target) is not None and _PLACEHOLDER.search(source) is None,
        "number lost": lost(source, target, target_language),
    }
    return tuple(fault for fault, fires in found.items() if fires)


def _has_words(text: str) -> bool:
    return any(character.isalnum() for character in text)


def _expected(source: str, source_language: str, target_language: str) -> float:
    return len(source) * _LENGTHS.get(target_language, _OTHERS) / _LENGTHS.get(source_language, _OTHERS)


def _is_same(source: str, target: str) -> bool:
    words = words_of(target)
    return words == words_of(source) and len(words) > _FEW_WORDS and not _is_names(target)


def _is_names(text: str) -> bool:
    """Is every word a number, or does it have a capital?"""
    return all(word[0].isupper() or not word[0].isalpha() for word in re.findall(r"\w\S*", text))


def _has_source_script(target: str, source_language: str, target_language: str) -> bool:
    source_script, target_script = script_of(source_language), script_of(target_language)
    if source_script in (LATIN, target_script):
        return False
    return in_script(target if target_script == LATIN else target.translate(_DANDAS), source_script) > 0


def _is_untranslated(target: str, target_language: str) -> bool:
    """Names may stay in Latin letters in any script, sentences may not."""
    words = WORDS.findall(target)
    latin = sum(word[0].islower() and in_script(word, LATIN) > 0 for word in words)
    return script_of(target_language) != LATIN and len(words) >= _UNTRANSLATED_WORDS and latin > _UNTRANSLATED * len(words)
