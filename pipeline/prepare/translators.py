"""The translators that there are, the pairs of languages that each knows, and the models that it needs for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.machine import engines
from sutradhar.pipeline.models import library

ENGLISH = "en"
INDIC = (
    "as",
    "bn",
    "brx",
    "doi",
    "gom",
    "gu",
    "hi",
    "kn",
    "kok",
    "ks",
    "mai",
    "ml",
    "mni",
    "mr",
    "ne",
    "or",
    "pa",
    "sa",
    "sat",
    "sd",
    "ta",
    "te",
    "ur",
)
SIZES: Mapping[str, Mapping[str, str]] = {  # of INDICTRANS2_MODEL, best first: how the model of each direction is called
    "1B": {"indic-en": "1B", "en-indic": "1B", "indic-indic": "1B"},
    "distilled": {"indic-en": "dist-200M", "en-indic": "dist-200M", "indic-indic": "dist-320M"},
}
COMPUTE_TYPES = {"cpu": ("int8", "float32"), "cuda": ("int8", "float16", "bfloat16", "float32"), "mps": ("float16", "bfloat16", "float32")}


def knows(source: str, target: str) -> bool:
    """Whether IndicTrans2 translates between two languages."""
    known = (ENGLISH, *INDIC)
    return source != target and source in known and target in known


def directions(source: str, targets: Sequence[str]) -> list[str]:
    """A checkpoint of IndicTrans2 goes one way: from English, into English, or between the languages of India."""
    return list(dict.fromkeys(direction(source, target) for target in targets if target != source))


def direction(source: str, target: str) -> str:
    if source == ENGLISH:
        return "en-indic"
    return "indic-en" if target == ENGLISH else "indic-indic"


def model_name(model: str, direction: str) -> str:
    """Of `INDICTRANS2_MODEL` in a direction: a hub id or a folder names itself."""
    return f"indictrans2-{direction}-{SIZES[model][direction]}" if model in SIZES else model


def backend(device: str) -> str:
    """The recogniser (a key of `engines.ENGINES`) that runs on the same library."""
    return "mlx" if device == "mps" else engines.DEFAULT


def form(device: str, compute_type: str) -> str:
    """Which form of the model (a key of `model_folder.FORMS`) is loaded: MLX takes the hub's own, CTranslate2 one in its numbers."""
    if device == "mps":
        return "indictrans2"
    return {"int8": "indictrans2-int8", "float32": "indictrans2-float32"}.get(compute_type, "indictrans2-float16")


def check(settings: Settings) -> None:
    """Raises UsageError for what IndicTrans2 cannot translate, for one model where it takes several, and for numbers that the device has not."""
    source, targets = settings.SOURCE_LANGUAGE, settings.targets
    if source == "auto":
        raise UsageError("TRANSLATION_ENGINE=indictrans2 needs to know the language spoken: set SOURCE_LANGUAGE (-s)")
    for target in targets:
        if target != source and not knows(source, target):
            raise UsageError(
                f"IndicTrans2 does not translate {source} to {target}; it knows en, {', '.join(INDIC)}. TRANSLATION_ENGINE=whisper translates to en"
            )
    if settings.INDICTRANS2_MODEL not in SIZES and len(directions(source, targets)) > 1:
        raise UsageError(
            f"INDICTRANS2_MODEL={settings.INDICTRANS2_MODEL} goes one way, but to {settings.TARGET_LANGUAGES} it takes"
            f" {' and '.join(directions(source, targets))}: set it to {' or '.join(SIZES)}"
        )
    device, compute_type = settings.INDICTRANS2_DEVICE, settings.INDICTRANS2_COMPUTE_TYPE
    if compute_type not in COMPUTE_TYPES[device]:
        able = ", ".join(COMPUTE_TYPES[device])
        raise UsageError(f"INDICTRANS2_COMPUTE_TYPE={compute_type} does not go with INDICTRANS2_DEVICE={device}; {able} do")


@dataclass(frozen=True)
class Choice:
    engine: str
    model: str  # INDICTRANS2_MODEL
    reason: str


def choose(source: str, targets: Sequence[str], wanted: str, model: str, form: str, models_dir: Path) -> Choice:
    """Of `wanted` (auto, indictrans2, whisper) and `model` ("" for what is here in this form). Raises UsageError where nothing translates so."""
    pair = f"{source} to {', '.join(targets)}"
    able = source != "auto" and all(knows(source, target) for target in targets)
    sizes = [model] if model else list(SIZES)
    here = next((size for size in sizes if able and _is_here(size, source, targets, form, models_dir)), "")
    if wanted == "indictrans2" or (wanted == "auto" and (here or (model and able))):  # a model that is named is used or refused
        return Choice("indictrans2", here or sizes[0], f"it knows {pair}, and its model is here" if here else "as asked for")
    if list(targets) == [ENGLISH]:
        return Choice("whisper", sizes[0], "as asked for" if wanted == "whisper" else _why_whisper(source, targets, pair, able=able))
    if wanted == "auto" and able:
        raise UsageError(f"To translate {pair} takes IndicTrans2, whose model is not here; get it: {get(source, targets)}")
    if source == "auto":
        raise UsageError(f"To translate to {', '.join(targets)} the language spoken has to be named: -s")
    if able:
        raise UsageError(f"Whisper translates to en alone: leave --translation-engine whisper away for {pair}")
    raise UsageError(f"Nothing here translates {pair}: Whisper translates to en alone, IndicTrans2 knows en, {', '.join(INDIC)}")


def _why_whisper(source: str, targets: Sequence[str], pair: str, *, able: bool) -> str:
    if able:
        return f"IndicTrans2 translates better, but its model is not here: {get(source, targets)}"
    return "IndicTrans2 has to be told the language" if source == "auto" else f"IndicTrans2 does not know {pair}"


def get(source: str, targets: Sequence[str]) -> str:
    """Commands that fetch the best models."""
    return "; ".join(f"scripts/get-model.sh {model_name('1B', way)}" for way in directions(source, targets))


def _is_here(size: str, source: str, targets: Sequence[str], form: str, models_dir: Path) -> bool:
    return all(library.is_at_hand(model_name(size, way), form, models_dir=models_dir) for way in directions(source, targets))
