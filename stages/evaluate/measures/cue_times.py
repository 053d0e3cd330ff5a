"""Cues against the sound: how far from the first and the last sound of its words each begins and ends.

Judged are cues whose first (or last) word was heard right, by the word's own time, or by that of the utterance of the
reference which it begins (or ends)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sutradhar.stages.evaluate.comparing import Comparison, compare
from sutradhar.stages.evaluate.figures import Figure
from sutradhar.stages.evaluate.measures import Conditions, Measure, errors
from sutradhar.stages.evaluate.measures.word_times import middle_of, percentile, share
from sutradhar.stages.evaluate.normalise import Normaliser
from sutradhar.stages.evaluate.scored import ScoredWord
from sutradhar.stages.evaluate.version import Utterance, words_in
from sutradhar.stages.transcript import Span

FRAME_MS = 42  # at 24 frames a second
EARLY_MS = 100


def lacks(comparison: Comparison, conditions: Conditions) -> str:
    if reason := errors.lacks(comparison, conditions):
        return reason
    if not comparison.hypothesis.cues:
        return "it has no cues"
    return "" if comparison.reference.is_timed else "the reference has no times"


def measure(comparisons: Sequence[Comparison], conditions: Conditions) -> Iterator[Figure]:
    cues = [_by_cues(comparison, conditions.normalise) for comparison in comparisons]
    ins = [late for comparison in cues for late in _lateness(comparison, is_start=True)]
    outs = [late for comparison in cues for late in _lateness(comparison, is_start=False)]
    yield Figure("cues_in_judged", "cues whose begin is judged", len(ins), digits=0)
    yield Figure("cue_in_median", "cue begin, median error", middle_of(list(map(abs, ins))), "ms", 0)
    yield Figure("cue_in_bias", "cue begin, median lateness", middle_of(ins), "ms", 0)
    yield Figure("cue_in_p90", "cue begin, 90 % are within", percentile(list(map(abs, ins)), 90), "ms", 0)
    yield Figure("cue_in_frame", f"cue begin within a frame ({FRAME_MS} ms)", share(list(map(abs, ins)), FRAME_MS), "%")
    yield Figure("cue_out_bias", "cue end, median lateness", middle_of(outs), "ms", 0)
    yield Figure("cue_out_early", "cue ends before the sound does", share(outs, -FRAME_MS), "%")


def _by_cues(comparison: Comparison, normalise: Normaliser) -> Comparison:
    """Return the comparison with the cues as the utterances of the system."""
    spoken = tuple(
        Utterance(words_in(" ".join(cue.lines)), Span(cue.start_ms, cue.end_ms)) for cue in comparison.hypothesis.cues
    )
    return compare(
        comparison.name,
        comparison.reference,
        replace(comparison.hypothesis, utterances=spoken),
        normalise,
    )


def _lateness(comparison: Comparison, *, is_start: bool) -> Iterator[int]:
    """Yield by how many ms each cue begins after its first word does, or ends after its last word does."""
    hits = {edit.heard: edit.said for edit in comparison.counted if edit.kind == "hit"}
    sounds = dict(_sounds(comparison, is_start))
    for place in _edges(comparison.heard, is_start):
        cue = comparison.hypothesis.cues[comparison.heard[place].utterance]
        sound = sounds.get(hits.get(place, -1))
        if sound is not None:
            yield (cue.start_ms if is_start else cue.end_ms) - sound


def _edges(words: Sequence[ScoredWord], is_start: bool) -> Iterator[int]:
    """Yield the places of the words that begin an utterance, or that end one."""
    for place, word in enumerate(words):
        beside = place - 1 if is_start else place + 1
        if not 0 <= beside < len(words) or words[beside].utterance != word.utterance:
            yield place


def _sounds(comparison: Comparison, is_start: bool) -> Iterator[tuple[int, int]]:
    """Yield the places of the reference's words of which it is known when their sound begins, or ends, and that."""
    edges = set(_edges(comparison.said, is_start))
    for place, word in enumerate(comparison.said):
        whole = comparison.reference.utterances[word.utterance].span if place in edges else None
        span = word.span if word.is_exact else whole
        if span:
            yield place, span.start_ms if is_start else span.end_ms


MEASURE = Measure("cue times", lacks, measure)
