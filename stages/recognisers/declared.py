"""The declarations of every stage that recognises speech, and the recogniser that its settings name, opened."""

from __future__ import annotations

from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.jobs.stage import EngineNeed, ModelNeed, StageContext
from sutradhar.pipeline.machine import engines
from sutradhar.pipeline.models.form import ResolvedModel
from sutradhar.stages.recognisers.about import OPTIONS
from sutradhar.stages.recognisers.contract import Recogniser
from sutradhar.stages.recognisers.opening import open_recogniser

SETTINGS = (  # all settings that decide the recognition of a window
    "SOURCE_LANGUAGE",
    "WHISPER_BACKEND",
    "WHISPERX_DEVICE",
    "WHISPER_MODEL",
    "WHISPER_COMPUTE_TYPE",
    *OPTIONS,
)
TUNING = ("BATCH_SIZE",)


def check(settings: Settings) -> None:
    """Check the settings. Raises UsageError for an unknown recogniser or language."""
    engines.check(settings.WHISPER_BACKEND, settings.WHISPER_COMPUTE_TYPE)
    if settings.SOURCE_LANGUAGE != "auto":
        engines.language_of(settings.WHISPER_BACKEND, settings.SOURCE_LANGUAGE)


def models_of(settings: Settings) -> tuple[ModelNeed, ...]:
    return (ModelNeed(settings.WHISPER_MODEL, engines.engine_of(settings.WHISPER_BACKEND).form),)


def engines_of(settings: Settings) -> tuple[EngineNeed, ...]:
    """Return the engines; none for a device that the recogniser does not know: it runs on the CPU then, and says
    so."""
    backend, device = settings.WHISPER_BACKEND, settings.WHISPERX_DEVICE
    return (EngineNeed(backend, device),) if device in engines.engine_of(backend).devices else ()


def model_of(ctx: StageContext) -> ResolvedModel:
    (need,) = models_of(ctx.settings)
    return ctx.model(need)


def open_for(ctx: StageContext, translate: bool) -> Recogniser:
    settings = ctx.settings
    ctx.log.info(f"Configured device: {settings.WHISPERX_DEVICE} (from job config)")
    ctx.log.info(f"Backend: {settings.WHISPER_BACKEND} (from job config)")
    model = model_of(ctx)
    ctx.log.info(f"Loading {model.name} ({settings.WHISPER_BACKEND}, {settings.WHISPERX_DEVICE})")
    return open_recogniser(settings, model, translate=translate, log=ctx.log)
