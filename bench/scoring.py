"""Error rates of texts, as `sutradhar eval` counts them, over files that are drawn anew for intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sutradhar.stages.evaluate.comparing import Comparison, compare
from sutradhar.stages.evaluate.figures import Figure
from sutradhar.stages.evaluate.measures import Conditions, errors
from sutradhar.stages.evaluate.normalise import NORMALISERS, Normaliser, normaliser_for
from sutradhar.stages.evaluate.version import Utterance, Version, words_in


@dataclass(frozen=True)
class Rates:
    """Rates in percent of the words and of the characters (spaces among them) of all references together."""

    wer: float
    cer: float


def rates(references: Sequence[str], texts: Sequence[str], language: str) -> Rates:
    return rates_in(figures(references, texts, language))


def rates_in(found: Mapping[str, Figure]) -> Rates:
    return Rates(*(found[key].value or 0.0 for key in ("wer", "cer")))


def figures(references: Sequence[str], texts: Sequence[str], language: str) -> dict[str, Figure]:
    """Return the figures by key, of the files whose reference has words."""
    pairs = enumerate(zip(references, texts, strict=True))
    comparisons = [_compared(str(number), *pair, language) for number, pair in pairs]
    said = [comparison for comparison in comparisons if comparison.said]
    conditions = Conditions(language, normaliser_for("auto", language))
    return {figure.key: figure for figure in errors.measure(said, conditions)}


def normaliser(language: str) -> Normaliser:
    return NORMALISERS[normaliser_for("auto", language)]


def _compared(name: str, reference: str, text: str, language: str) -> Comparison:
    versions = (Version((Utterance(words_in(side)),)) for side in (reference, text))
    return compare(name, *versions, normaliser(language))
