"""The times of the reference's words: their own, or those of the systems that heard them.

A reference mostly has times of utterances alone, whose spans hold pauses too. So the words of all systems that are
hits are pooled, where they lie in their utterance: a word's time is the median of theirs, of those that have times of
words where there are any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median_low

from sutradhar.stages.evaluate.alignment import Edit
from sutradhar.stages.evaluate.comparing import Comparison
from sutradhar.stages.evaluate.scored import ScoredWord
from sutradhar.stages.evaluate.spans import middle
from sutradhar.stages.transcript import Span

_SLACK_MS = 500  # a hit that is further from its utterance is a common word elsewhere


def with_places(systems: Sequence[Comparison]) -> list[Comparison]:
    """Return the comparisons of one recording with all systems, each with the times of the reference's words."""
    hits: list[list[ScoredWord]] = [[] for _ in systems[0].said]
    for comparison in systems:
        for edit in comparison.edits:
            if edit.kind == "hit" and _lies_in_utterance(comparison, edit):
                hits[edit.said].append(comparison.heard[edit.heard])
    places = tuple(
        word.span if word.is_exact else _pooled(found) for word, found in zip(systems[0].said, hits, strict=True)
    )
    return [replace(comparison, places=places) for comparison in systems]


def _lies_in_utterance(comparison: Comparison, edit: Edit) -> bool:
    span = comparison.heard[edit.heard].span
    whole = comparison.reference.utterances[comparison.said[edit.said].utterance].span
    return span is not None and (
        whole is None or whole.start_ms - _SLACK_MS <= middle(span) <= whole.end_ms + _SLACK_MS
    )


def _pooled(words: Sequence[ScoredWord]) -> Span | None:
    spans = [word.span for word in words if word.span and word.is_exact] or [word.span for word in words if word.span]
    if not spans:
        return None
    start_ms = median_low([span.start_ms for span in spans])
    return Span(start_ms, max(start_ms, median_low([span.end_ms for span in spans])))
