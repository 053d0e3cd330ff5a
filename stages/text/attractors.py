"""Finds one translation for several different sentences: what a model falls back on that has not understood its source."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

from stages.text.characters import words_of

_SHORT = 20  # characters: "What are you doing?" is said in many ways
_LONG = 40  # characters: so long a sentence is hardly said in two ways
_SEVERAL, _SEVERAL_LONG = 3, 2
_SHARED_WORDS = 0.5  # of the shorter sentence: two ways to say one thing
_STEM = 3  # characters: forms of a word begin alike
_MANY = 6  # kinds: nothing is said in so many ways
_LONE = 2 / 3  # kinds a source: of fewer, most are ways to say one thing, and the others may be too
_ALIKE = 0.7  # of the letters
_LOOKED_AT = 30  # sources: more prove nothing new


def attractors(pairs: Iterable[tuple[str, str]]) -> set[int]:
    """Find, among pairs of source and target, the places of those whose target is that of several clearly different
    sources."""
    by_target: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for place, (source, target) in enumerate(pairs):
        by_target[" ".join(words_of(target))].append((place, source))
    found: set[int] = set()
    for target, alike in by_target.items():
        enough = _SEVERAL_LONG if len(target) > _LONG else _SEVERAL
        if len(target) > _SHORT and len(alike) >= enough and _is_several([source for _, source in alike], enough):
            found |= {place for place, _ in alike}
    return found


def _is_several(sources: Sequence[str], enough: int) -> bool:
    """Are there so many kinds among them, of which none is like another, and are they few only where most sources are a kind of their own?"""
    kinds: list[list[str]] = []
    different = list(dict.fromkeys(sources))[:_LOOKED_AT]
    for source in different:
        like = [kind for kind in kinds if any(_is_like(source, other) for other in kind)]
        kinds = [kind for kind in kinds if kind not in like] + [[source, *(other for kind in like for other in kind)]]
    return len(kinds) >= (enough if len(kinds) >= _LONE * len(different) else _MANY)


def _is_like(left: str, right: str) -> bool:
    ours, theirs = words_of(left), words_of(right)
    stems, others = ({word[:_STEM] for word in words} for words in (ours, theirs))
    if len(stems & others) >= _SHARED_WORDS * min(len(stems), len(others)):
        return True
    return SequenceMatcher(None, "".join(ours), "".join(theirs), autojunk=False).ratio() > _ALIKE
