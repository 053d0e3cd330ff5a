"""The fewest steps from the words of a reference to those of a system."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sutradhar.stages.evaluate.scored import ScoredWord, text_of

Kind = Literal["hit", "substitution", "deletion", "insertion"]
_KINDS: dict[str, Kind] = {
    "equal": "hit",
    "substitute": "substitution",
    "delete": "deletion",
    "insert": "insertion",
}
_ANCHOR = 3  # hits in a row that hold the alignment on both sides of optional words
_STEP, _FREE_STEP = 100, 99  # costs; of two alignments with as many steps, that with more that are free is right


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


def align(said: Sequence[ScoredWord], heard: Sequence[ScoredWord]) -> list[Edit]:
    """Return the steps. What is heard in place of optional words, or beside them, is free, and so is their absence."""
    edits = list(_fewest(said, heard))
    for begin, end in reversed(list(_windows(edits, said))):
        last = edits[end] if end < len(edits) else Edit("hit", len(said), len(heard))
        places = range(edits[begin].said, last.said), range(edits[begin].heard, last.heard)
        edits[begin:end] = _cheapest(said, heard, *places)
    return [replace(edit, is_free=_is_free(edit.kind, edit.said, said)) for edit in edits]


def _fewest(said: Sequence[ScoredWord], heard: Sequence[ScoredWord]) -> Iterator[Edit]:
    import jiwer

    (chunks,) = jiwer.process_words(text_of(said), text_of(heard)).alignments
    for chunk in chunks:
        kind = _KINDS[chunk.type]
        for step in range(max(chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx)):
            place = chunk.ref_start_idx + (0 if kind == "insertion" else step)
            yield Edit(kind, place, chunk.hyp_start_idx + (0 if kind == "deletion" else step))


def _is_free(kind: Kind, place: int, said: Sequence[ScoredWord]) -> bool:
    beside = said[max(0, place - 1) : place + 1] if kind == "insertion" else said[place : place + 1]
    return any(word.is_optional for word in beside)


def _windows(edits: Sequence[Edit], said: Sequence[ScoredWord]) -> Iterator[tuple[int, int]]:
    """Yield the bounds of the steps around optional words, up to what holds the alignment on both sides: there, other
    steps may be cheaper than the fewest."""
    done = 0
    for step, edit in enumerate(edits):
        if step >= done and _is_free(edit.kind, edit.said, said):
            begin, end = step, step + 1
            while begin > done and not _is_anchored(edits[max(done, begin - _ANCHOR) : begin], said):
                begin -= 1
            while end < len(edits) and not _is_anchored(edits[end : end + _ANCHOR], said):
                end += 1
            yield begin, end
            done = end


def _is_anchored(edits: Sequence[Edit], said: Sequence[ScoredWord]) -> bool:
    return len(edits) == _ANCHOR and all(edit.kind == "hit" and not said[edit.said].is_optional for edit in edits)


def _cheapest(said: Sequence[ScoredWord], heard: Sequence[ScoredWord], places: range, others: range) -> list[Edit]:
    """Return the cheapest steps between parts of both, by the algorithm of Wagner and Fischer (1974)."""
    costs = {(places.stop, others.stop): 0}
    best: dict[tuple[int, int], Edit] = {}
    for place in range(places.stop, places.start - 1, -1):
        for other in range(others.stop, others.start - 1, -1):
            for edit in _steps(said, heard, place, other):
                rest = costs.get(_after(edit))
                cost = None if rest is None else rest + _cost(edit, said)
                if cost is not None and cost < costs.get((place, other), cost + 1):
                    costs[place, other], best[place, other] = cost, edit
    found: list[Edit] = []
    at = (places.start, others.start)
    while at in best:
        found.append(best[at])
        at = _after(best[at])
    return found


def _steps(said: Sequence[ScoredWord], heard: Sequence[ScoredWord], place: int, other: int) -> Iterator[Edit]:
    if place < len(said) and other < len(heard):
        yield Edit("hit" if said[place].text == heard[other].text else "substitution", place, other)
    yield Edit("deletion", place, other)
    yield Edit("insertion", place, other)


def _after(edit: Edit) -> tuple[int, int]:
    """Return the places in both that a step leads to."""
    return edit.said + (edit.kind != "insertion"), edit.heard + (edit.kind != "deletion")


def _cost(edit: Edit, said: Sequence[ScoredWord]) -> int:
    if edit.kind == "hit" or (edit.kind == "deletion" and said[edit.said].is_optional):
        return 0
    return _FREE_STEP if _is_free(edit.kind, edit.said, said) else _STEP
