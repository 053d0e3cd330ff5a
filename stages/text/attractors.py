"""Find one translation for several different sentences: a model that has not understood its source falls back on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

from sutradhar.stages.text.characters import words_of

_SHORT = 20  # characters: "What are you doing?" is said in many ways
_LONG = 28  # characters: so long a sentence is hardly said in two ways
_SEVERAL, _SEVERAL_LONG, _SEVERAL_SHORT = 3, 2, 4
_REPLY_WORDS = 2  # "Yes.", "Come on." answer nearly anything
_SOURCE_WORDS, _SOURCE_WORDS_OF_REPLY = 3, 5  # fewer may well mean what is short
_DIFFERENT = 2  # words: "sir", "my friend"
_SHARED_WORDS = 0.5  # of the shorter sentence: two ways to say one thing
_STEM = 3  # characters: forms of a word begin alike
_MANY = 6  # kinds: nothing is said in so many ways
_LONE = 2 / 3  # kinds a source: with fewer, most are ways to say one thing, and the others may be too
_ALIKE = 0.7  # of the letters
_LOOKED_AT = 30  # sources: more prove nothing new


def attractors(pairs: Iterable[tuple[str, str]]) -> set[int]:
    """Find, among pairs of source and target, the places of those whose target is, or nearly is, that of several
    clearly different sources."""
    same: dict[str, list[tuple[int, str]]] = defaultdict(list)
    near: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for place, (source, target) in enumerate(pairs):
        words = words_of(target)
        same[" ".join(words)].append((place, source))
        for key in _but_some_words(words):
            near[key].append((place, source))
    found: set[int] = set()
    for target, alike in same.items():
        counted, enough = _counted(target, alike)
        if target and _is_several(counted, enough):
            found |= {place for place, _ in alike}
    for key, alike in near.items():
        if len(key) > _SHORT and _is_several([source for _, source in alike], _SEVERAL):
            found |= {place for place, _ in alike}
    return found


def _but_some_words(words: Sequence[str]) -> set[str]:
    """Return the text, and the text without any one or two neighbouring words: texts that differ in these share
    such a rest."""
    rests = {
        " ".join([*words[:place], *words[place + many :]])
        for many in range(1, _DIFFERENT + 1)
        for place in range(len(words) - many + 1)
    }
    return {" ".join(words), *rests}


def _counted(target: str, alike: Sequence[tuple[int, str]]) -> tuple[list[str], int]:
    """Return the sources that count against a target, and how many kinds of them are too many."""
    sources = [source for _, source in alike]
    if len(target) > _LONG:
        return sources, _SEVERAL_LONG
    if len(target) > _SHORT:
        return sources, _SEVERAL
    is_reply = len(target.split()) <= _REPLY_WORDS
    least, enough = (_SOURCE_WORDS_OF_REPLY, _MANY) if is_reply else (_SOURCE_WORDS, _SEVERAL_SHORT)
    return [source for source in sources if len(words_of(source)) >= least], enough


def _is_several(sources: Sequence[str], enough: int) -> bool:
    """Return whether the sources are of several kinds, none like another: `enough` where most sources are a kind by
    themselves, else `_MANY`."""
    if len(sources) < enough:
        return False
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
