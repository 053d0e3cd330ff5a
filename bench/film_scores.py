"""Score what was heard in a composed recording against what it holds.

Texts are compared as `sutradhar eval` does it, word by word, by one alignment of the whole recording. What is heard
beyond the text in a stretch where the reference lacks something is free (the optional words of NIST's scoring).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise

from bench.heard import Heard, HeardWord
from bench.reference import Piece, Reference
from bench.scoring import normaliser
from sutradhar.stages.evaluate.alignment import Edit
from sutradhar.stages.evaluate.comparing import Comparison, compare
from sutradhar.stages.evaluate.figures import ratio
from sutradhar.stages.evaluate.measures.errors import error_of
from sutradhar.stages.evaluate.placing import with_places
from sutradhar.stages.evaluate.spans import Cover, common, joined, length_ms, middle
from sutradhar.stages.evaluate.units import parts_of
from sutradhar.stages.evaluate.version import IGNORE, SpokenWord, Utterance, Version, words_in
from sutradhar.stages.transcript import Span

JOIN_MS = 300  # windows that are no further apart have no pause between them


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


def align(reference: Reference, heard: Heard) -> Comparison:
    return compare(heard.engine, said_in(reference), _version(heard), normaliser(reference.language))


def said_in(reference: Reference) -> Version:
    """Return what is said in a recording: a piece is an utterance."""
    said = [Utterance(words_in(piece.text), Span(piece.start_ms, piece.end_ms)) for piece in reference.spoken]
    optional = [Utterance((SpokenWord(IGNORE),), Span(*span)) for span in reference.optional]
    return Version((*said, *optional), duration_ms=reference.duration_ms)


def _version(heard: Heard) -> Version:
    return Version(tuple(_utterance(segment, heard.exact) for segment in heard.segments if segment))


def _utterance(segment: Sequence[HeardWord], exact: bool) -> Utterance:
    spans = [Span(word.start_ms, word.end_ms) for word in segment]
    words = (SpokenWord(word.text.strip(), span if exact else None) for word, span in zip(segment, spans, strict=True))
    return Utterance(tuple(words), Span(spans[0].start_ms, max(span.end_ms for span in spans)))


def placed(comparisons: Sequence[Comparison]) -> list[int]:
    """Return the middles of the words of the reference that any decoding got right, where it did."""
    return [middle(place) for place in with_places(comparisons)[0].places if place] if comparisons else []


def outside_s(spans: Iterable[Span], reference: Reference) -> float:
    """Return the seconds of the spans where nobody speaks."""
    marked = joined(spans)
    return round((length_ms(marked) - length_ms(common(marked, said_in(reference).spoken))) / 1000, 1)


def _moment(comparison: Comparison, edit: Edit) -> int:
    span = comparison.heard[edit.heard].span
    return middle(span) if span else 0


# --- Scores


def score(reference: Reference, comparison: Comparison, heard: Heard, places: Sequence[int]) -> Score:
    kinds = count_by_kind(comparison, reference)
    total = Count(**{name: sum(asdict(one)[name] for one in kinds.values()) for name in asdict(Count())})
    voices, shown = Cover(said_in(reference).spoken), Cover(Span(*span) for span in heard.shown)
    added = [edit for edit in comparison.counted if edit.kind == "insertion"]
    lost, doubled = at_joins(comparison, heard.windows)
    return Score(
        heard.engine,
        round(100 * total.errors / max(1, total.words), 2),
        **asdict(total),
        placed=len(places),
        under_a_cue=round(100 * sum(map(shown.has, places)) / max(1, len(places)), 2),
        outside_s=outside_s(shown.spans, reference),
        silent_min=round((reference.duration_ms - length_ms(voices.spans)) / 60_000, 2),
        invented=sum(not voices.has(_moment(comparison, edit)) for edit in added),
        by_kind={kind: asdict(one) for kind, one in sorted(kinds.items())},
        right_over_music=over_music(comparison, reference.spoken),
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


def count_by_kind(comparison: Comparison, reference: Reference) -> dict[str, Count]:
    """Count words and errors for each kind of piece; what nobody said belongs to the kind at its time."""
    counts: dict[str, Count] = {}
    for edit in comparison.counted:
        if edit.kind == "insertion":
            piece = piece_at(_moment(comparison, edit), reference.pieces)
            counts.setdefault(piece.kind if piece else "pause", Count()).inserted += 1
            continue
        count = counts.setdefault(reference.spoken[comparison.utterance_of(edit)].kind, Count())
        count.words += 1
        count.deleted += edit.kind == "deletion"
        count.substituted += edit.kind == "substitution"
    return counts


def over_music(comparison: Comparison, pieces: Sequence[Piece]) -> dict[str, float]:
    """Return the share of words that are right, in %, by the level of speech over the music under it, in dB."""
    words, right = Counter[float](), Counter[float]()
    for edit in comparison.counted:
        snr = pieces[comparison.utterance_of(edit)].snr_db if edit.kind != "insertion" else None
        if snr is not None:
            words[snr] += 1
            right[snr] += edit.kind == "hit"
    return {f"{snr:.0f}": round(100 * right[snr] / words[snr], 1) for snr in sorted(words, reverse=True)}


def at_joins(comparison: Comparison, windows: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Count the words that are lost and doubled where one window follows another without a pause."""
    joins = [end for (_, end), (start, _) in pairwise(sorted(windows)) if start - end < JOIN_MS]
    heard = [(word.text, middle(word.span) if word.span else 0) for word in comparison.heard]

    def over_a_join(before: int, after: int) -> bool:
        return 0 <= before and after < len(heard) and any(heard[before][1] < join <= heard[after][1] for join in joins)

    lost = sum(over_a_join(edit.heard - 1, edit.heard) for edit in comparison.counted if edit.kind == "deletion")
    doubled = sum(
        any(
            over_a_join(one, one + 1) and heard[one][0] == heard[one + 1][0]
            for one in (edit.heard - 1, edit.heard)
            if 0 <= one < len(heard) - 1
        )
        for edit in comparison.counted
        if edit.kind == "insertion"
    )
    return lost, doubled


def interval(one: Comparison, other: Comparison) -> tuple[float, float, float] | None:
    """Return the difference of two word error rates in points, with its interval of 95 % by resampling the pieces."""
    first, second = (ratio("wer", "WER", parts_of([comparison], error_of)) for comparison in (one, other))
    return first.difference(second)
