"""Word times on the edges of the sound: without the recogniser's bias, at pauses where sound ends and begins.

Whisper gives the silence of a pause to a word beside it. Where it is quiet between the middles of two words, the
first ends where the quiet begins and the second begins where it ends. Words in noise or music, where nothing is quiet,
are left alone.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, islice, pairwise

from msgspec.structs import replace

from sutradhar.pipeline.errors import UsageError
from sutradhar.stages.alignment.durations import weighed
from sutradhar.stages.sound.quiet import QUIET_MS
from sutradhar.stages.text.word_times import SHORTEST_MS, in_order, moved
from sutradhar.stages.transcript import Segment, Span, Word

FURTHEST_MS = 400  # that an edge is moved
ATTACK_MS = 20  # a soft consonant begins so long before it is loud enough (chosen like the constants of `quiet`)
WORD_MS, LETTER_MS = 400, 120  # no word takes longer, by a slow speaker
CROWDED_MS = 60  # a word with less room is given some of its neighbours'


def check(wanted: str) -> None:
    """Check ALIGNMENT_MODEL where there is no wav2vec2. Raises UsageError for a folder."""
    if wanted not in ("auto", "edges", "none"):
        raise UsageError(f"ALIGNMENT_MODEL={wanted}: only films are aligned by a model; give auto, edges or none")


def on_edges(
    segments: Sequence[Segment], quiet: Mapping[str, Sequence[Span]], clip: Span, early_ms: int
) -> tuple[Segment, ...]:
    """Return segments with their words on the edges of the sound, in the same order, inside the `clip`.

    `quiet` has the stretches of quiet in the sound of each speaker (see `quiet_spans`); the words are `early_ms`
    early."""
    better: dict[int, Segment] = {}
    for speaker in dict.fromkeys(segment.speaker for segment in segments):
        own = [number for number, segment in enumerate(segments) if segment.speaker == speaker]
        words = [word for number in own for word in segments[number].words]
        left = iter(words_on_edges(words, quiet.get(speaker, ()), clip, early_ms))
        better |= {number: _with(segments[number], left) for number in own}
    return tuple(better[number] for number in range(len(segments)))


def _with(segment: Segment, left: Iterator[Word]) -> Segment:
    """Return the segment with the first words that are left."""
    words = tuple(islice(left, len(segment.words)))
    return replace(segment, words=words, start_ms=words[0].start_ms, end_ms=words[-1].end_ms) if words else segment


def words_on_edges(words: Sequence[Word], quiet: Sequence[Span], clip: Span, early_ms: int) -> tuple[Word, ...]:
    """Return the words of one speaker with better times, in order and without overlap."""
    later = [moved(word, word.start_ms + early_ms, word.end_ms + early_ms) for word in words]
    snapped = [_within_speech(word, quiet) for word in _snapped(later, quiet, clip)]
    ordered = in_order(snapped, clip.start_ms, clip.end_ms)
    spread = in_order(_spread(ordered, quiet, clip), clip.start_ms, clip.end_ms)
    return in_order(weighed(spread), clip.start_ms, clip.end_ms)


# --- Pauses


def _snapped(words: Sequence[Word], quiet: Sequence[Span], clip: Span) -> list[Word]:
    middles = [clip.start_ms, *((word.start_ms + word.end_ms) // 2 for word in words), clip.end_ms]
    pauses = [_pauses(quiet, *between) for between in pairwise(middles)]
    return [_moved_to(word, before, after) for word, (before, after) in zip(words, pairwise(pauses), strict=True)]


def _pauses(quiet: Sequence[Span], begin_ms: int, end_ms: int) -> list[Span]:
    """Return what is quiet for long enough from one moment to another, whole."""
    return [
        one
        for one in _touching(quiet, begin_ms, end_ms)
        if min(one.end_ms, end_ms) - max(one.start_ms, begin_ms) >= QUIET_MS
    ]


def _touching(quiet: Sequence[Span], begin_ms: int, end_ms: int) -> Iterator[Span]:
    for number in range(bisect_left(quiet, begin_ms, key=lambda one: one.end_ms), len(quiet)):
        if quiet[number].start_ms >= end_ms:
            return
        yield quiet[number]


def _moved_to(word: Word, before: Sequence[Span], after: Sequence[Span]) -> Word:
    """Return the word from the last edge in reach at which sound begins before it, to the first at which it ends."""
    sounds = (one.end_ms - ATTACK_MS for one in before)
    begins = [sound for sound in sounds if sound < word.end_ms and _near(sound, word.start_ms)]
    ends = [one.start_ms for one in after if one.start_ms > word.start_ms and _near(one.start_ms, word.end_ms)]
    return moved(word, max(begins, default=word.start_ms), min(ends, default=word.end_ms))


def _near(edge_ms: int, time_ms: int) -> bool:
    return abs(edge_ms - time_ms) <= FURTHEST_MS


def _within_speech(word: Word, quiet: Sequence[Span]) -> Word:
    """Return a word that takes longer than anybody speaks as long as the longest sound in it."""
    if word.end_ms - word.start_ms <= WORD_MS + LETTER_MS * len(word.text.strip()):
        return word
    inside = list(_touching(quiet, word.start_ms, word.end_ms))
    begins = [word.start_ms, *(one.end_ms for one in inside)]
    ends = [*(one.start_ms for one in inside), word.end_ms]
    begin, end = max(zip(begins, ends, strict=True), key=lambda part: part[1] - part[0])
    return moved(word, begin, end) if begin < end else word


# --- Collapsed runs


def _spread(words: Sequence[Word], quiet: Sequence[Span], clip: Span) -> list[Word]:
    """Spread runs of words without length over the speech that they lie in."""
    spread = list(words)
    for first, end in _collapsed(words):
        before = words[first - 1].end_ms if first else clip.start_ms
        after = words[end].start_ms if end < len(words) else clip.end_ms
        begin, stop = _speech(words[first].start_ms, words[end - 1].end_ms, before, after, quiet)
        if stop - begin < CROWDED_MS * (end - first):
            first, end, begin, stop = _with_neighbours(words, first, end, begin, stop)
        spread[first:end] = _shared(words[first:end], begin, stop)
    return spread


def _collapsed(words: Sequence[Word]) -> Iterator[tuple[int, int]]:
    """Yield the first of each run of words as short as can be, two at least, and the one after its last."""
    first = 0
    for end in range(1, len(words) + 1):
        if end == len(words) or words[end].end_ms - words[end].start_ms > SHORTEST_MS:
            if end - first >= 2:
                yield first, end
            first = end + 1
        elif words[first].end_ms - words[first].start_ms > SHORTEST_MS:
            first = end


def _speech(start_ms: int, end_ms: int, before_ms: int, after_ms: int, quiet: Sequence[Span]) -> tuple[int, int]:
    """Return the sound around a run, as far as edges are moved and the words beside it allow."""
    begin, end = max(before_ms, start_ms - FURTHEST_MS), min(after_ms, end_ms + FURTHEST_MS)
    for one in _touching(quiet, begin, end):
        if one.end_ms <= end_ms:
            begin = max(begin, min(one.end_ms, start_ms))
        elif one.start_ms >= start_ms:
            end = min(end, max(one.start_ms, end_ms))
    return begin, end


def _with_neighbours(
    words: Sequence[Word], first: int, end: int, begin_ms: int, end_ms: int
) -> tuple[int, int, int, int]:
    """Take in the words that touch a run, and their time."""
    if first and words[first - 1].end_ms == begin_ms:
        first, begin_ms = first - 1, words[first - 1].start_ms
    if end < len(words) and words[end].start_ms == end_ms:
        end, end_ms = end + 1, words[end].end_ms
    return first, end, begin_ms, end_ms


def _shared(words: Sequence[Word], begin_ms: int, end_ms: int) -> list[Word]:
    """Share time out to words by their characters."""
    shares = [0, *accumulate(len(word.text.strip()) or 1 for word in words)]
    times = [begin_ms + share * (end_ms - begin_ms) // shares[-1] for share in shares]
    return [moved(word, begin, end) for word, (begin, end) in zip(words, pairwise(times), strict=True)]
