"""Make the segments of a recording from its windows. Windows share sound where speech had no pause at which it could
be cut: what both have heard there is taken once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import groupby, pairwise

import msgspec

from sutradhar.stages.recognisers.contract import Recognition
from sutradhar.stages.recognisers.phrases import segments_of
from sutradhar.stages.text.characters import bare
from sutradhar.stages.transcript import Segment, Window, Word

ALIKE_MS = 500  # the times of one word from two windows are no further apart
ALIKE = 0.75  # likeness of two spellings of one word

Heard = tuple[Window, Recognition]


def segments_of_windows(heard: Iterable[Heard]) -> tuple[Segment, ...]:
    """Return the segments of a recording's windows, each with its speaker; of several speakers in the order in which
    they begin."""
    by_speaker = sorted(heard, key=lambda pair: (pair[0].speaker, pair[0].start_ms))
    found = list[Segment]()
    for speaker, own in groupby(by_speaker, key=lambda pair: pair[0].speaker):
        found += (msgspec.structs.replace(one, speaker=speaker) for one in segments_of(joined(list(own))))
    if any(segment.speaker for segment in found):
        found.sort(key=lambda segment: segment.start_ms)
    return tuple(msgspec.structs.replace(segment, id=number) for number, segment in enumerate(found))


def joined(heard: Sequence[Heard]) -> list[Recognition]:
    """Return the recognitions of one speaker's windows, in their order, without the words that a neighbour has too."""
    found = [recognition for _, recognition in heard]
    for place, (before, after) in enumerate(pairwise(window for window, _ in heard)):
        if after.start_ms < before.end_ms:
            found[place], found[place + 1] = _parted(found[place], found[place + 1], after.start_ms, before.end_ms)
    return found


def _parted(before: Recognition, after: Recognition, start_ms: int, end_ms: int) -> tuple[Recognition, Recognition]:
    """Part what two windows heard at the word that both have, in one spelling or alike, nearest to the middle of the
    sound that they share."""
    shared = [
        (one, other)
        for one in _words(before)
        for other in _words(after)
        if start_ms <= min(_middle(one), _middle(other)) <= max(_middle(one), _middle(other)) <= end_ms
        if _apart(one, other) <= ALIKE_MS
    ]
    middle_ms = (start_ms + end_ms) // 2
    for is_same in (_is_same, _is_alike):
        if pairs := [pair for pair in shared if is_same(*pair)]:
            one, other = min(pairs, key=lambda pair: _apart(*pair) + abs(sum(map(_middle, pair)) - 2 * middle_ms))
            return _only(before, until_ms=_middle(one)), _only(after, from_ms=_middle(other) + 1)
    return _parted_by_time(before, after, middle_ms)


def _parted_by_time(before: Recognition, after: Recognition, middle_ms: int) -> tuple[Recognition, Recognition]:
    """Part words of which none is in both where the second window's own half begins, and lose none that stands where
    the other window has nothing."""
    begins_ms = min((word.start_ms for word in _words(after) if _middle(word) >= middle_ms), default=None)
    first = before if begins_ms is None else _only(before, until_ms=begins_ms)
    ends_ms = max((word.end_ms for word in _words(first)), default=0)
    return first, _only(after, from_ms=ends_ms)


def _words(recognition: Recognition) -> list[Word]:
    return [word for phrase in recognition.phrases for word in phrase]


def _is_same(one: Word, other: Word) -> bool:
    return bare(one.text) == bare(other.text) != ""


def _is_alike(one: Word, other: Word) -> bool:
    return SequenceMatcher(None, bare(one.text), bare(other.text), autojunk=False).ratio() >= ALIKE


def _middle(word: Word) -> int:
    return (word.start_ms + word.end_ms) // 2


def _apart(one: Word, other: Word) -> int:
    return abs(_middle(one) - _middle(other))


def _only(recognition: Recognition, *, from_ms: int = 0, until_ms: int | None = None) -> Recognition:
    """Return the words whose middle lies there, both ends included."""

    def is_wanted(word: Word) -> bool:
        return from_ms <= _middle(word) and (until_ms is None or _middle(word) <= until_ms)

    phrases = tuple(kept for phrase in recognition.phrases if (kept := tuple(filter(is_wanted, phrase))))
    return replace(recognition, phrases=phrases, text="".join(word.text for one in phrases for word in one).strip())
