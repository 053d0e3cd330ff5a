"""Look up recognisers by name, each with what it says of itself."""

from __future__ import annotations

from collections.abc import Mapping

from sutradhar.pipeline import languages
from sutradhar.pipeline.errors import UsageError
from sutradhar.stages.recognisers import ABOUTS
from sutradhar.stages.recognisers.about import About as About

ENGINES: Mapping[str, About] = {about.name: about for about in ABOUTS}
DEFAULT = next(iter(ENGINES))


def engine_of(backend: str) -> About:
    """Return a recogniser. Raises UsageError for one that this version does not have."""
    if backend not in ENGINES:
        names = ", ".join(ENGINES)
        raise UsageError(f"WHISPER_BACKEND={backend}: this version has no such recogniser; choose from {names}")
    return ENGINES[backend]


def language_of(backend: str, text: str) -> str:
    """Return the code of a language. Raises UsageError where there is no such language, or the recogniser does not
    know it."""
    code, family = languages.parse(text), engine_of(backend).family
    if code not in engine_of(backend).languages:
        known = f"use auto, or the language closest to it that is on {family}'s list"
        raise UsageError(f"{family} does not know {languages.name(code)} ({code}); {known}")
    return code


def quantises(engine: About) -> bool:
    """Tell whether models of the engine's form can be made in 4 and 8 bits."""
    converter = engine.forms[engine.form].converter
    return converter is not None and engine.form in converter.takes


def check(backend: str, compute_type: str) -> None:
    """Raise UsageError for a recogniser that this version does not have, or that cannot compute so."""
    engine = engine_of(backend)
    if not engine.compute_types or compute_type in engine.compute_types:
        return
    advice = engine.compute_type_advice or " or ".join(engine.compute_types)
    if quantises(engine) and compute_type.startswith("int8"):
        advice += "; for 8-bit weights choose the model's form in 8 bits (large-v3-q8)"
    raise UsageError(f"WHISPER_COMPUTE_TYPE={compute_type} does not go with WHISPER_BACKEND={backend}; set {advice}")
