"""The contract of IndicTrans2's engines: tokens of sentences to tokens of translations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sutradhar.stages.film.translate.indictrans2.tokenizer import PADDING, START
from sutradhar.stages.film.translate.translator import LONGEST, BeamSearch

__all__ = ["LONGEST", "NEVER", "BeamSearch", "Generator", "Hypothesis"]

NEVER = (START, PADDING)  # and the unknown token, which each engine forbids in its way


@dataclass(frozen=True)
class Hypothesis:
    pieces: tuple[str, ...]
    score: float  # sum of log-probs over the length to the power of the penalty; the end of the text counts in both


class Generator(Protocol):
    tokens_at_once: int  # of the sources of a batch, padding included, beyond which it would split the batch

    def generate(self, sentences: Sequence[Sequence[str]], search: BeamSearch) -> list[list[Hypothesis]]:
        """Return the translations of sentences of up to `LONGEST` tokens, in their order."""
        ...

    def score(self, sentences: Sequence[Sequence[str]], translations: Sequence[Sequence[str]]) -> list[list[float]]:
        """Return the log-prob of each token of a given translation, its end included."""
        ...
