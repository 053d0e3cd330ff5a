"""Sums over stretches of time."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable
from itertools import pairwise

from sutradhar.stages.transcript import Span


def middle(span: Span) -> int:
    return (span.start_ms + span.end_ms) // 2


def length_ms(spans: Iterable[Span]) -> int:
    return sum(span.end_ms - span.start_ms for span in spans)


def joined(spans: Iterable[Span], gap_ms: int = 0) -> list[Span]:
    """Return the spans in order, those that overlap or are no further apart than `gap_ms` as one."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda span: span.start_ms):
        if found and span.start_ms <= found[-1].end_ms + gap_ms:
            found[-1] = Span(found[-1].start_ms, max(found[-1].end_ms, span.end_ms))
        else:
            found.append(span)
    return found


def between(spans: Iterable[Span], end_ms: int) -> list[Span]:
    """Return what the spans leave of the time from 0 to `end_ms`."""
    bounds = [Span(0, 0), *joined(spans), Span(end_ms, end_ms)]
    return [Span(left.end_ms, right.start_ms) for left, right in pairwise(bounds) if right.start_ms > left.end_ms]


def common(some: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """Return the time that lies in both."""
    left, right = deque(joined(some)), deque(joined(others))
    found: list[Span] = []
    while left and right:
        start, end = max(left[0].start_ms, right[0].start_ms), min(left[0].end_ms, right[0].end_ms)
        if start < end:
            found.append(Span(start, end))
        (left if left[0].end_ms < right[0].end_ms else right).popleft()
    return found


class Cover:
    """Spans that are asked many times what lies under them."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self.spans = joined(spans)
        self._starts = [span.start_ms for span in self.spans]

    def has(self, time_ms: int) -> bool:
        place = bisect_right(self._starts, time_ms) - 1
        return place >= 0 and time_ms < self.spans[place].end_ms

    def part_ms(self, span: Span) -> int:
        """Return how much of a span is covered."""
        first = max(0, bisect_right(self._starts, span.start_ms) - 1)
        last = bisect_right(self._starts, span.end_ms)
        return length_ms(common([span], self.spans[first:last]))
