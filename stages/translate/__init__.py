"""Gives the transcript in the target languages: by IndicTrans2 (`STAGE`), or as Whisper itself translated it (`WHISPER`)."""

from __future__ import annotations

from pipeline import translators
from pipeline.settings import Settings
from pipeline.stage import EngineNeed, ModelNeed, Outcome, Stage, StageContext
from stages import glossary
from stages.translate import whisper

TRANSCRIPTS = "translate/transcripts.json"


def run(ctx: StageContext) -> Outcome:
    from stages.translate.film import translate

    return translate(ctx)


def _models(settings: Settings) -> tuple[ModelNeed, ...]:
    form = translators.form(settings.INDICTRANS2_DEVICE, settings.INDICTRANS2_COMPUTE_TYPE)
    ways = translators.directions(settings.SOURCE_LANGUAGE, settings.targets)
    return tuple(ModelNeed(translators.model_name(settings.INDICTRANS2_MODEL, way), form) for way in ways)


def _engines(settings: Settings) -> tuple[EngineNeed, ...]:
    device = settings.INDICTRANS2_DEVICE
    return (EngineNeed(translators.backend(device), device, "INDICTRANS2_DEVICE"),)


STAGE = Stage(
    name="translate",
    run=run,
    check=translators.check,
    reads=("align/transcript.json",),
    writes=(TRANSCRIPTS,),
    settings=(
        "TRANSLATION_ENGINE",
        "SOURCE_LANGUAGE",
        "TARGET_LANGUAGES",
        "INDICTRANS2_MODEL",
        "INDICTRANS2_DEVICE",
        "INDICTRANS2_COMPUTE_TYPE",
        "INDICTRANS2_NUM_BEAMS",
        "GLOSSARY",
    ),
    in_pieces=True,
    models=_models,
    engines=_engines,
    files=lambda settings: settings.user_files,
    check_file=glossary.read_glossary,
)
WHISPER = Stage(
    name="translate",
    run=whisper.run,
    reads=("align/transcript.json", "asr/translation.json"),
    writes=(TRANSCRIPTS,),
    settings=("TRANSLATION_ENGINE",),
)
