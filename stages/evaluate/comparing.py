"""A reference and a system's version of one recording, their words aligned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from sutradhar.stages.evaluate.normalise import Normaliser
from sutradhar.stages.evaluate.scored import ScoredWord, scored_words, text_of
from sutradhar.stages.evaluate.spans import Cover, middle
from sutradhar.stages.evaluate.version import Version
from sutradhar.stages.transcript import Span

Kind = Literal["hit", "substitution", "deletion", "insertion"]
_KINDS: dict[str, Kind] = {
    "equal": "hit",
    "substitute": "substitution",
    "delete": "deletion",
    "insert": "insertion",
}


@dataclass(frozen=True)
class Edit:
    """A step of the alignment. `said` and `heard` are the words' places; where there is no word, that of the next.
    A free one counts neither as an error nor as a word."""

    kind: Kind
    said: int
    heard: int
    is_free: bool = False

    @property
    def is_error(self) -> bool:
        return not self.is_free and self.kind != "hit"


@dataclass(frozen=True)
class Comparison:
    """One recording: `said` are the words of the reference, `heard` those of the system. `places` tells for each word
    of the reference when it is said, as far as the reference or any of the systems knows (`placing`)."""

    name: str
    reference: Version
    hypothesis: Version
    said: tuple[ScoredWord, ...]
    heard: tuple[ScoredWord, ...]
    edits: tuple[Edit, ...]
    places: tuple[Span | None, ...] = ()

    @cached_property
    def counted(self) -> tuple[Edit, ...]:
        """Return the steps that count."""
        return tuple(edit for edit in self.edits if not edit.is_free)

    @property
    def end_ms(self) -> int:
        """Return the end of the recording, as far as either side knows it."""
        return self.reference.duration_ms or max(self.reference.end_ms, self.hypothesis.end_ms)

    def utterance_of(self, edit: Edit) -> int:
        """Return the utterance of the reference that a step belongs to: for an insertion, that of the word before
        it."""
        if not self.said:
            return 0
        place = max(0, edit.said - 1) if edit.kind == "insertion" else edit.said
        return self.said[place].utterance


def compare(name: str, reference: Version, hypothesis: Version, normalise: Normaliser) -> Comparison:
    """Align the words of both sides. What a system has in brackets is no speech."""
    said, ignored = scored_words(reference, normalise), Cover(reference.ignored)
    heard = tuple(
        word
        for word in scored_words(hypothesis, normalise)
        if not word.is_optional and not (word.span and ignored.has(middle(word.span)))
    )
    return Comparison(name, reference, hypothesis, said, heard, tuple(align(said, heard)))


def align(said: Sequence[ScoredWord], heard: Sequence[ScoredWord]) -> Iterator[Edit]:
    """Yield the fewest steps from one to the other. What is heard in place of optional words, or beside them, is
    free."""
    import jiwer

    (chunks,) = jiwer.process_words(text_of(said), text_of(heard)).alignments
    for chunk in chunks:
        kind = _KINDS[chunk.type]
        for step in range(max(chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx)):
            place = chunk.ref_start_idx + (0 if kind == "insertion" else step)
            other = chunk.hyp_start_idx + (0 if kind == "deletion" else step)
            yield Edit(kind, place, other, _is_free(kind, place, said))


def _is_free(kind: Kind, place: int, said: Sequence[ScoredWord]) -> bool:
    beside = said[max(0, place - 1) : place + 1] if kind == "insertion" else said[place : place + 1]
    return any(word.is_optional for word in beside)
