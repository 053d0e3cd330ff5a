"""The way from the alignment of tokens with sound to words with times.

The first three steps are OpenAI's Whisper (timing.py: find_alignment, add_word_timestamps, merge_punctuations) by
way of faster-whisper; the last two replace its guesses about pauses by what the speech detector knows.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from statistics import median

from sutradhar.stages.text.characters import CLOSING, COMMAS, STOPS
from sutradhar.stages.text.word_times import in_order, moved
from sutradhar.stages.transcript import Span, Word

FRAME_MS = 20  # of Whisper's encoder output
LONGEST_MEDIAN_MS = 700
LONG_SILENCE_MS = 500  # no word lies in or across a longer one
_JOINS_THE_NEXT = frozenset("\"'“¿([{-")
_JOINS_THE_LAST = frozenset(CLOSING + STOPS + COMMAS) - frozenset("|")
REPLACEMENT = "\ufffd"  # for bytes that make no character


@dataclass(frozen=True)
class Timing:
    """A word or a punctuation mark, from the start of its window."""

    text: str
    start_ms: int
    end_ms: int
    probability: float


def time_words(timings: Sequence[Timing], offset_ms: int, end_ms: int, speech: Sequence[Span]) -> tuple[Word, ...]:
    """Return words on the film's clock, in order and without overlap, from `offset_ms` to `end_ms`, inside the
    speech."""
    timings = merge_punctuation(shorten_at_sentence_ends(timings))
    words = [
        Word(timing.text, offset_ms + timing.start_ms, offset_ms + timing.end_ms, timing.probability)
        for timing in timings
    ]
    return in_order(snap_to_speech(words, speech), offset_ms, end_ms)


def from_alignment(
    words: Sequence[str],
    tokens: Sequence[Sequence[int]],
    alignment: Sequence[tuple[int, int]],
    probabilities: Sequence[float],
) -> list[Timing]:
    """Time words by pairs of (token, encoder frame), at least one for each token.

    The last word is the end of text: it says where the word before it ends, and is left out."""
    token_starts = [alignment[0][1]] + [frame for (before, _), (token, frame) in pairwise(alignment) if token != before]
    bounds = [0, *accumulate(len(word_tokens) for word_tokens in tokens[:-1])]
    return [
        Timing(
            text.replace(REPLACEMENT, ""),
            token_starts[first] * FRAME_MS,
            token_starts[end] * FRAME_MS,
            round(
                sum(probabilities[first:end]) / (end - first), 3
            ),  # further digits depend on what else is in the batch
        )
        for text, (first, end) in zip(words[:-1], pairwise(bounds), strict=True)
    ]


def shorten_at_sentence_ends(timings: Sequence[Timing]) -> list[Timing]:
    """Shorten pauses between sentences, which are aligned with the mark or the word beside them: allow each twice
    the median duration."""
    durations = [timing.end_ms - timing.start_ms for timing in timings if timing.end_ms > timing.start_ms]
    longest = 2 * min(LONGEST_MEDIAN_MS, int(median(durations))) if durations else 0
    shortened = list(timings[:1])
    for before, timing in pairwise(timings):
        if timing.end_ms - timing.start_ms > longest:
            if is_mark(timing.text, STOPS):
                timing = replace(timing, end_ms=timing.start_ms + longest)
            elif before.text.endswith(tuple(STOPS)):
                timing = replace(timing, start_ms=timing.end_ms - longest)
        shortened.append(timing)
    return shortened


def is_mark(text: str, marks: Container[str]) -> bool:
    """Tell whether the text is nothing but such marks."""
    return text != "" and all(character in marks for character in text)


def merge_punctuation(timings: Sequence[Timing]) -> list[Timing]:
    """Join marks to the words that they belong to, whose times stay as they are. Words without text are dropped."""
    merged: list[Timing] = []
    opening = ""
    for timing in timings:
        text = timing.text
        if text.startswith(" ") and is_mark(text.strip(), _JOINS_THE_NEXT):
            opening += text
        elif merged and not opening and is_mark(text, _JOINS_THE_LAST):
            merged[-1] = replace(merged[-1], text=merged[-1].text + text)
        elif opening + text:
            merged.append(replace(timing, text=opening + text))
            opening = ""
    if opening and merged:
        merged[-1] = replace(merged[-1], text=merged[-1].text + opening)
    return [timing for timing in merged if timing.text.strip()]


def snap_to_speech(words: Sequence[Word], speech: Sequence[Span]) -> list[Word]:
    """Keep words out of long silences: clip a word to the speech it shares most time with, or move it to the
    nearest."""
    islands = join(speech)
    return [_snap(word, islands) for word in words] if islands else list(words)


def join(speech: Sequence[Span]) -> list[Span]:
    """Return speech without its short pauses."""
    islands: list[Span] = []
    for span in speech:
        if islands and span.start_ms - islands[-1].end_ms <= LONG_SILENCE_MS:
            islands[-1] = Span(islands[-1].start_ms, span.end_ms)
        else:
            islands.append(span)
    return islands


def _snap(word: Word, islands: Sequence[Span]) -> Word:
    def shared(island: Span) -> int:  # time in common, or minus the distance
        return min(word.end_ms, island.end_ms) - max(word.start_ms, island.start_ms)

    island = max(islands, key=shared)
    inside = (
        island.start_ms <= word.start_ms <= word.end_ms <= island.end_ms
    )  # a word without length shares no time with anything
    if inside or shared(island) > 0:
        return moved(word, max(word.start_ms, island.start_ms), min(word.end_ms, island.end_ms))
    duration = min(word.end_ms - word.start_ms, island.end_ms - island.start_ms)
    if word.end_ms <= island.start_ms:
        return moved(word, island.start_ms, island.start_ms + duration)
    return moved(word, island.end_ms - duration, island.end_ms)


def spread(text: str, speech: Sequence[Span], probability: float) -> tuple[Word, ...]:
    """Spread the words of a text whose place is known only as a whole: each gets its share, by characters, of the
    time that is spoken."""
    pieces = re.findall(r"\s*\S+", text)
    total_ms = sum(span.end_ms - span.start_ms for span in speech)
    shares = [0, *accumulate(len(piece) for piece in pieces)]
    times = [share * total_ms // max(1, shares[-1]) for share in shares]
    words = [
        Word(piece, _film_time(begin, speech), _film_time(end, speech), probability)
        for piece, (begin, end) in zip(pieces, pairwise(times), strict=True)
    ]
    return in_order(snap_to_speech(words, speech), speech[0].start_ms, speech[-1].end_ms) if words else ()


def _film_time(spoken_ms: int, speech: Sequence[Span]) -> int:
    """Return the moment by which so much has been spoken."""
    for span in speech:
        if spoken_ms <= span.end_ms - span.start_ms:
            return span.start_ms + spoken_ms
        spoken_ms -= span.end_ms - span.start_ms
    return speech[-1].end_ms
