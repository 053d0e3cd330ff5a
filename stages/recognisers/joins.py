"""Make the segments of a recording from its windows. Windows share sound where speech had no pause at which it could
be cut: what both have heard there is taken once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import groupby, pairwise

import msgspec

from sutradhar.stages.recognisers.contract import Recognition
from sutradhar.stages.recognisers.phrases import segments_of
from sutradhar.stages.text.characters import bare
from sutradhar.stages.transcript import Segment, Window, Word

ALIKE_MS = 500  # the times of one word from two windows are no further apart

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
    """Part what two windows heard at the word that both have, nearest to the middle of the sound that they share; in
    that middle where they have none."""
    middle_ms = (start_ms + end_ms) // 2
    pairs = [(one, other) for one in _words(before) for other in _words(after) if _alike(one, other, start_ms, end_ms)]
    if not pairs:
        return _until(before, middle_ms), _from(after, middle_ms)
    one, other = min(pairs, key=lambda pair: _apart(*pair) + abs(_middle(pair[0]) + _middle(pair[1]) - 2 * middle_ms))
    return _until(before, _middle(one) + 1), _from(after, _middle(other) + 1)


def _words(recognition: Recognition) -> list[Word]:
    return [word for phrase in recognition.phrases for word in phrase]


def _alike(one: Word, other: Word, start_ms: int, end_ms: int) -> bool:
    return (
        start_ms <= _middle(other)
        and _middle(one) <= end_ms
        and _apart(one, other) <= ALIKE_MS
        and bare(one.text) == bare(other.text) != ""
    )


def _middle(word: Word) -> int:
    return (word.start_ms + word.end_ms) // 2


def _apart(one: Word, other: Word) -> int:
    return abs(_middle(one) - _middle(other))


def _until(recognition: Recognition, end_ms: int) -> Recognition:
    return _only(recognition, lambda word: _middle(word) < end_ms)


def _from(recognition: Recognition, start_ms: int) -> Recognition:
    return _only(recognition, lambda word: _middle(word) >= start_ms)


def _only(recognition: Recognition, wanted: Callable[[Word], bool]) -> Recognition:
    phrases = tuple(kept for phrase in recognition.phrases if (kept := tuple(filter(wanted, phrase))))
    return replace(recognition, phrases=phrases, text="".join(word.text for one in phrases for word in one).strip())
