"""Utterances out of words that have nothing but times: a pause parts them."""

from __future__ import annotations

from collections.abc import Sequence

from sutradhar.stages.evaluate.version import SpokenWord, Utterance
from sutradhar.stages.transcript import Span

PAUSE_MS = 300  # between two words; shorter ones are stops inside speech


def utterances_of(words: Sequence[SpokenWord], speaker: str = "") -> tuple[Utterance, ...]:
    groups: list[list[SpokenWord]] = []
    for word in words:
        if not groups or _parts(groups[-1][-1].span, word.span):
            groups.append([])
        groups[-1].append(word)
    return tuple(Utterance(tuple(group), _span(group), speaker) for group in groups)


def _parts(before: Span | None, after: Span | None) -> bool:
    return before is not None and after is not None and after.start_ms - before.end_ms >= PAUSE_MS


def _span(words: Sequence[SpokenWord]) -> Span | None:
    spans = [word.span for word in words if word.span]
    return Span(spans[0].start_ms, max(span.end_ms for span in spans)) if spans else None
