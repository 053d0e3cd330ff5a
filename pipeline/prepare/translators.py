"""The translators that there are, the pairs of languages that each knows, and the models that it needs for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.machine import engines
from sutradhar.pipeline.models import library
from sutradhar.stages.film.translate import TRANSLATORS

TRANSLATOR = TRANSLATORS[0]  # the only one beside Whisper's own
ENGLISH = "en"  # all that Whisper translates to
COMPUTE_TYPES, SIZES = TRANSLATOR.compute_types, TRANSLATOR.sizes
KNOWN = ", ".join((TRANSLATOR.pivot, *TRANSLATOR.languages))
knows, direction, form = TRANSLATOR.knows, TRANSLATOR.direction, TRANSLATOR.form


def directions(source: str, targets: Sequence[str]) -> list[str]:
    """List the ways that the targets take: a model goes one way."""
    return list(dict.fromkeys(direction(source, target) for target in targets if target != source))


def model_name(model: str, direction: str) -> str:
    """Name the model of a direction: a hub id or a folder names itself."""
    return SIZES[model][direction] if model in SIZES else model


def backend(device: str) -> str:
    """Return the recogniser (a key of `engines.ENGINES`) that runs on the same library."""
    return TRANSLATOR.backends.get(device, engines.DEFAULT)


def check(settings: Settings) -> None:
    """Raise UsageError for languages that the translator does not know, for one model where it takes several, and
    for numbers that the device has not."""
    source, targets = settings.SOURCE_LANGUAGE, settings.targets
    if source == "auto":
        raise UsageError(
            f"TRANSLATION_ENGINE={TRANSLATOR.name} needs to know the language spoken: set SOURCE_LANGUAGE (-s)"
        )
    for target in targets:
        if target != source and not knows(source, target):
            raise UsageError(
                f"{TRANSLATOR.title} does not translate {source} to {target}; it knows {KNOWN}. "
                "TRANSLATION_ENGINE=whisper translates to en"
            )
    if settings.INDICTRANS2_MODEL not in SIZES and len(directions(source, targets)) > 1:
        raise UsageError(
            f"INDICTRANS2_MODEL={settings.INDICTRANS2_MODEL} goes one way, but to {settings.TARGET_LANGUAGES} it takes"
            f" {' and '.join(directions(source, targets))}: set it to {' or '.join(SIZES)}"
        )
    device, compute_type = settings.INDICTRANS2_DEVICE, settings.INDICTRANS2_COMPUTE_TYPE
    if compute_type not in COMPUTE_TYPES[device]:
        able = ", ".join(COMPUTE_TYPES[device])
        raise UsageError(
            f"INDICTRANS2_COMPUTE_TYPE={compute_type} does not go with INDICTRANS2_DEVICE={device}; {able} do"
        )


@dataclass(frozen=True)
class Choice:
    engine: str
    model: str  # INDICTRANS2_MODEL
    reason: str


def choose(source: str, targets: Sequence[str], wanted: str, model: str, form: str, models_dir: Path) -> Choice:
    """Choose a translator and its model from `wanted` (auto, the name of a translator, whisper) and `model` ("" for
    what is here in this form).

    Raises UsageError where nothing translates so."""
    pair = f"{source} to {', '.join(targets)}"
    able = source != "auto" and all(knows(source, target) for target in targets)
    sizes = [model] if model else list(SIZES)
    here = next((size for size in sizes if able and _is_here(size, source, targets, form, models_dir)), "")
    # A model that is named is used or refused.
    if wanted == TRANSLATOR.name or (wanted == "auto" and (here or (model and able))):
        return Choice(
            TRANSLATOR.name, here or sizes[0], f"it knows {pair}, and its model is here" if here else "as asked for"
        )
    if list(targets) == [ENGLISH]:
        return Choice(
            "whisper",
            sizes[0],
            "as asked for" if wanted == "whisper" else _why_whisper(source, targets, pair, able=able),
        )
    if wanted == "auto" and able:
        raise UsageError(
            f"To translate {pair} takes {TRANSLATOR.title}, whose model is not here; get it: {get(source, targets)}"
        )
    if source == "auto":
        raise UsageError(f"To translate to {', '.join(targets)} the language spoken has to be named: -s")
    if able:
        raise UsageError(f"Whisper translates to en alone: leave --translation-engine whisper away for {pair}")
    raise UsageError(
        f"Nothing here translates {pair}: Whisper translates to en alone, {TRANSLATOR.title} knows {KNOWN}"
    )


def _why_whisper(source: str, targets: Sequence[str], pair: str, *, able: bool) -> str:
    if able:
        return f"{TRANSLATOR.title} translates better, but its model is not here: {get(source, targets)}"
    return f"{TRANSLATOR.title} {'has to be told the language' if source == 'auto' else f'does not know {pair}'}"


def get(source: str, targets: Sequence[str]) -> str:
    """Return the commands that fetch the best models."""
    return "; ".join(
        f"scripts/get-model.sh {model_name(next(iter(SIZES)), way)}" for way in directions(source, targets)
    )


def _is_here(size: str, source: str, targets: Sequence[str], form: str, models_dir: Path) -> bool:
    return all(
        library.is_at_hand(model_name(size, way), form, models_dir=models_dir) for way in directions(source, targets)
    )
