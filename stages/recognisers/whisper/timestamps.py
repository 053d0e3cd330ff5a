"""Whisper's own segments: text between the timestamp tokens that it writes when its prompt does not forbid them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise

from sutradhar.stages.recognisers.contract import AudioWindow, Phrase
from sutradhar.stages.recognisers.phrases import split_phrases
from sutradhar.stages.recognisers.whisper.words import spread
from sutradhar.stages.text.word_times import in_order
from sutradhar.stages.transcript import Span, Word

STEP_MS = 20  # between two timestamp tokens


def split_at_timestamps(tokens: Sequence[int], first_timestamp: int) -> list[tuple[int, int | None, list[int]]]:
    """Return begin and end of each piece of text in ms from the start of its window, and its tokens; no end: cut
    off."""
    pieces: list[tuple[int, int | None, list[int]]] = []
    begin, text = 0, list[int]()
    for token in tokens:
        if token < first_timestamp:
            text.append(token)
            continue
        time_ms = (token - first_timestamp) * STEP_MS
        if text:
            pieces.append((begin, time_ms, text))
        begin, text = time_ms, []
    return [*pieces, (begin, None, text)] if text else pieces


def timestamped_phrases(
    tokens: Sequence[int],
    first_timestamp: int,
    decode: Callable[[Sequence[int]], str],
    window: AudioWindow,
    probability: float,
) -> tuple[Phrase, ...]:
    """Yield the English phrases of a translation, whose words share the speech between two timestamps by their
    lengths."""
    groups: list[Sequence[Word]] = []
    for begin_ms, end_ms, text in split_at_timestamps(tokens, first_timestamp):
        begin = min(window.offset_ms + begin_ms, window.end_ms - 1)
        end = window.end_ms if end_ms is None else max(begin + 1, min(window.offset_ms + end_ms, window.end_ms))
        groups.append(spread(decode(text), clip(window.speech, begin, end) or (Span(begin, end),), probability))
    words = in_order([word for group in groups for word in group], window.offset_ms, window.end_ms)
    bounds = [0, *accumulate(map(len, groups))]
    return tuple(phrase for first, end in pairwise(bounds) for phrase in split_phrases(words[first:end], "en"))


def clip(spans: Sequence[Span], begin_ms: int, end_ms: int) -> tuple[Span, ...]:
    inside = (Span(max(span.start_ms, begin_ms), min(span.end_ms, end_ms)) for span in spans)
    return tuple(span for span in inside if span.start_ms < span.end_ms)
