"""Which language a text in Latin letters is that stands in a transcript of an Indian language.

English passes through untouched. Hindi in Latin letters is no input for IndicTrans2, which takes it to pieces. Words decide: the
share of ASCII is the same in both, and people mix them, so a few Hindi words outweigh more English ones, which Hindi borrows.
"""

from __future__ import annotations

from typing import Literal

from stages.characters import LATIN, in_script, words_of
from stages.translate.roman_words import ENGLISH, HINDI, RATHER_ENGLISH

Roman = Literal["english", "hindi", "unknown"]
HINDI_WORTH = 2  # English words: Hindi speech borrows English words, English none of these


def is_latin(text: str) -> bool:
    """Has it letters, and no others than Latin ones?"""
    letters = [character for character in text if character.isalpha()]
    return bool(letters) and in_script("".join(letters), LATIN) == len(letters)


def language_of(text: str) -> Roman:
    """ "unknown" where no word is known: names, mostly, or a language that is neither."""
    words = [word.replace("’", "'") for word in words_of(text)]
    hindi = HINDI_WORTH * sum(word in HINDI for word in words)
    english = sum(word in ENGLISH or word.partition("'")[0] in ENGLISH for word in words)
    if hindi == english == 0:
        return "unknown" if RATHER_ENGLISH.isdisjoint(words) else "english"
    if hindi == english:
        return "hindi"
    return "hindi" if hindi > english else "english"
