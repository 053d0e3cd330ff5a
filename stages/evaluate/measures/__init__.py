"""The measures, in the order of the table. To add a measure, write `stages/evaluate/measures/<name>.py` with one
`MEASURE = Measure(...)` and put its name into MEASURES.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import cast

from sutradhar.stages.evaluate.comparing import Comparison
from sutradhar.stages.evaluate.figures import Figure
from sutradhar.stages.evaluate.normalise import NORMALISERS, Normaliser
from sutradhar.stages.evaluate.variants import with_variants

MEASURES = (
    "errors",
    "causes",
    "coverage",
    "word_times",
    "cue_times",
    "speakers",
    "translation",
    "subtitles",
    "compliance",
)


@dataclass(frozen=True)
class Conditions:
    """The facts that hold for all measures of an evaluation."""

    language: str
    normaliser: str
    variants: Mapping[str, str] = field(default_factory=dict)  # spellings that count as others
    systems: int = 1  # that are compared
    is_translation: bool = False
    profile: str = "netflix"
    fps: float = 24.0

    @cached_property
    def normalise(self) -> Normaliser:
        return with_variants(NORMALISERS[self.normaliser], self.variants)


@dataclass(frozen=True)
class Measure:
    """`lacks` says what a comparison lacks for it, "" for nothing; only those that lack nothing are measured."""

    title: str
    lacks: Callable[[Comparison, Conditions], str]
    measure: Callable[[Sequence[Comparison], Conditions], Iterable[Figure]]


def measures() -> Mapping[str, Measure]:
    return {name: cast(Measure, import_module(f"{__name__}.{name}").MEASURE) for name in MEASURES}


def lacks_text(comparison: Comparison) -> str:
    if not comparison.reference.has_text:
        return "the reference has no words"
    return "" if comparison.hypothesis.has_text else "it has no words"


def lacks_times(comparison: Comparison) -> str:
    if not comparison.hypothesis.is_timed:
        return "it has no times"
    return "" if comparison.reference.is_timed else "the reference has no times"
