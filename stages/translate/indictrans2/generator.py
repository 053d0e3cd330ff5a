"""What an engine of IndicTrans2 does: tokens of sentences to tokens of translations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from stages.translate.indictrans2.tokenizer import PADDING, START

NEVER = (START, PADDING)  # the unknown token too
LONGEST = 256  # tokens of a sentence or translation that a checkpoint knows


@dataclass(frozen=True)
class Search:
    beams: int = 5
    patience: float = 2.0  # as many ended translations as this times the beams end a search; with 1 poor ones may end it before the best does
    length_penalty: float = 1.0
    hypotheses: int = 1  # translations of each sentence, the best first
    unrepeated: int = 0  # no run of so many tokens comes twice; 0 allows any
    limit: int = LONGEST  # tokens of a translation

    @property
    def enough(self) -> int:
        """How many ended translations end a search."""
        return max(1, round(self.beams * self.patience)) if self.beams > 1 else 1


@dataclass(frozen=True)
class Hypothesis:
    pieces: tuple[str, ...]
    score: float  # sum of log-probs over the length to the power of the penalty; the end of the text counts in both


class Generator(Protocol):
    def generate(self, sentences: Sequence[Sequence[str]], search: Search) -> list[list[Hypothesis]]:
        """The translations of sentences of up to `LONGEST` tokens, in their order."""
        ...

    def score(self, sentences: Sequence[Sequence[str]], translations: Sequence[Sequence[str]]) -> list[list[float]]:
        """The log-prob of each token of a given translation, its end included."""
        ...
