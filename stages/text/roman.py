"""The language of a text in Latin letters that stands in a transcript of an Indian language.

English passes through untouched. Hindi in Latin letters is no input for IndicTrans2, which takes it to pieces. Words
decide: the share of ASCII is the same in both, and people mix them, so a few Hindi words outweigh more English ones,
which Hindi borrows.
"""

from __future__ import annotations

import re
from typing import Literal

from sutradhar.stages.text.characters import words_of
from sutradhar.stages.text.roman_words import ENGLISH, HINDI, HOLDING, RATHER_ENGLISH
from sutradhar.stages.text.scripts import LATIN, in_script

Roman = Literal["english", "hindi", "unknown"]
ENGLISH_SHARE = 0.4  # of the words
MAX_NAMES = 3
HINDI_WORTH = 2  # English words: Hindi speech borrows English words, English borrows none of these


def is_latin(text: str) -> bool:
    """Return whether it has letters, and only Latin ones."""
    letters = [character for character in text if character.isalpha()]
    return bool(letters) and in_script("".join(letters), LATIN) == len(letters)


def language_of(text: str) -> Roman:
    """Return the language, "unknown" where no list has enough of the words: names, or a third language. Every
    language borrows nouns from English, so English takes other words: all, or a few of those that hold English
    sentences together."""
    words = [word for part in words_of(text) for word in part.replace("’", "'").split("-") if word]
    hindi = HINDI_WORTH * sum(word in HINDI for word in words)
    english = sum(word in ENGLISH or word.partition("'")[0] in ENGLISH or word in RATHER_ENGLISH for word in words)
    if hindi and hindi >= english:
        return "hindi"
    holding = sum(word.partition("'")[0] in HOLDING for word in words)
    likely = holding or not RATHER_ENGLISH.isdisjoint(words)
    if words and (english == len(words) or holding >= 2 or (likely and english >= ENGLISH_SHARE * len(words))):
        return "english"
    return "unknown"


def is_names(text: str) -> bool:
    """Return whether it is a few words that all have a capital, or numbers."""
    return len(_words(text)) <= MAX_NAMES and has_capitals(text)


def has_capitals(text: str) -> bool:
    """Return whether every word but numbers has a capital."""
    return all(word[0].isupper() or not word[0].isalpha() for word in _words(text))


def _words(text: str) -> list[str]:
    return re.findall(r"\w\S*", text)
