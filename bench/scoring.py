"""Word and character error rates, after the normalisation that is fair to a language.

English: the normaliser of the Whisper paper (numbers, spelling, contractions). Others: Unicode NFC, lower case,
without punctuation, symbols and joiners. Whisper's basic normaliser will not do for them: it strips every combining
mark, and so the vowel signs of Devanagari.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import jiwer

DROPPED = "PSC"  # Unicode categories: punctuation, symbols, and controls with the zero-width joiners among them


@dataclass(frozen=True)
class Rates:
    """Rates in percent of the words and of the characters (spaces among them) of all references together."""

    wer: float
    cer: float


def rates(references: Sequence[str], texts: Sequence[str], language: str) -> Rates:
    normalise = normaliser(language)
    pairs = [(normalise(reference), normalise(text)) for reference, text in zip(references, texts, strict=True)]
    wanted, got = zip(*[pair for pair in pairs if pair[0]], strict=True)
    return Rates(100 * jiwer.wer(list(wanted), list(got)), 100 * jiwer.cer(list(wanted), list(got)))


@cache
def normaliser(language: str) -> Callable[[str], str]:
    if language != "en":
        return normalise
    from whisper_normalizer.english import EnglishTextNormalizer

    english: Callable[[str], str] = EnglishTextNormalizer()
    return english


def normalise(text: str) -> str:
    """Turn `"मैं, हूँ।"` into `"मैं हूँ"`; a hyphen parts words, an apostrophe does not."""
    text = unicodedata.normalize("NFC", text).lower().replace("'", "").replace("’", "")
    kept = (
        "" if character in "\u200c\u200d" else " " if unicodedata.category(character)[0] in DROPPED else character
        for character in text
    )
    return " ".join("".join(kept).split())
