"""Choose who translates: a translator that knows the languages and whose model is here, or Whisper itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.machine import hardware, sizing
from sutradhar.pipeline.machine.engines import ENGINES
from sutradhar.pipeline.models import library
from sutradhar.pipeline.wording import did_you_mean
from sutradhar.stages.film.translate.registry import NAMES, TRANSLATORS, WHISPER

if TYPE_CHECKING:
    from sutradhar.pipeline.machine.hardware import Hardware
    from sutradhar.stages.film.translate.about import TranslatorAbout, TranslatorModels

AUTO = "auto"
ENGLISH = "en"  # all that Whisper translates to


@dataclass(frozen=True)
class Candidate:
    """A translator as it would run on this machine."""

    about: TranslatorAbout
    device: str = ""
    compute_type: tuple[str, str] = ("", "")  # with its reason
    form: str = ""  # of its model files
    model: str = ""  # that the user named

    @property
    def sizes(self) -> tuple[str, ...]:
        """Return the models to look for, the best first; none for a translator without models."""
        if self.about.models is None:
            return ()
        return (self.model,) if self.model else tuple(self.about.models.sizes)

    def knows(self, source: str, targets: Sequence[str]) -> bool:
        return source != "auto" and all(self.about.knows(source, target) for target in targets)


@dataclass(frozen=True)
class Choice:
    engine: str
    model: str  # the translator's; "" where it has none, and for Whisper
    reason: str


def check_name(name: str) -> None:
    """Raise UsageError for a translator that there is not."""
    known = (AUTO, *NAMES, WHISPER)
    if name not in known:
        hint = did_you_mean(name, known)
        raise UsageError(
            f"--translation-engine {name}: there is no such translator; choose from {', '.join(known)}{hint}"
        )


def candidates(device: str, changes: Mapping[str, str], machine: Hardware) -> list[Candidate]:
    """Fit every translator to the machine, on this device where it can run there. Raises UsageError where `changes`
    names a device that it does not run on."""
    return [_fitted(about, device, changes, machine) for about in TRANSLATORS.values()]


def _fitted(about: TranslatorAbout, device: str, changes: Mapping[str, str], machine: Hardware) -> Candidate:
    models = about.models
    if models is None:
        return Candidate(about)
    device = changes.get(models.device) or _device(models, device, machine)
    models.check_device(device)
    compute_type = sizing.choose_compute_type(ENGINES[models.backends[device]], device, machine.capability)
    form = models.form(device, changes.get(models.compute_type) or compute_type[0])
    return Candidate(about, device, compute_type, form, changes.get(models.model, ""))


def _device(models: TranslatorModels, device: str, machine: Hardware) -> str:
    can_run = device in models.backends and not hardware.why_not(models.backends[device], device, machine)
    return device if can_run else "cpu"


def choose(source: str, targets: Sequence[str], wanted: str, fitted: Sequence[Candidate], models_dir: Path) -> Choice:
    """Choose a translator and its model by what is `wanted` (auto, the name of a translator, whisper).

    Raises UsageError where nothing translates so."""
    pair = f"{source} to {', '.join(targets)}"
    for candidate in fitted:
        name, knows = candidate.about.name, candidate.knows(source, targets)
        here = _model_here(candidate, source, targets, models_dir) if knows else None
        # A model that is named is used or refused.
        if wanted == name or (wanted == AUTO and (here is not None or (candidate.model and knows))):
            return Choice(name, here or next(iter(candidate.sizes), ""), _why(candidate, pair, here))
    if list(targets) == [ENGLISH]:
        lacking = "; ".join(_lack(candidate, source, targets, pair) for candidate in fitted)
        return Choice(WHISPER, "", "as asked for" if wanted == WHISPER else lacking)
    raise UsageError(_refusal(source, targets, wanted, fitted, pair))


def _why(candidate: Candidate, pair: str, here: str | None) -> str:
    if here is None:
        return "as asked for"
    return f"it knows {pair}" + (", and its model is here" if here else "")


def _lack(candidate: Candidate, source: str, targets: Sequence[str], pair: str) -> str:
    """Say why Whisper translates, and not this translator."""
    about = candidate.about
    if candidate.knows(source, targets):
        return f"{about.title} translates better, but its model is not here: {get(about, source, targets)}"
    return f"{about.title} {'has to be told the language' if source == 'auto' else f'does not know {pair}'}"


def _refusal(source: str, targets: Sequence[str], wanted: str, fitted: Sequence[Candidate], pair: str) -> str:
    able = [candidate.about for candidate in fitted if candidate.knows(source, targets)]
    if able and wanted == AUTO:
        best = able[0]
        return f"To translate {pair} takes {best.title}, whose model is not here; get it: {get(best, source, targets)}"
    if source == "auto":
        return f"To translate to {', '.join(targets)} the language spoken has to be named: -s"
    if able:
        return f"Whisper translates to en alone: leave --translation-engine whisper away for {pair}"
    known = "; ".join(f"{one.about.title} knows {', '.join(one.about.languages)}" for one in fitted)
    return f"Nothing here translates {pair}: Whisper translates to en alone, {known}"


def get(about: TranslatorAbout, source: str, targets: Sequence[str]) -> str:
    """Return the commands that fetch a translator's best models."""
    best = next(iter(about.models.sizes), "") if about.models else ""
    return "; ".join(f"scripts/get-model.sh {name}" for name in about.model_names(best, source, targets))


def _model_here(candidate: Candidate, source: str, targets: Sequence[str], models_dir: Path) -> str | None:
    """Return the best model that is here; "" for a translator that needs none, None where there is none."""
    if candidate.about.models is None:
        return ""

    def is_here(size: str) -> bool:
        names = candidate.about.model_names(size, source, targets)
        return all(library.is_at_hand(name, candidate.form, models_dir=models_dir) for name in names)

    return next((size for size in candidate.sizes if is_here(size)), None)
