"""SubER, the share of words and breaks of a subtitle file that a person would have to edit: below 20 is very good,
above 40 is bad. Wilken et al., "SubER: a metric for automatic evaluation of subtitle quality", IWSLT 2022."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sutradhar.stages.evaluate import for_suber
from sutradhar.stages.evaluate.comparing import Comparison
from sutradhar.stages.evaluate.figures import Figure
from sutradhar.stages.evaluate.measures import Conditions, Measure
from sutradhar.stages.transcript import Cue

_APART_MS = 1000  # between two recordings that are judged one after another


def lacks(comparison: Comparison, _: Conditions) -> str:
    if not comparison.reference.cues:
        return "the reference has no cues"
    return "" if comparison.hypothesis.cues else "it has no cues"


def measure(comparisons: Sequence[Comparison], conditions: Conditions) -> Iterator[Figure]:
    from suber.metrics.suber import calculate_SubER

    said, heard, begin_ms = list[Cue](), list[Cue](), 0
    for comparison in comparisons:
        said += _moved(comparison.reference.cues, begin_ms)
        heard += _moved(comparison.hypothesis.cues, begin_ms)
        begin_ms = max(cue.end_ms for cue in (*said, *heard)) + _APART_MS
    subtitles = (for_suber.subtitles_of(cues) for cues in (heard, said))
    yield Figure("suber", "SubER", calculate_SubER(*subtitles, language=conditions.language), "%")


def _moved(cues: Sequence[Cue], by_ms: int) -> Iterator[Cue]:
    return (Cue(cue.start_ms + by_ms, cue.end_ms + by_ms, cue.lines) for cue in cues)


MEASURE = Measure("SubER", lacks, measure)
