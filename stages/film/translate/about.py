"""A translator's description of itself before it is loaded. It imports nothing heavy: `--help` reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.models.form import Form

if TYPE_CHECKING:
    from sutradhar.pipeline.jobs.settings import Settings


@dataclass(frozen=True)
class TranslatorModels:
    """The models of a translator, and the settings that choose one of them and the place where it runs."""

    model: str  # the name of the setting with a size, a hub id or a folder
    device: str  # the name of the setting with the device
    compute_type: str  # the name of the setting with the number format
    direction: Callable[[str, str], str]  # of a source and a target: a model goes one way
    sizes: Mapping[str, Mapping[str, str]]  # best first: the name of each direction's model
    compute_types: Mapping[str, tuple[str, ...]]  # by device, those that it has
    backends: Mapping[str, str]  # by device, the recogniser that runs on the same library
    libraries: Mapping[str, str]  # by device, the distribution of that library
    forms: Mapping[str, Form]
    form: Callable[[str, str], str]  # of a device and a compute type: the one that is loaded

    def check_device(self, device: str) -> None:
        """Raise UsageError for a device that they do not run on."""
        if device not in self.backends:
            known = ", ".join(self.backends)
            raise UsageError(f"{self.device}={device!r} does not fit: it must be one of {known}")

    def name(self, model: str, direction: str) -> str:
        """Name the model of a direction: a hub id or a folder names itself."""
        return self.sizes[model][direction] if model in self.sizes else model


@dataclass(frozen=True)
class TranslatorAbout:
    name: str  # in TRANSLATION_ENGINE
    title: str  # its name in prose
    scope: str  # what it translates, in a few words
    languages: tuple[str, ...]  # ISO 639 codes of those that it knows
    pairs: Callable[[str, str], bool] = lambda source, target: True  # which of them it translates to which
    settings: tuple[str, ...] = ()  # the settings that change its translations, beside languages and glossary
    own_settings: str = ""  # the module with a struct `Own` of those that it adds to every job's
    beams: str = ""  # the name of the setting with the beams of its search
    packages: tuple[str, ...] = ()  # distributions whose versions decide the result, beside its models' library
    models: TranslatorModels | None = None  # None where it translates without any
    check: Callable[[Settings], None] = lambda settings: None  # raises UsageError for settings that it cannot work with

    def knows(self, source: str, target: str) -> bool:
        is_known = source in self.languages and target in self.languages
        return source != target and is_known and self.pairs(source, target)

    def direction(self, source: str, target: str) -> str:
        """Return the way that a model for the pair goes; a translator without models goes one way, the empty one."""
        return self.models.direction(source, target) if self.models else ""

    def directions(self, source: str, targets: Sequence[str]) -> list[str]:
        """List the ways that the targets take."""
        return list(dict.fromkeys(self.direction(source, target) for target in targets if target != source))

    def model_names(self, model: str, source: str, targets: Sequence[str]) -> list[str]:
        """Name the models that the targets take, of a size or of one's own."""
        if self.models is None:
            return []
        return [self.models.name(model, direction) for direction in self.directions(source, targets)]
