"""The places where words begin in scripts that are written without spaces between them: by ICU's dictionaries, and by
its rules for the other scripts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

from stages.text.characters import word_set
from stages.text.scripts import needs_no_space

# Endings of Japanese verbs and adjectives, which ICU takes for words: they stay with what they belong to.
_JAPANESE_ENDINGS = word_set(
    """ま ます まし ました ませ ません た て だ だっ です でし でしょ う よう ん ない なかっ なく たい たかっ たく れ れる られ られる せ せる させ
    させる ば"""
)


def word_starts(text: str, language: str = "") -> frozenset[int]:
    """The places (in characters) at which a word or a mark of the text begins."""
    from icu4py.breakers import WordBreaker

    parts = ["", *WordBreaker(text, language or "en")]
    starts = accumulate((len(part) for part in parts[1:-1]), initial=0)
    return frozenset(start for start, (before, part) in zip(starts, pairwise(parts), strict=False) if not _is_ending(before, part))


def _is_ending(before: str, part: str) -> bool:
    return before != "" and (part in _JAPANESE_ENDINGS or (part[0] == "し" and before in ("ま", "で")))


def in_words(pieces: Sequence[str], language: str = "") -> list[list[tuple[str, bool]]]:
    """Each piece of a running text in parts, cut where words begin inside it; and for each part: does a word begin with it, or does it
    go on with one? ["1", ",00,000"] is one number, "ส" "วัสดี" one word."""
    text = "".join(pieces)
    starts = word_starts(text, language) if any(map(needs_no_space, text)) else frozenset[int]()
    found: list[list[tuple[str, bool]]] = []
    begin = 0
    for piece in pieces:
        end = begin + len(piece)
        places = [place for place in range(begin + 1, end) if place in starts and _apart(text, place)] if starts else []
        first = begin == 0 or text[begin - 1].isspace() or piece[:1].isspace() or (begin in starts and _apart(text, begin))
        bounds = [begin, *places, end]
        found.append([(text[left:right], first or left > begin) for left, right in pairwise(bounds)])
        begin = end
    return found


def begin_words(pieces: Sequence[str], language: str = "") -> list[bool]:
    """Tell for each piece of a running text whether a word begins with it."""
    return [parts[0][1] for parts in in_words(pieces, language)]


def _apart(text: str, place: int) -> bool:
    return not text[place - 1].isspace() and (needs_no_space(text[place - 1]) or needs_no_space(text[place]))
