"""Coverage: speech that is on the screen, and text on the screen without speech.

Coverage of utterances' spans judges little, since they hold pauses; coverage of words needs their places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sutradhar.stages.evaluate.alignment import Edit
from sutradhar.stages.evaluate.comparing import Comparison
from sutradhar.stages.evaluate.figures import Addend, Figure, ratio
from sutradhar.stages.evaluate.measures import Conditions, Measure, lacks_times
from sutradhar.stages.evaluate.measures.causes import padded
from sutradhar.stages.evaluate.readers.pauses import PAUSE_MS
from sutradhar.stages.evaluate.spans import Cover, between, common, joined, length_ms, middle
from sutradhar.stages.evaluate.units import parts_of


def lacks(comparison: Comparison, _: Conditions) -> str:
    if comparison.hypothesis.is_timed and not comparison.reference.utterances and comparison.reference.has_text:
        return "" if comparison.end_ms else "nobody speaks, and it is not known how long"
    return lacks_times(comparison)


def measure(comparisons: Sequence[Comparison], conditions: Conditions) -> Iterator[Figure]:
    if any(comparison.reference.has_word_times for comparison in comparisons) or conditions.systems > 1:
        yield from _words(comparisons)
    speech = [_speech(comparison) for comparison in comparisons]
    yield ratio("speech_covered", "speech under text", speech)
    outside = sum(map(_outside_ms, comparisons)) / 1000
    yield Figure("outside_s", "text outside speech", outside, "s")
    yield ratio("invented", "words where nobody speaks", [_invented(one) for one in comparisons], "/min", 1, 2)


def _words(comparisons: Sequence[Comparison]) -> Iterator[Figure]:
    shown = {comparison.name: Cover(comparison.hypothesis.shown) for comparison in comparisons}

    def part(comparison: Comparison, edit: Edit) -> Addend:
        place = comparison.places[edit.said] if edit.kind != "insertion" else None
        return Addend(shown[comparison.name].has(middle(place)), 1) if place else Addend(0, 0)

    parts = parts_of(comparisons, part)
    yield ratio("words_covered", "words under text", parts)
    yield Figure("words_placed", "words whose place is known", sum(one.below for one in parts), digits=0)


def _speech(comparison: Comparison) -> Addend:
    spoken = joined(comparison.reference.spoken, PAUSE_MS)
    return Addend(length_ms(common(spoken, comparison.hypothesis.shown)), length_ms(spoken))


def _outside_ms(comparison: Comparison) -> int:
    shown = joined(comparison.hypothesis.shown)
    free = joined((*comparison.reference.spoken, *comparison.reference.ignored), PAUSE_MS)
    return length_ms(shown) - length_ms(common(shown, free))


def _invented(comparison: Comparison) -> Addend:
    """Return the words that are no hits where nobody speaks, and the minutes of that."""
    silence = between([*padded(comparison.reference.spoken), *comparison.reference.ignored], comparison.end_ms)
    silent = Cover(silence)
    words = (
        comparison.heard[edit.heard].span
        for edit in comparison.edits
        if not edit.is_free and edit.kind in ("insertion", "substitution")
    )
    return Addend(sum(span is not None and silent.has(middle(span)) for span in words), length_ms(silence) / 60_000)


MEASURE = Measure("coverage", lacks, measure)
