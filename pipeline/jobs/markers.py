"""Completion markers: what a stage made, from what, and whether that still holds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec

from sutradhar.pipeline.files import UNREADABLE, FileRecord, json_document, read_file, record, write_atomic
from sutradhar.pipeline.names import FileName, PathBelow
from sutradhar.pipeline.workspace import VERSION

SCHEMA = 1
MEDIA = "media"  # the name of the user's own file among a stage's inputs
_MODEL = "model "  # begins the names of models' files


class Marker(msgspec.Struct, frozen=True, kw_only=True):
    """`stage.json`. It is written last, so that its presence means that everything it names is in place."""

    schema: int = SCHEMA
    stage: str
    inputs: dict[str, FileRecord]
    outputs: dict[PathBelow, FileRecord]  # below stages/
    deliverables: dict[FileName, FileRecord]  # by file name below the job's folder in out/
    settings: dict[str, str]
    summary: str
    engine: dict[str, str]
    packages: dict[str, str]
    degraded: tuple[str, ...]
    failures: str = ""
    started_at: str
    ended_at: str
    seconds: float
    seconds_of_media: float | None
    attempt: int
    tool_version: str


def name_of_model_file(model: str, file: str) -> str:
    """Return the name of a model's file among a stage's inputs."""
    return f"{_MODEL}{model}/{file}"


def _is_outside(name: str) -> bool:
    """Return whether an input is the film or a file of a model, and so not one of the job's own files."""
    return name == MEDIA or name.startswith(_MODEL)


def read_marker(path: Path, warn: Callable[[str], None]) -> Marker | None:
    """Return the marker, or None where the stage is not done. A marker that cannot be read or trusted counts as
    none, with a warning."""
    try:
        marker = msgspec.json.decode(read_file(path), type=Marker)
    except FileNotFoundError:
        return None
    except UNREADABLE as error:
        warn(f"{path} cannot be read ({error}): the stage counts as not done")
        return None
    if marker.schema != SCHEMA or marker.stage != path.parent.name:
        warn(f"{path} belongs to another stage or version: the stage counts as not done")
        return None
    return marker


def write_marker(path: Path, marker: Marker) -> None:
    write_atomic(path, json_document(marker))


def fingerprint(inputs: Mapping[str, FileRecord], settings: Mapping[str, str]) -> str:
    """Return a digest that changes with anything that decides what the stage makes; dates decide nothing."""
    files = sorted((name, known.size, known.sha256) for name, known in inputs.items())
    return hashlib.sha256(msgspec.json.encode([VERSION, files, sorted(settings.items())])).hexdigest()[:16]


def why_stale(
    marker: Marker,
    *,
    settings: Mapping[str, str],
    inputs: Mapping[str, Path],
    looked_at: Mapping[str, FileRecord],
    outputs: Mapping[str, Path],
    verify: bool,
) -> str:
    """Say why the stage has to run again: the first setting or file that is not as the marker says; "" where all
    is.

    `looked_at` holds what is too large to be read in full each time, the user's own files and models. `verify`
    reads every other file in full instead of trusting size and modification time."""
    for key, value in settings.items():
        if marker.settings.get(key) != value:
            return f"{key} changed from {marker.settings.get(key)!r} to {value!r}"
    for name, now in looked_at.items():
        known = marker.inputs.get(name)
        # The film is extracted anew in seconds where only its date changed; a model that was copied is no reason
        # for hours of work.
        if known is None or known.sha256 != now.sha256 or known.size != now.size or (name == MEDIA and known != now):
            return f"the {name} file changed" if name == MEDIA else f"{name} changed"
    known_now = {**inputs, **looked_at}
    if dropped := [name for name in marker.inputs if name not in known_now and not _is_outside(name)]:
        return f"{dropped[0]} is no longer read"
    return next(_changed_files(marker, inputs, outputs, verify), "")


def _changed_files(
    marker: Marker, inputs: Mapping[str, Path], outputs: Mapping[str, Path], verify: bool
) -> Iterator[str]:
    made = {**marker.outputs, **marker.deliverables}
    for name, path in outputs.items():
        if not path.is_file():
            yield f"{name} is missing"
        elif not _unchanged(path, made.get(name), verify):
            yield f"{name} was changed"
    for name, path in inputs.items():
        if not _unchanged(path, marker.inputs.get(name), verify):
            yield f"{name} changed"


def _unchanged(path: Path, known: FileRecord | None, verify: bool) -> bool:
    if known is None:
        return False
    if not verify and known.looks_same(path):
        return True
    try:
        return record(path).sha256 == known.sha256
    except OSError:
        return False
