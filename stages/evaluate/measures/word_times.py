"""Errors of word times, over words that were heard right and whose times both sides know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from sutradhar.stages.evaluate.comparing import Comparison
from sutradhar.stages.evaluate.figures import Figure
from sutradhar.stages.evaluate.measures import Conditions, Measure
from sutradhar.stages.evaluate.readers.pauses import PAUSE_MS
from sutradhar.stages.transcript import Span

WITHIN_MS = (50, 100, 200)


def lacks(comparison: Comparison, conditions: Conditions) -> str:
    if conditions.is_translation:
        return "a translation has other words than its reference"
    if not comparison.reference.has_word_times:
        return "the reference has no times of words"
    return "" if comparison.hypothesis.has_word_times else "it has no times of words"


def measure(comparisons: Sequence[Comparison], _: Conditions) -> Iterator[Figure]:
    pairs = [pair for comparison in comparisons for pair in _pairs(comparison)]
    yield Figure("words_timed", "words heard right, with times", len(pairs), digits=0)
    yield from _of_edge("start", [heard.start_ms - said.start_ms for said, heard, _ in pairs])
    yield from _of_edge("end", [heard.end_ms - said.end_ms for said, heard, _ in pairs])
    paused = [abs(heard.start_ms - said.start_ms) for said, heard, is_after_pause in pairs if is_after_pause]
    yield Figure("start_paused_median", "word start after a pause, median error", middle_of(paused), "ms", 0)


def _of_edge(name: str, differences: Sequence[int]) -> Iterator[Figure]:
    errors = [abs(difference) for difference in differences]
    yield Figure(f"{name}_median", f"word {name}, median error", middle_of(errors), "ms", 0)
    yield Figure(f"{name}_bias", f"word {name}, median lateness", middle_of(differences), "ms", 0)
    yield Figure(f"{name}_p90", f"word {name}, 90 % are within", percentile(errors, 90), "ms", 0)
    for limit in WITHIN_MS:
        yield Figure(f"{name}_within_{limit}", f"word {name} within {limit} ms", share(errors, limit), "%")


def _pairs(comparison: Comparison) -> Iterator[tuple[Span, Span, bool]]:
    """Yield the times of the hits on both sides, and whether a pause stands before the word."""
    for edit in comparison.counted:
        if edit.kind == "hit":
            said, heard = comparison.said[edit.said], comparison.heard[edit.heard]
            if said.span and heard.span and said.is_exact and heard.is_exact:
                yield said.span, heard.span, _is_after_pause(comparison, edit.said)


def _is_after_pause(comparison: Comparison, place: int) -> bool:
    before, word = comparison.said[place - 1].span if place else None, comparison.said[place].span
    return word is not None and (before is None or word.start_ms - before.end_ms >= PAUSE_MS)


def middle_of(values: Sequence[int]) -> float | None:
    return float(median(values)) if values else None


def percentile(values: Sequence[int], percent: float) -> float | None:
    import numpy as np

    return float(np.percentile(values, percent)) if values else None


def share(errors: Sequence[int], limit_ms: int) -> float | None:
    return 100 * sum(error <= limit_ms for error in errors) / len(errors) if errors else None


MEASURE = Measure("word times", lacks, measure)
