"""The needs of a translator in a job, by its description and the job's settings: languages, models, libraries."""

from __future__ import annotations

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.jobs.stage import EngineNeed, ModelNeed
from sutradhar.stages.film.translate.about import TranslatorAbout, TranslatorModels


def check(about: TranslatorAbout, settings: Settings) -> None:
    """Raise UsageError for languages that the translator does not know, for one model where it takes several, for
    a device or numbers that its models do not have, and for what the translator itself refuses."""
    _check_languages(about, settings)
    if about.models:
        _check_model(about.models, about.directions(settings.SOURCE_LANGUAGE, settings.targets), settings)
        _check_compute_type(about.models, settings)
    about.check(settings)


def _check_languages(about: TranslatorAbout, settings: Settings) -> None:
    source = settings.SOURCE_LANGUAGE
    if source == "auto":
        raise UsageError(f"TRANSLATION_ENGINE={about.name} needs to know the language spoken: set SOURCE_LANGUAGE (-s)")
    for target in settings.targets:
        if target != source and not about.knows(source, target):
            raise UsageError(
                f"{about.title} does not translate {source} to {target}; it knows {', '.join(about.languages)}. "
                "TRANSLATION_ENGINE=whisper translates to en"
            )


def _check_model(models: TranslatorModels, directions: list[str], settings: Settings) -> None:
    model = getattr(settings, models.model)
    if model not in models.sizes and len(directions) > 1:
        raise UsageError(
            f"{models.model}={model} goes one way, but to {settings.TARGET_LANGUAGES} it takes"
            f" {' and '.join(directions)}: set it to {' or '.join(models.sizes)}"
        )


def _check_compute_type(models: TranslatorModels, settings: Settings) -> None:
    device, compute_type = getattr(settings, models.device), getattr(settings, models.compute_type)
    models.check_device(device)
    able = models.compute_types[device]
    if compute_type not in able:
        raise UsageError(
            f"{models.compute_type}={compute_type} does not go with {models.device}={device}; {', '.join(able)} do"
        )


def model_of(models: TranslatorModels, settings: Settings, direction: str) -> ModelNeed:
    form = models.form(getattr(settings, models.device), getattr(settings, models.compute_type))
    return ModelNeed(models.name(getattr(settings, models.model), direction), form)


def models_of(about: TranslatorAbout, settings: Settings) -> tuple[ModelNeed, ...]:
    if about.models is None:
        return ()
    directions = about.directions(settings.SOURCE_LANGUAGE, settings.targets)
    return tuple(model_of(about.models, settings, direction) for direction in directions)


def engines_of(about: TranslatorAbout, settings: Settings) -> tuple[EngineNeed, ...]:
    models = about.models
    if models is None:
        return ()
    device = getattr(settings, models.device)
    everywhere = f"{models.device}=cpu {models.compute_type}={models.compute_types['cpu'][0]}"
    return (EngineNeed(models.backends[device], device, models.device, everywhere),)


def packages_of(about: TranslatorAbout, settings: Settings) -> tuple[str, ...]:
    """Return the distributions whose versions decide the translation."""
    if about.models is None:
        return about.packages
    return (about.models.libraries[getattr(settings, about.models.device)], *about.packages)
