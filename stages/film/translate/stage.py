"""The inputs, outputs and needs of the stage translate, by the translator that the settings name."""

from __future__ import annotations

from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.jobs.stage import EngineNeed, ModelNeed, Outcome, Stage, StageContext
from sutradhar.pipeline.prepare import translators
from sutradhar.stages.text import glossary


def run(ctx: StageContext) -> Outcome:
    if _by_indictrans2(ctx.settings):
        from sutradhar.stages.film.translate.film import translate
    else:
        from sutradhar.stages.film.translate.whisper import translate
    return translate(ctx)


def check(settings: Settings) -> None:
    """Check the settings. Raises UsageError where IndicTrans2 cannot do them; asr checks Whisper's translation."""
    if _by_indictrans2(settings):
        translators.check(settings)


def _by_indictrans2(settings: Settings) -> bool:
    return settings.TRANSLATION_ENGINE == "indictrans2"


def _unused(settings: Settings) -> tuple[str, ...]:
    return ("translation",) if _by_indictrans2(settings) else (*OF_INDICTRANS2, "OFFLINE")


def _models(settings: Settings) -> tuple[ModelNeed, ...]:
    if not _by_indictrans2(settings):
        return ()
    form = translators.form(settings.INDICTRANS2_DEVICE, settings.INDICTRANS2_COMPUTE_TYPE)
    ways = translators.directions(settings.SOURCE_LANGUAGE, settings.targets)
    return tuple(ModelNeed(translators.model_name(settings.INDICTRANS2_MODEL, way), form) for way in ways)


def _engines(settings: Settings) -> tuple[EngineNeed, ...]:
    device = settings.INDICTRANS2_DEVICE
    needed = EngineNeed(translators.backend(device), device, "INDICTRANS2_DEVICE")
    return (needed,) if _by_indictrans2(settings) else ()


def _files(settings: Settings) -> tuple[str, ...]:
    return settings.user_files if _by_indictrans2(settings) else ()


OF_INDICTRANS2 = (
    "SOURCE_LANGUAGE",
    "TARGET_LANGUAGES",
    "INDICTRANS2_MODEL",
    "INDICTRANS2_DEVICE",
    "INDICTRANS2_COMPUTE_TYPE",
    "INDICTRANS2_NUM_BEAMS",
    "GLOSSARY",
)
STAGE = Stage(
    name="translate",
    run=run,
    check=check,
    reads=("transcript", "translation"),
    writes=("translations",),
    settings=("TRANSLATION_ENGINE", *OF_INDICTRANS2),
    tuning=("OFFLINE",),
    wanted=lambda settings: bool(settings.translator),
    unused=_unused,
    in_pieces=True,
    models=_models,
    engines=_engines,
    files=_files,
    check_file=glossary.read_glossary,
)
