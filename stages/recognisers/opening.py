"""The opening of the recogniser that the settings name."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import cast

from msgspec.structs import fields

from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.machine.engines import engine_of
from sutradhar.pipeline.models.form import ResolvedModel
from sutradhar.stages.recognisers.about import OPTIONS, About
from sutradhar.stages.recognisers.contract import Recogniser


def open_recogniser(
    settings: Settings, model: ResolvedModel, *, translate: bool, log: logging.Logger, times: bool = True
) -> Recogniser:
    """Load the engine that the settings name; without `times` it is faster, and words have no times.

    Raises UsageError where the machine, model or language will not do."""
    about = engine_of(settings.WHISPER_BACKEND)
    engine = import_module(about.engine)
    recogniser = cast(Recogniser, engine.open_engine(settings, model, translate, times, log))
    recogniser.degraded[:0] = without_effect(about, settings)
    return recogniser


def without_effect(about: About, settings: Settings) -> list[str]:
    """Return a line on the options that are set and that the engine does not have. It names no values: a prompt is
    text."""
    defaults = {field.name: field.default for field in fields(Settings)}
    lacking = [name for name in OPTIONS if name not in about.options and getattr(settings, name) != defaults[name]]
    return [f"{' and '.join(lacking)} without effect: {about.title} has no such option"] if lacking else []
