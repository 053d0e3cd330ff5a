"""Opens the recogniser that the settings name."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import cast

from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.machine.engines import engine_of
from sutradhar.pipeline.models.library import ResolvedModel
from sutradhar.stages.recognisers.contract import Recogniser


def open_recogniser(settings: Settings, model: ResolvedModel, *, translate: bool, log: logging.Logger, times: bool = True) -> Recogniser:
    """Load the engine that the settings name; without `times` it is faster, and words have none of their own.

    Raises UsageError where the machine, model or language will not do."""
    engine = import_module(engine_of(settings.WHISPER_BACKEND).engine)
    return cast(Recogniser, engine.open_engine(settings, model, translate, times, log))
