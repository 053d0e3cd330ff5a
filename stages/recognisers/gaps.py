"""Find likely speech that no word accounts for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

from msgspec.structs import replace

from sutradhar.stages.text.characters import CLOSING, COMMAS, STOPS
from sutradhar.stages.transcript import Likely, Segment, Span, Window

AnySpan = TypeVar("AnySpan", bound=Span)

MARGIN_MS = 150  # on both sides of a word, for its edges are guesses
WORD_MS, LETTER_MS = 400, 120  # the times of a slow speaker
SHORTEST_MS = 400  # less than the shortest word may take
MUCH_MS, MUCH = 3000, 0.02  # of speech without words, and its share of the speech, that is worth a line
_MARKS = frozenset(CLOSING + STOPS + COMMAS)


class Timed(Protocol):
    """A word, or a mark, with its time."""

    @property
    def text(self) -> str: ...
    @property
    def start_ms(self) -> int: ...
    @property
    def end_ms(self) -> int: ...


def is_punctuation(word: Timed) -> bool:
    """Tell whether this is nothing but punctuation."""
    return set(word.text.strip()) <= _MARKS


def earliest_ms(word: Timed) -> int:
    """Return the moment at which a word begins at the earliest, by its length: one that takes seconds hides others
    before it."""
    return max(word.start_ms, word.end_ms - WORD_MS - LETTER_MS * len(word.text.strip()))


def without_words(spans: Iterable[AnySpan], words: Iterable[Timed]) -> list[AnySpan]:
    """Return what words leave of spans on the same clock."""
    left = list(spans)
    for word in words:
        if not is_punctuation(word):
            left = [part for span in left for part in _without(span, word)]
    return left


def _without(span: AnySpan, word: Timed) -> Iterator[AnySpan]:
    start_ms, end_ms = earliest_ms(word) - MARGIN_MS, word.end_ms + MARGIN_MS
    if end_ms <= span.start_ms or span.end_ms <= start_ms:
        yield span
        return
    if span.start_ms < start_ms:
        yield replace(span, end_ms=start_ms)
    if end_ms < span.end_ms:
        yield replace(span, start_ms=end_ms)


def unheard(windows: Sequence[Window], segments: Sequence[Segment]) -> tuple[Likely, ...]:
    """Return the likely speech of all windows for which there are no words of the same speaker."""
    found = list[Likely]()
    for speaker in dict.fromkeys(window.speaker for window in windows):
        likely = _once(one for window in windows if window.speaker == speaker for one in window.likely)
        words = (word for segment in segments if segment.speaker == speaker for word in segment.words)
        found += (one for one in without_words(likely, words) if one.end_ms - one.start_ms >= SHORTEST_MS)
    return tuple(sorted(found, key=lambda one: one.start_ms))


def _once(spans: Iterable[Likely]) -> Iterator[Likely]:
    """Yield spans without what an earlier one holds: windows may share sound."""
    heard_ms = 0
    for span in spans:
        if span.end_ms > heard_ms:
            yield replace(span, start_ms=max(span.start_ms, heard_ms))
            heard_ms = span.end_ms


def is_much(lost: Sequence[Likely], windows: Sequence[Window]) -> bool:
    """Tell whether so much of the speech has no words that a person should know."""
    lost_ms = total_ms(lost)
    return lost_ms >= MUCH_MS and lost_ms >= MUCH * sum(total_ms(window.speech) for window in windows)


def total_ms(spans: Iterable[Span]) -> int:
    return sum(span.end_ms - span.start_ms for span in spans)
