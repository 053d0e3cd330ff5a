"""The causes of deletions and insertions: what was not heard at all against what was misheard, and what was heard
where nobody speaks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sutradhar.stages.evaluate.comparing import Comparison
from sutradhar.stages.evaluate.figures import Figure
from sutradhar.stages.evaluate.measures import Conditions, Measure, errors, lacks_times
from sutradhar.stages.evaluate.spans import Cover, length_ms, middle
from sutradhar.stages.transcript import Span

COLLAR_MS = 250  # by which times may differ at the edges of speech


def lacks(comparison: Comparison, conditions: Conditions) -> str:
    return errors.lacks(comparison, conditions) or lacks_times(comparison)


def measure(comparisons: Sequence[Comparison], conditions: Conditions) -> Iterator[Figure]:
    deleted = [unheard for comparison in comparisons for unheard in _deletions(comparison)]
    inserted = [outside for comparison in comparisons for outside in _insertions(comparison)]
    yield Figure("deletions_unheard", "deletions, nothing shown there", deleted.count(True), digits=0)
    yield Figure("deletions_misheard", "deletions, other text there", deleted.count(False), digits=0)
    yield Figure("insertions_outside", "insertions outside speech", inserted.count(True), digits=0)
    yield Figure("insertions_inside", "insertions in speech", inserted.count(False), digits=0)


def _deletions(comparison: Comparison) -> Iterator[bool]:
    """Tell of each deleted word whether less than half of its place has text on the screen."""
    places = likely_places(comparison)
    shown = Cover(comparison.hypothesis.shown)
    for edit in comparison.counted:
        if edit.kind == "deletion":
            place = places[edit.said]
            yield place is None or not _is_under(place, shown)


def _is_under(place: Span, shown: Cover) -> bool:
    length = length_ms([place])
    return 2 * shown.part_ms(place) >= length if length else shown.has(middle(place))


def _insertions(comparison: Comparison) -> Iterator[bool]:
    """Tell of each inserted word whether it lies outside speech."""
    speech = Cover(padded(comparison.reference.spoken))
    for edit in comparison.counted:
        span = comparison.heard[edit.heard].span if edit.kind == "insertion" else None
        if span:
            yield not speech.has(middle(span))


def padded(spans: Sequence[Span]) -> list[Span]:
    return [Span(max(0, span.start_ms - COLLAR_MS), span.end_ms + COLLAR_MS) for span in spans]


def likely_places(comparison: Comparison) -> list[Span | None]:
    """Return the place of every word of the reference; for those that nobody heard, what its neighbours leave of the
    utterance."""
    owners = [word.utterance for word in comparison.said]
    spans = [comparison.reference.utterances[owner].span for owner in owners]
    before = _nearest(owners, [place.end_ms if place else None for place in comparison.places])
    after = _nearest(owners[::-1], [place.start_ms if place else None for place in comparison.places[::-1]])[::-1]
    return [
        place or _room(whole, earliest, latest)
        for place, whole, earliest, latest in zip(comparison.places, spans, before, after, strict=True)
    ]


def _nearest(owners: Sequence[int], values: Sequence[int | None]) -> list[int | None]:
    """Return for each word the last value before it within its utterance."""
    found: list[int | None] = []
    last = None
    for owner, previous, value in zip(owners, [-1, *owners], values, strict=False):
        last = last if owner == previous else None
        found.append(last)
        last = last if value is None else value
    return found


def _room(whole: Span | None, earliest: int | None, latest: int | None) -> Span | None:
    start_ms = whole.start_ms if earliest is None and whole else earliest
    end_ms = whole.end_ms if latest is None and whole else latest
    return Span(start_ms, max(start_ms, end_ms)) if start_ms is not None and end_ms is not None else None


MEASURE = Measure("causes", lacks, measure)
