"""Tell somebody whose model cannot be had what to do: what the name was meant to be, and where to put the model's
folder."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from sutradhar.pipeline.machine.engines import ENGINES, quantises
from sutradhar.pipeline.models.folder import ALIASES, FORMS, folder_name

BACKENDS = {engine.form: backend for backend, engine in ENGINES.items()}
QUANTISING = next(engine for engine in ENGINES.values() if quantises(engine))
PICKLED = (
    "; its weights are in pytorch_model.bin alone, which may run code when it is read: have them saved as safetensors"
    " (transformers: save_pretrained), or take a model that has them"
)
NUMBERS = re.compile(r"q\d+|\d+-?bit|(fp|f|float|int)\d+")  # endings that say in which numbers a model is


def unknown_name(name: str, form: str, here: Sequence[str]) -> str:
    """Return half a sentence for a name that means nothing. `here` are the names of the models that are here, of
    any form."""
    known = sizes(form)
    stem, _, ending = name.rpartition("-")
    if ending in BACKENDS and _base(stem) in (*known, *ALIASES, *here):
        return f"that is what its folder is called; the model is {stem}, with {_chosen(BACKENDS[ending])}"
    if NUMBERS.fullmatch(ending.lower()) and stem in (*known, *ALIASES, *here):
        return (
            f"quantised models are -q4 and -q8 ({stem}-q4, {stem}-q8), "
            f"with {_chosen(QUANTISING.name)}; in full it is {stem}"
        )
    close = difflib.get_close_matches(name.lower(), [*known, *ALIASES, *here], n=1)
    return f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}, hub ids (owner/name) and folders"


def _chosen(backend: str) -> str:
    """Return how a recogniser is chosen: as a setting, and as an option of the commands that choose."""
    return f"WHISPER_BACKEND={backend} (--backend {backend})"


def _base(name: str) -> str:
    return re.sub(r"-q[48]\Z", "", name)


def sizes(form: str) -> list[str]:
    """Return the sizes that can be had in a form, downloaded or converted."""
    converter = FORMS[form].converter
    return list(
        dict.fromkeys(
            size for other in (form, *(converter.takes if converter else ())) for size in FORMS[other].releases
        )
    )


def not_in_form(name: str, full: str, form: str) -> str:
    """Return a hint for a quantised name where there is no converter that quantises: `full` is the model itself."""
    add = (
        f"-q4 and -q8 are for {QUANTISING.title}. "
        f"Add {_chosen(QUANTISING.name)}, to get-model.sh --form {QUANTISING.form}"
    )
    return f"Model '{name}' has no {FORMS[form].title} form: {add}, or take {full}"


def where_to_put(name: str, form: str, original: str) -> str:
    """Name the folders in models/ that would do. `original` is the name of what the model can be converted from."""
    converter = FORMS[form].converter
    others = [FORMS[other].title for other in FORMS if other != form and converter and other in converter.takes]
    folder = f"models/{folder_name(name)}" + f"-{form}" * bool(others)
    also = f" (or one for {' or '.join(others)} as models/{folder_name(original)})" if others else ""
    return f"Put its {FORMS[form].title} folder there as {folder}{also}"
