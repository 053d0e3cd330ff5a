"""Open the translator that the settings name."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.models.form import ResolvedModel
from sutradhar.stages.film.translate.translator import BatchTranslator


def open_translator(settings: Settings, model: ResolvedModel | None) -> BatchTranslator:
    """Open the translator. Raises UsageError where the model's files are damaged, or the device does not compute so."""
    engine = import_module(f"sutradhar.stages.film.translate.{settings.TRANSLATION_ENGINE}.engine")
    return cast(BatchTranslator, engine.open_engine(settings, model))
