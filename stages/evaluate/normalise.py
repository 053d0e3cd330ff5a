"""Normalisers: what two texts may differ in without an error.

`english` is that of the Whisper paper (numbers, spelling, contractions). `unicode` is for every other language: NFC,
lower case, without punctuation, dandas, symbols and joiners. Whisper's own normaliser for those will not do: it strips
every combining mark, and so the vowel signs of Devanagari. `spelling` also takes usual ways to write the same word in
Devanagari for one. In scripts without spaces every character is a word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache

from sutradhar.pipeline.errors import UsageError
from sutradhar.stages.text.scripts import is_spaceless, script_of

Normaliser = Callable[[str], str]

_DROPPED = "PSC"  # Unicode categories: punctuation, symbols, and controls with the zero-width joiners among them
_JOINERS = "\u200c\u200d"
_NUKTA = re.compile("(?<=[कखगजफ])\u093c")  # of borrowed sounds, which many leave out: ज़रा is जरा; ड़ is no ड
_NASAL = re.compile(  # before a stop of its own row: हिन्दी is हिंदी, but जन्म stays
    "(?:ङ\u094d(?=[क-घ])|ञ\u094d(?=[च-झ])|ण\u094d(?=[ट-ढ])|न\u094d(?=[त-ध])|म\u094d(?=[प-भ]))"
)
_ANUSVARA = "\u0902"
_CHANDRABINDU = str.maketrans({"\u0901": _ANUSVARA})  # हँस is हंस
_VOWELS = (("ये", "ए"), ("यी", "ई"))  # at the end of a word: गये is गए


def unicode(text: str) -> str:
    """Turn `"मैं, हूँ।"` into `"मैं हूँ"`; a hyphen parts words, an apostrophe does not."""
    text = unicodedata.normalize("NFC", text).lower().replace("'", "").replace("’", "")
    return " ".join("".join(map(_plain, text)).split())


def _plain(character: str) -> str:
    if character in _JOINERS:
        return ""
    if is_spaceless(character) and character.isalpha():
        return f" {character}"
    return " " if unicodedata.category(character)[0] in _DROPPED else character


def spelling(text: str) -> str:
    """Turn `हिन्दी` and `हिंदी`, `हँस` and `हंस`, `ज़रा` and `जरा`, `गये` and `गए` into the same."""
    plain = _NUKTA.sub("", unicode(text)).translate(_CHANDRABINDU)
    return " ".join(map(_folded, _NASAL.sub(_ANUSVARA, plain).split()))


def _folded(word: str) -> str:
    for written, meant in _VOWELS:
        if word.endswith(written) and len(word) > len(written):
            return word[: -len(written)] + meant
    return word


@cache
def _whisper() -> Normaliser:
    from whisper_normalizer.english import EnglishTextNormalizer

    normaliser: Normaliser = EnglishTextNormalizer()
    return normaliser


def english(text: str) -> str:
    """Normalise by Whisper's rules. What they leave of punctuation alone is no word: "…" becomes "."."""
    return " ".join(word for word in _whisper()(text).split() if re.search(r"\w|[$£€%]", word))


NORMALISERS: Mapping[str, Normaliser] = {"english": english, "unicode": unicode, "spelling": spelling}


def folds_spelling(language: str) -> bool:
    """Return whether `spelling` knows ways to write a language that `unicode` tells apart."""
    return script_of(language) == "DEVANAGARI"


def normaliser_for(name: str, language: str) -> str:
    """Return the name of the normaliser asked for; for `auto`, that of a language. Raises UsageError."""
    if name == "auto":
        return "english" if language == "en" else "unicode"
    if name not in NORMALISERS:
        raise UsageError(f"--normaliser {name}: no such normaliser; choose from auto, {', '.join(NORMALISERS)}")
    return name
