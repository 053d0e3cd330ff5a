"""Words on the film's clock: in order, apart from each other, and never shorter than can be heard."""

from __future__ import annotations

from collections.abc import Sequence

from sutradhar.stages.transcript import Word

SHORTEST_MS = 20


def moved(word: Word, start_ms: int, end_ms: int) -> Word:
    return Word(word.text, start_ms, end_ms, word.probability)


def in_order(words: Sequence[Word], start_ms: int, end_ms: int) -> tuple[Word, ...]:
    """Let every word begin after the one before it and last at least `SHORTEST_MS`, or what room there is."""
    if not words:
        return ()
    shortest = max(1, min(SHORTEST_MS, (end_ms - start_ms) // len(words)))
    earliest, forward = start_ms, []
    for word in words:
        start = max(word.start_ms, earliest)
        earliest = max(word.end_ms, start + shortest)
        forward.append(moved(word, start, earliest))
    latest, backward = end_ms, []
    for word in reversed(forward):
        end = min(word.end_ms, latest)
        latest = min(word.start_ms, end - shortest)
        backward.append(moved(word, latest, end))
    return tuple(reversed(backward))
