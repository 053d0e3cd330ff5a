"""Take out of a sentence what a translator must not touch (`verbatim`) and put it back.

IndicTrans2 has learnt to copy `<ID1>`, as AI4Bharat's IndicProcessor writes it. That processor would do this too, but
it numbers its finds in the order of a set, which differs from run to run, and keeps the maps in an internal queue.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from sutradhar.stages.film.translate.verbatim import VERBATIM

SMALL_DECIMAL = re.compile(r"(?=(?:\.?\d){2,3}\Z)\d+\.\d+")  # 3.5: the model writes these itself
# The forms in which `<ID1>` comes back: with spaces, other brackets, or spelled in the target's script.
_LATIN = "ID|id|Id"
_INDIC = r"आईडी|आई ?डी|आय ?डी|आइडि|ऐडि|ऐटि|आई ?\. ?डी ?\.?|आय ?\. ?डी ?\.?|آی ?ڈی|آئی ?ڈی|ꯑꯥꯏꯗꯤ|ᱟᱭᱰᱤ ?᱾?"
COME_BACK = re.compile(rf"[<\[]\s*(?:{_LATIN}|{_INDIC})\s*(\d+)\s*[>\]]|(?:{_INDIC})\s?(\d+)(?!\w)")


def take_out(sentence: str) -> tuple[str, list[str]]:
    """Return the sentence with `<ID1>`, `<ID2>` ... in order, and the texts that they stand for. The same text has
    the same number."""
    kept: list[str] = []

    def replace(match: re.Match[str]) -> str:
        text = match.group()
        if SMALL_DECIMAL.fullmatch(text):
            return text
        if text not in kept:
            kept.append(text)
        return f"<ID{kept.index(text) + 1}>"

    return VERBATIM.sub(replace, sentence), kept


def put_back(translation: str, kept: Sequence[str]) -> str:
    """Put the texts back. A number that we did not give stays as it is, for a guard to see."""

    def replace(match: re.Match[str]) -> str:
        number = int(match.group(1) or match.group(2))
        return kept[number - 1] if 1 <= number <= len(kept) else match.group()

    return COME_BACK.sub(replace, translation) if kept else translation


def ascii_digits(sentence: str) -> str:
    """Write ASCII digits for those of all scripts, as IndicProcessor does before it looks for numbers."""
    return "".join(
        str(unicodedata.decimal(character)) if character.isdecimal() else character for character in sentence
    )
