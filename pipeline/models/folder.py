"""Tell what a model folder is: its form, by its files, and `source.json`, which says where it came from.

The forms of recognisers, translators and detectors of speech are in their own descriptions.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from sutradhar.pipeline.files import FileRecord, read_known
from sutradhar.pipeline.models.form import Form
from sutradhar.stages.film.translate.registry import TRANSLATORS
from sutradhar.stages.recognisers import ABOUTS
from sutradhar.stages.sound.about import DETECTORS

SOURCE = "source.json"
PICKLE = "pytorch_model.bin"  # weights that may run code when they are read
FORMS: dict[str, Form] = {
    **{name: form for about in ABOUTS for name, form in about.forms.items()},
    **{name: form for about in TRANSLATORS.values() if about.models for name, form in about.models.forms.items()},
    **DETECTORS,
}
ALIASES = {"large": "large-v3", "turbo": "large-v3-turbo"}


class Conversion(msgspec.Struct, frozen=True, kw_only=True):
    """The original of a converted model, and the numbers that it was converted into."""

    original: str  # its file or folder
    files: dict[str, FileRecord]  # files of the original that make the result what it is
    numbers: str


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """`source.json` in a folder that we made."""

    repo: str
    revision: str  # commit
    form: str
    via: str  # "hub", the packages it came in, or what it was converted from
    licence: str
    fetched_at: str  # ISO 8601, UTC
    files: dict[str, FileRecord]
    conversion: Conversion | None = None


def read_source(folder: Path) -> Source | None:
    """Read `source.json`; None where the folder is not one of ours, or the file is damaged."""
    return read_known(folder / SOURCE, Source)


def problem(folder: Path, form: str) -> str:
    """Say in half a sentence what keeps a folder from being a model of this form: a missing, cut or damaged file.
    Empty for nothing."""
    if folder.is_dir() and not os.access(folder, os.R_OK | os.X_OK):
        return f"you may not read it; its owner can change that: chmod -R a+rX {folder}"
    for names in FORMS[form].files:
        if not any((folder / name).is_file() for name in names):
            return f"{' or '.join(names)} is missing"
    source = read_source(folder)
    for name, record in source.files.items() if source else ():
        size = (folder / name).stat().st_size if (folder / name).is_file() else 0
        if size != record.size:
            return f"{name} has {size} of {record.size} bytes"
    return FORMS[form].content_problem(folder)


def forms_of(folder: Path) -> list[str]:
    return [form for form in FORMS if not problem(folder, form)]


def is_made_of(folder: Path, original: Path) -> bool:
    """Tell whether we converted a model from what is in another folder now."""
    source = read_source(folder)
    made = source.conversion if source else None
    if not made or made.original != str(original):
        return False
    return all(
        (original / name).is_file() and record.looks_same(original / name) for name, record in made.files.items()
    )


def meant_form(folder: Path) -> str:
    """Return the form that an incomplete folder was to have: what it says itself, or else that of which most files
    are there."""
    if source := read_source(folder):
        return source.form

    def share(form: str) -> float:
        files = FORMS[form].files
        return sum(any((folder / name).is_file() for name in names) for names in files) / len(files)

    return max(FORMS, key=share)


def is_ours(folder: Path, form: str) -> bool:
    """Tell whether we made the folder, of this form, and nobody has put anything into it: then it may be made anew,
    whatever its state."""
    source = read_source(folder)
    return (
        source is not None
        and source.form == form
        and {path.name for path in folder.iterdir()} <= {SOURCE, ".DS_Store", *source.files}
    )


def folder_name(name: str) -> str:
    """Return `base` for `base`, `Systran--faster-whisper-base` for `Systran/faster-whisper-base`."""
    return name.replace("/", "--")
