"""Measures of speakers: when each speaks (diarisation error rate), and what each says (cpWER)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sutradhar.stages.evaluate.comparing import Comparison
from sutradhar.stages.evaluate.figures import Addend, Figure, ratio
from sutradhar.stages.evaluate.measures import Conditions, Measure, lacks_text, lacks_times
from sutradhar.stages.evaluate.scored import ScoredWord, text_of
from sutradhar.stages.evaluate.version import Turn, Version

COLLARS_S = (0.0, 0.25)  # on each side of a turn's begin and end, not scored


def lacks(comparison: Comparison, _: Conditions) -> str:
    if not _turns(comparison.reference):
        return "the reference tells no speakers apart"
    return lacks_times(comparison) or ("" if _turns(comparison.hypothesis) else "it tells no speakers apart")


def measure(comparisons: Sequence[Comparison], conditions: Conditions) -> Iterator[Figure]:
    yield from (_error_rate(comparisons, collar) for collar in COLLARS_S)
    # Optional words belong to no line: who says one of them would be charged for it.
    if not conditions.is_translation and not any(lacks_text(one) or _has_optional(one) for one in comparisons):
        yield ratio("cpwer", "cpWER", [_by_speakers(comparison) for comparison in comparisons])


def _error_rate(comparisons: Sequence[Comparison], collar_s: float) -> Figure:
    """Return the error rate with overlapping speech scored, as NIST defines it (RT-09 evaluation plan)."""
    from pyannote.metrics.diarization import DiarizationErrorRate

    metric = DiarizationErrorRate(collar=2 * collar_s, skip_overlap=False)
    for comparison in comparisons:
        metric(_annotation(comparison.reference), _annotation(comparison.hypothesis), uem=_whole(comparison))
    title = f"DER, {collar_s:g} s at edges left out" if collar_s else "DER"
    return Figure(f"der_{round(collar_s * 1000)}", title, 100 * abs(metric), "%")


def _annotation(version: Version) -> Any:
    from pyannote.core import Annotation, Segment

    annotation = Annotation()
    for number, turn in enumerate(_turns(version)):
        annotation[Segment(turn.span.start_ms / 1000, turn.span.end_ms / 1000), number] = turn.speaker
    return annotation


def _whole(comparison: Comparison) -> Any:
    from pyannote.core import Segment, Timeline

    ignored = [one.span for one in comparison.reference.utterances if one.is_ignored and one.span]
    spans = Timeline([Segment(span.start_ms / 1000, span.end_ms / 1000) for span in ignored])
    return Timeline([Segment(0, comparison.end_ms / 1000)]).extrude(spans)


def _has_optional(comparison: Comparison) -> bool:
    ignores = any(one.is_ignored for one in comparison.reference.utterances)
    return ignores or any(word.is_optional for word in comparison.said)


def _turns(version: Version) -> tuple[Turn, ...]:
    """Return who speaks when; nothing where no two are told apart and none is named."""
    if version.turns:
        return version.turns
    spoken = ((one.span, one.speaker) for one in version.utterances if not one.is_ignored)
    return tuple(Turn(span, speaker) for span, speaker in spoken if span and speaker)


def _by_speakers(comparison: Comparison) -> Addend:
    """Return the errors and words where the words of each speaker stand in one line, and speakers are matched so that
    errors are fewest (cpWER: Watanabe et al., CHiME-6, 2020)."""
    from scipy.optimize import linear_sum_assignment  # meeteval has no wheels: it would take a C++ compiler

    said, heard = _lines(comparison.reference, comparison.said), _lines(comparison.hypothesis, comparison.heard)
    count = max(len(said), len(heard))
    said += [""] * (count - len(said))
    heard += [""] * (count - len(heard))
    errors = [[_errors(one, other) for other in heard] for one in said]
    rows, columns = linear_sum_assignment(errors)
    fewest = sum(errors[row][column] for row, column in zip(rows, columns, strict=True))
    return Addend(fewest, sum(len(line.split()) for line in said))


def _lines(version: Version, words: Sequence[ScoredWord]) -> list[str]:
    lines: dict[str, list[ScoredWord]] = {}
    for word in words:
        if not word.is_optional:
            lines.setdefault(version.utterances[word.utterance].speaker, []).append(word)
    return [text_of(line) for line in lines.values()]


def _errors(said: str, heard: str) -> int:
    import jiwer

    counts = jiwer.process_words(said, heard)
    return counts.substitutions + counts.deletions + counts.insertions


MEASURE = Measure("speakers", lacks, measure)
