"""The characters of a text as they stand on a screen: their width, and the places between them at which a line may
end."""

from __future__ import annotations

import re
import unicodedata

from sutradhar.stages.text.characters import CLOSING, COMMAS, DASHES, OPENING, STOPS, bare
from sutradhar.stages.text.scripts import WIDE_PUNCTUATION, needs_no_space

_BLANK = re.compile(
    r"(?:(?![\u00a0\u2007\u202f])[\s\x00-\x1f\x7f-\x9f])+"
)  # the three that forbid a break belong to their word

_PUNCTUATION = frozenset(CLOSING + STOPS + COMMAS + "%‰℃°")
# Characters that Japanese and Thai typesetting keeps off the start of a line, or off its end.
_NEVER_FIRST = _PUNCTUATION | frozenset("々〻ーゝゞヽヾぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ～・ะาำๅๆฯ་")
_NEVER_LAST = frozenset(OPENING + "เแโใไເແໂໃໄ") - frozenset("\"'")

_HALF_WIDTH_COUNTS_HALF = frozenset(("zh", "yue", "ja", "ko"))


def split_blanks(text: str) -> list[str]:
    """Return the words, as spaces, line ends and control characters part them, without those that show nothing."""
    return [
        word
        for word in _BLANK.split(text)
        if any(unicodedata.category(character) not in ("Cf", "Zs") for character in word)
    ]


def is_blank(character: str) -> bool:
    return _BLANK.match(character) is not None


def measure(text: str, language: str) -> float:
    """Return the width in characters, by Netflix's counting rules: spaces and punctuation count; in Chinese, Japanese
    and Korean a half-width character is half a character; in Thai the marks above and below are none. Elsewhere: code
    points, which for Indic scripts is the stricter of the readings that the guides leave open."""
    if language in _HALF_WIDTH_COUNTS_HALF:
        return sum(1.0 if unicodedata.east_asian_width(character) in "WFA" else 0.5 for character in text)
    if language == "th":
        return float(sum(unicodedata.category(character) != "Mn" for character in text))
    return float(len(text))


def is_hiragana(character: str) -> bool:
    return "\u3040" <= character <= "\u309f"


def is_katakana(character: str) -> bool:
    return "\u30a0" <= character <= "\u30ff"


def may_part(left: str, right: str, spaced: bool) -> bool:
    """Return whether a line may end between these two neighbouring words, as far as their characters tell."""
    if all(character in _PUNCTUATION or character in DASHES for character in right):
        return False
    if all(character in _NEVER_LAST or character in DASHES for character in left):
        return False
    if spaced:
        return True
    if right[0] in _NEVER_FIRST or left[-1] in _NEVER_LAST or unicodedata.category(right[0]).startswith("M"):
        return False
    return needs_no_space(left[-1]) or needs_no_space(right[0])


def clusters(text: str) -> list[str]:
    """Return the single characters as a reader takes them: never parted, so that no mark, conjunct, flag or emoji
    breaks."""
    found: list[str] = []
    for character in text:
        if found and _joins(found[-1], character):
            found[-1] += character
        else:
            found.append(character)
    return found


def _joins(cluster: str, character: str) -> bool:
    last = cluster[-1]
    if (
        unicodedata.category(character).startswith("M")
        or character == "\u200d"
        or last == "\u200d"
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    ):
        return True
    if unicodedata.combining(last) == 9:  # a virama: the next consonant is part of the conjunct
        return character.isalpha()
    return len(cluster) == 1 and all("\U0001f1e6" <= half <= "\U0001f1ff" for half in cluster + character)


def ends_wide(text: str) -> bool:
    """Return whether the text ends in full-width punctuation, which brings a space with it."""
    return re.match(f"[{WIDE_PUNCTUATION}]", text[-1:]) is not None


def begins_capital(word: str) -> bool:
    return word.lstrip(OPENING)[:1].isupper()


def is_number(word: str) -> bool:
    return bare(word)[-1:].isdigit()
