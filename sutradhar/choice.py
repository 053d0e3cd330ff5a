"""The settings of a model that a program loads: chosen as prepare-job chooses them, and bounded by memory."""

from __future__ import annotations

import argparse
import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from numbers import Real
from pathlib import Path
from typing import Any, Literal

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.installed import named
from sutradhar.pipeline.jobs import envfile
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.machine import engines, hardware, sizing
from sutradhar.pipeline.models import library
from sutradhar.pipeline.prepare import choosing
from sutradhar.pipeline.workspace import Workspace

log = logging.getLogger("sutradhar")
CALLER = "sutradhar.load"
ARGUMENTS = {  # settings that are arguments of `load` too, by the name there
    "WHISPER_MODEL": "model",
    "WHISPER_BACKEND": "backend",
    "WHISPERX_DEVICE": "device",
    "WHISPER_COMPUTE_TYPE": "compute_type",
    "BATCH_SIZE": "batch_size",
    "OFFLINE": "offline",
}
NOT_GIVEN = ("auto", "false")


@dataclass(frozen=True)
class Wishes:
    model: str
    backend: str
    device: str
    compute_type: str
    batch_size: int | Literal["auto"]
    max_memory_gb: float | None
    offline: bool

    @property
    def arguments(self) -> argparse.Namespace:
        """Return the wishes in the form of prepare-job's parsed command line."""
        names = {"backend": self.backend, "device": self.device, "model": self.model}
        return argparse.Namespace(**{name: "" if value == "auto" else value for name, value in names.items()})


class _Said:
    """A receiver that passes what choosing says on to the log of a program."""

    def info(self, message: str) -> None:
        log.info(named(message))

    def warn(self, message: str) -> None:
        log.warning(named(message))


def choose(asked: Wishes, models: Path, others: Mapping[str, str]) -> Settings:
    """Return the settings that prepare-job would choose, bounded by the memory. Raises UsageError."""
    asked = _with_settings(asked, others)
    others = {key: value for key, value in others.items() if key not in ARGUMENTS}
    workspace = Workspace.find()
    machine = hardware.read_cache(workspace.hardware_cache, log.warning) or hardware.recommend(hardware.probe())
    choices = choosing.Choices({"WORKFLOW": "transcribe", "SOURCE_LANGUAGE": others.get("SOURCE_LANGUAGE", "auto")})
    choosing.recogniser(asked.arguments, machine, models, choices, _Said())
    choosing.detector(models, choices)
    if asked.compute_type != "auto":
        choices.take("WHISPER_COMPUTE_TYPE", asked.compute_type)
    if asked.batch_size != "auto":
        choices.take("BATCH_SIZE", asked.batch_size)
    if asked.max_memory_gb is not None:
        _bound(asked, choices.values, asked.max_memory_gb, models)
    choices.take("OFFLINE", asked.offline)
    found = envfile.build({**choices.values, **others}, CALLER)
    engines.check(found.WHISPER_BACKEND, found.WHISPER_COMPUTE_TYPE)
    return found


def _with_settings(asked: Wishes, settings: Mapping[str, str]) -> Wishes:
    """Count a setting that is an argument too as that argument, as prepare-job does with --set. Raises UsageError
    where both are given and differ."""
    changes: dict[str, Any] = {}
    for key, name in ARGUMENTS.items():
        if key not in settings:
            continue
        value, given = envfile.normal(key, settings[key]), envfile.to_text(getattr(asked, name))
        if given not in (*NOT_GIVEN, value):
            raise UsageError(f"settings has {key}={value}, which contradicts {name}={given}; give one of them")
        changes[name] = value
    return replace(asked, **changes)


def _bound(asked: Wishes, values: dict[str, str], memory_gb: float, models: Path) -> None:
    """Take the best model and the largest batch that so much memory holds. Raises UsageError where it holds none."""
    if not isinstance(memory_gb, Real) or not math.isfinite(memory_gb):
        raise UsageError(f"max_memory_gb={memory_gb!r}: it must be a number of GB")
    engine = engines.engine_of(values["WHISPER_BACKEND"])
    device = values["WHISPERX_DEVICE"] if values["WHISPERX_DEVICE"] in engine.devices else "cpu"
    fitting = partial(sizing.batch_within, engine.sizes, device=device, memory_gb=memory_gb)
    if asked.model == "auto" and not fitting(values["WHISPER_MODEL"]):
        smaller = sizing.in_turn(engine.sizes, values["WHISPER_MODEL"], device, memory_gb)
        here = (name for name in smaller if fitting(name) and library.is_at_hand(name, engine.form, models_dir=models))
        values["WHISPER_MODEL"] = next(here, engine.sizes.smallest)
    model = values["WHISPER_MODEL"]
    batch = fitting(Path(model).name)
    if not batch:
        raise UsageError(
            f"max_memory_gb={memory_gb:g} does not hold model {model} and one window; "
            "give more, or take a smaller model"
        )
    given = envfile.build({"BATCH_SIZE": values["BATCH_SIZE"]}, CALLER).BATCH_SIZE
    values["BATCH_SIZE"] = str(batch if given == "auto" else min(batch, given))
