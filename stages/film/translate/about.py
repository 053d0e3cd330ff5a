"""A translator's description of itself before it is loaded. It imports nothing heavy: `--help` reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sutradhar.pipeline.models.form import Form


@dataclass(frozen=True)
class TranslatorAbout:
    name: str  # in TRANSLATION_ENGINE
    title: str  # its name in prose
    pivot: str  # the language that every other one is translated to and from
    languages: tuple[str, ...]  # the others
    direction: Callable[[str, str], str]  # of a source and a target: a model goes one way
    sizes: Mapping[str, Mapping[str, str]]  # best first: the name of each direction's model
    compute_types: Mapping[str, tuple[str, ...]]  # by device, those that it has
    backends: Mapping[str, str]  # by device, the recogniser that runs on the same library
    forms: Mapping[str, Form]
    form: Callable[[str, str], str]  # of a device and a compute type: the one that is loaded

    def knows(self, source: str, target: str) -> bool:
        known = (self.pivot, *self.languages)
        return source != target and source in known and target in known
