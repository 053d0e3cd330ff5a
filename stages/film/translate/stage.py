"""The inputs, outputs and needs of the stage translate, by the translator that the settings name."""

from __future__ import annotations

from importlib import import_module

import msgspec
from msgspec.structs import fields

from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.jobs.stage import EngineNeed, ModelNeed, Outcome, Stage, StageContext
from sutradhar.stages.film.translate import needs
from sutradhar.stages.film.translate.about import TranslatorAbout
from sutradhar.stages.film.translate.registry import TRANSLATORS
from sutradhar.stages.text import glossary

OF_TRANSLATORS = tuple(dict.fromkeys(name for about in TRANSLATORS.values() for name in about.settings))
OF_ALL = ("SOURCE_LANGUAGE", "TARGET_LANGUAGES", *OF_TRANSLATORS, "GLOSSARY")


def run(ctx: StageContext) -> Outcome:
    if about := _about(ctx.settings):
        from sutradhar.stages.film.translate import film

        return film.translate(ctx, about)
    from sutradhar.stages.film.translate import whisper

    return whisper.translate(ctx)


def check(settings: Settings) -> None:
    """Check the settings. Raises UsageError where the translator cannot do them; asr checks Whisper's translation."""
    if about := _about(settings):
        needs.check(about, settings)


def _about(settings: Settings) -> TranslatorAbout | None:
    """Return the translator's description; None for Whisper's own translation."""
    return TRANSLATORS.get(settings.TRANSLATION_ENGINE)


def _unused(settings: Settings) -> tuple[str, ...]:
    if about := _about(settings):
        return ("translation", *(name for name in OF_TRANSLATORS if name not in about.settings))
    return OF_ALL


def _models(settings: Settings) -> tuple[ModelNeed, ...]:
    about = _about(settings)
    return needs.models_of(about, settings) if about else ()


def _engines(settings: Settings) -> tuple[EngineNeed, ...]:
    about = _about(settings)
    return needs.engines_of(about, settings) if about else ()


def _files(settings: Settings) -> tuple[str, ...]:
    return settings.user_files if _about(settings) else ()


def _own_settings() -> type[msgspec.Struct] | None:
    """Return all settings that translators add, in one struct."""
    structs = [import_module(about.own_settings).Own for about in TRANSLATORS.values() if about.own_settings]
    own = [(field.name, field.type, field.default) for struct in structs for field in fields(struct)]
    return msgspec.defstruct("Own", own) if own else None


STAGE = Stage(
    name="translate",
    run=run,
    check=check,
    reads=("transcript", "translation"),
    writes=("translations",),
    settings=("TRANSLATION_ENGINE", *OF_ALL),
    own_settings=_own_settings(),
    wanted=lambda settings: bool(settings.translator),
    unused=_unused,
    in_pieces=True,
    models=_models,
    engines=_engines,
    files=_files,
    check_file=glossary.read_glossary,
)
