"""Score what was heard in a composed recording against what it holds.

Texts are compared word by word, after Whisper's normaliser, by one alignment of the whole recording (jiwer). What is
heard in a stretch where the reference lacks something is free (the optional words of NIST's scoring).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import accumulate, chain, pairwise
from typing import NamedTuple

import jiwer

from bench.heard import Heard, HeardWord
from bench.reference import Piece, Reference
from bench.scoring import normaliser

JOIN_MS = 300  # windows that are no further apart have no pause between them
RESAMPLED = 1000


class Said(NamedTuple):
    """A normalised word of the reference, with the number of its piece."""

    text: str
    piece: int


@dataclass(frozen=True)
class Alignment:
    """Which word of the reference is which word heard: None where it was missed, and those that nobody said."""

    said: list[Said]
    heard: list[HeardWord]
    places: list[int | None]  # for each word said, the word heard in its place
    added: list[int]  # words heard that nobody said, without those that are free

    def is_right(self, number: int) -> bool:
        place = self.places[number]
        return place is not None and self.said[number].text == self.heard[place].text


@dataclass
class Count:
    """Words said, and the errors in them."""

    words: int = 0
    substituted: int = 0
    deleted: int = 0
    inserted: int = 0

    @property
    def errors(self) -> int:
        return self.substituted + self.deleted + self.inserted


@dataclass
class Score:
    """The figures of one engine on one recording."""

    engine: str
    wer: float
    words: int
    substituted: int
    deleted: int
    inserted: int
    placed: int  # words of the reference that some decoding could place
    under_a_cue: float  # % of them
    outside_s: float  # shown where nobody speaks
    silent_min: float  # minutes where nobody speaks
    invented: int  # words there
    by_kind: dict[str, dict[str, int]]
    right_over_music: dict[str, float] = field(default_factory=dict)  # % of the words, by dB
    decoded_s: float = 0.0
    windows: int = 0
    doubtful: int = 0
    unheard_s: float = 0.0
    lost_at_joins: int = 0
    doubled_at_joins: int = 0
    cpu_s: float = 0.0

    @property
    def invented_a_minute(self) -> float:
        return self.invented / self.silent_min if self.silent_min else 0.0


# --- Words


def words_of(reference: Reference) -> list[Said]:
    normalise = normaliser(reference.language)
    return [
        Said(word, number) for number, piece in enumerate(reference.spoken) for word in normalise(piece.text).split()
    ]


def words_heard(heard: Heard, language: str) -> list[HeardWord]:
    """Return normalised words, each with the time of the word that stands in its place in the segment."""
    normalise = normaliser(language)
    return list(
        chain.from_iterable(
            _timed(normalise("".join(_spaced(segment))).split(), segment) for segment in heard.segments if segment
        )
    )


def _spaced(segment: Sequence[HeardWord]) -> Iterator[str]:
    return (word.text if word.text.startswith(" ") else f" {word.text}" for word in segment)


def _timed(words: Sequence[str], segment: Sequence[HeardWord]) -> Iterator[HeardWord]:
    ends = list(accumulate(len(word.text) for word in segment))
    middles = [end - len(word) / 2 for word, end in zip(words, accumulate(map(len, words)), strict=True)]
    scale = ends[-1] / max(1, sum(map(len, words)))
    for word, middle in zip(words, middles, strict=True):
        own = next((one for one, end in zip(segment, ends, strict=True) if middle * scale <= end), segment[-1])
        yield HeardWord(word, own.start_ms, own.end_ms)


def align(reference: Reference, heard: Heard) -> Alignment:
    said, words = words_of(reference), words_heard(heard, reference.language)
    places: list[int | None] = [None] * len(said)
    added: list[int] = []
    for chunk in _chunks([one.text for one in said], [one.text for one in words]):
        if chunk.type == "insert":
            added += range(chunk.hyp_start_idx, chunk.hyp_end_idx)
        elif chunk.type != "delete":
            places[chunk.ref_start_idx : chunk.ref_end_idx] = range(chunk.hyp_start_idx, chunk.hyp_end_idx)
    free = [number for number in added if _inside(middle(words[number]), reference.optional)]
    return Alignment(said, words, places, [number for number in added if number not in set(free)])


def _chunks(said: list[str], heard: list[str]) -> list[jiwer.AlignmentChunk]:
    if not said:
        return [jiwer.AlignmentChunk("insert", 0, 0, 0, len(heard))] if heard else []
    return jiwer.process_words(" ".join(said), " ".join(heard)).alignments[0]


# --- Times


def middle(word: HeardWord) -> int:
    return (word.start_ms + word.end_ms) // 2


def _inside(moment: int, spans: Iterable[tuple[int, int]]) -> bool:
    return any(start <= moment < end for start, end in spans)


def union(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def length(spans: Iterable[tuple[int, int]]) -> int:
    return sum(end - start for start, end in spans)


def common(one: Sequence[tuple[int, int]], other: Sequence[tuple[int, int]]) -> int:
    return sum(max(0, min(a[1], b[1]) - max(a[0], b[0])) for a in one for b in other)


def spoken(reference: Reference) -> list[tuple[int, int]]:
    return union((piece.start_ms, piece.end_ms) for piece in reference.spoken)


def placed(alignments: Iterable[Alignment], reference: Reference) -> dict[int, int]:
    """Return the middles of the words of the reference that any decoding with word times got right, where it did."""
    pieces, found = reference.spoken, {}
    for alignment in alignments:
        for number, one in enumerate(alignment.said):
            place = alignment.places[number]
            if place is None or number in found or not alignment.is_right(number):
                continue
            moment, piece = middle(alignment.heard[place]), pieces[one.piece]
            if piece.start_ms <= moment < piece.end_ms:
                found[number] = moment
    return found


# --- Scores


def score(reference: Reference, heard: Heard, places: dict[int, int]) -> Score:
    alignment = align(reference, heard)
    kinds = count_by_kind(alignment, reference)
    total = Count(**{name: sum(asdict(one)[name] for one in kinds.values()) for name in asdict(Count())})
    voices, shown = spoken(reference), union(heard.shown)
    lost, doubled = at_joins(alignment, heard.windows)
    return Score(
        heard.engine,
        round(100 * total.errors / max(1, total.words), 2),
        **asdict(total),
        placed=len(places),
        under_a_cue=round(100 * sum(_inside(moment, shown) for moment in places.values()) / max(1, len(places)), 2),
        outside_s=round((length(shown) - common(shown, voices)) / 1000, 1),
        silent_min=round((reference.duration_ms - length(voices)) / 60_000, 2),
        invented=sum(not _inside(middle(alignment.heard[number]), voices) for number in alignment.added),
        by_kind={kind: asdict(one) for kind, one in sorted(kinds.items())},
        right_over_music=over_music(alignment, reference.spoken),
        decoded_s=round(heard.decoded_ms / 1000, 1),
        windows=len(heard.windows),
        doubtful=heard.doubtful,
        unheard_s=round(heard.unheard_ms / 1000, 1),
        lost_at_joins=lost,
        doubled_at_joins=doubled,
        cpu_s=heard.cpu_seconds,
    )


def piece_at(moment: int, pieces: Sequence[Piece]) -> Piece | None:
    """Return the piece at a moment: what is said before the bed that lies under it."""
    here = [piece for piece in pieces if piece.start_ms <= moment < piece.end_ms]
    return max(here, key=lambda piece: bool(piece.text), default=None)


def count_by_kind(alignment: Alignment, reference: Reference) -> dict[str, Count]:
    """Count words and errors for each kind of piece; what nobody said belongs to the kind at its time."""
    counts: dict[str, Count] = {}
    for number, one in enumerate(alignment.said):
        count = counts.setdefault(reference.spoken[one.piece].kind, Count())
        count.words += 1
        if alignment.places[number] is None:
            count.deleted += 1
        elif not alignment.is_right(number):
            count.substituted += 1
    for number in alignment.added:
        piece = piece_at(middle(alignment.heard[number]), reference.pieces)
        counts.setdefault(piece.kind if piece else "pause", Count()).inserted += 1
    return counts


def over_music(alignment: Alignment, pieces: Sequence[Piece]) -> dict[str, float]:
    """Return the share of words that are right, in %, by the level of speech over the music under it, in dB."""
    words, right = Counter[float](), Counter[float]()
    for number, one in enumerate(alignment.said):
        snr = pieces[one.piece].snr_db
        if snr is not None:
            words[snr] += 1
            right[snr] += alignment.is_right(number)
    return {f"{snr:.0f}": round(100 * right[snr] / words[snr], 1) for snr in sorted(words, reverse=True)}


def at_joins(alignment: Alignment, windows: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Count the words that are lost and doubled where one window follows another without a pause."""
    joins = [end for (_, end), (start, _) in pairwise(sorted(windows)) if start - end < JOIN_MS]
    heard = alignment.heard

    def over_a_join(before: int, after: int) -> bool:
        return (
            0 <= before
            and after < len(heard)
            and any(middle(heard[before]) < join <= middle(heard[after]) for join in joins)
        )

    lost, last = 0, -1
    for place in alignment.places:
        lost += place is None and over_a_join(last, last + 1)
        last = last if place is None else place
    doubled = sum(
        any(
            over_a_join(one, one + 1) and heard[one].text == heard[one + 1].text
            for one in (number - 1, number)
            if 0 <= one < len(heard) - 1
        )
        for number in alignment.added
    )
    return lost, doubled


def interval(one: Alignment, other: Alignment, reference: Reference) -> tuple[float, float, float]:
    """Return the difference of two word error rates in points, with its interval of 95 % by resampling the pieces."""
    words = Counter(said.piece for said in one.said)
    errors = [_errors_by_piece(alignment, reference) for alignment in (one, other)]
    generator, pieces = random.Random(1), range(len(reference.spoken))

    def difference(picked: Sequence[int]) -> float:
        said = sum(words[number] for number in picked)
        return 100 * sum(errors[0][number] - errors[1][number] for number in picked) / max(1, said)

    drawn = sorted(difference(generator.choices(pieces, k=len(pieces))) for _ in range(RESAMPLED))
    return round(difference(pieces), 2), round(drawn[RESAMPLED // 40], 2), round(drawn[-RESAMPLED // 40], 2)


def _errors_by_piece(alignment: Alignment, reference: Reference) -> Counter[int]:
    """Count errors; a word that nobody said counts in the piece that is spoken nearest."""
    errors = Counter(one.piece for number, one in enumerate(alignment.said) if not alignment.is_right(number))
    for number in alignment.added:
        moment = middle(alignment.heard[number])
        nearest = min(
            enumerate(reference.spoken), key=lambda item: max(item[1].start_ms - moment, moment - item[1].end_ms)
        )
        errors[nearest[0]] += 1
    return errors
