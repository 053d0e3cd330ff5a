"""A reference and a system's version of one recording, their words aligned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from sutradhar.stages.evaluate.alignment import Edit, align
from sutradhar.stages.evaluate.normalise import Normaliser
from sutradhar.stages.evaluate.scored import ScoredWord, scored_words
from sutradhar.stages.evaluate.spans import Cover, middle
from sutradhar.stages.evaluate.version import Version
from sutradhar.stages.transcript import Span


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
    """Align the words of both sides. What a system has in brackets is no speech, and what it has beyond the
    reference where anything may be heard is free."""
    said = scored_words(reference, normalise)
    heard = tuple(word for word in scored_words(hypothesis, normalise) if not word.is_optional)
    ignored = Cover(reference.ignored)
    edits = tuple(_freed(edit, heard, ignored) for edit in align(said, heard))
    return Comparison(name, reference, hypothesis, said, heard, edits)


def _freed(edit: Edit, heard: Sequence[ScoredWord], ignored: Cover) -> Edit:
    span = heard[edit.heard].span if edit.kind == "insertion" else None
    return replace(edit, is_free=True) if span and ignored.has(middle(span)) else edit
