"""The contract of translators: their input and output.

To add one: a package beside `indictrans2` with `open_engine(settings, model) -> BatchTranslator` in its `engine.py`
and a description, `ABOUT`, in its `about.py`, and its name in `NAMES` of `registry.py`. Without models in the
description, `model` is None. What the description says takes effect everywhere: settings, `--help`, checks, markers,
labels. `tests/stages/film/translate/test_new_translator.py` adds one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

LONGEST = 256  # tokens of a sentence or translation


@dataclass(frozen=True)
class BeamSearch:
    beams: int = 5
    # times the beams: so many ended translations end a search; with 1 poor ones may end it before the best does
    patience: float = 2.0
    length_penalty: float = 1.0
    hypotheses: int = 1  # translations of each sentence, the best first
    unrepeated: int = 0  # no run of so many tokens comes twice; 0 allows any
    limit: int = LONGEST  # tokens of a translation

    @property
    def enough(self) -> int:
        """Return how many ended translations end a search."""
        return max(1, round(self.beams * self.patience)) if self.beams > 1 else 1


@dataclass(frozen=True)
class Translation:
    text: str
    score: float  # sum of the log-probs of its tokens over their number to the power of the length penalty


class Translator(Protocol):
    def translate(
        self,
        sentences: Sequence[str],
        source: str,
        target: str,
        search: BeamSearch,
        report: Callable[[int, int], None] = ...,
    ) -> list[list[Translation]]:
        """Return the translations of each sentence, the best first; none of a blank one, nor of one that is too long
        for the model.

        Languages are ISO 639 codes. `report` is told how many sentences are done, and of how many."""
        ...


class BatchTranslator(Protocol):
    def translate(
        self,
        sentences: Sequence[str],
        source: str,
        target: str,
        search: BeamSearch,
        report: Callable[[int, int], None] = ...,
        known: Mapping[int, list[Translation]] = ...,
        keep: Callable[[Mapping[int, list[Translation]]], None] = ...,
    ) -> list[list[Translation]]:
        """Translate as a `Translator` does. `keep` is given each batch when it is done, by the places of its
        sentences. A batch that is wholly `known` is not translated again: batches are the same whatever is known, and
        so are their results, to the last bit."""
        ...
