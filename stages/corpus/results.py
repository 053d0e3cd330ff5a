"""The store of results, one file for each recording: the truth about what is done, whoever did it.

`results/<fingerprint>/ab/<sha256 of the content>.json`. A file is there whole or not at all. The fingerprint stands
for the settings and the model that made a result: results of other settings lie in another folder, and are never
mixed by accident.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from secrets import token_hex
from typing import Literal

import msgspec

from sutradhar.pipeline.errors import StoreClosed, in_one_line, is_unwritable
from sutradhar.pipeline.files import UNREADABLE, json_document, write_whole
from sutradhar.pipeline.jobs import leftovers
from sutradhar.pipeline.names import Count, Hex, Time
from sutradhar.stages.transcript import Likely, Music, Segment

FOLDER = "results"
SCHEMA = 1
MADE_WITH = "made-with.json"  # the settings and the model of a fingerprint
# All settings that the user's files depend on, beside the results.
FILE_SETTINGS = (
    "CORPUS_FORMATS",
    "CORPUS_TIMESTAMPS",
    "SUBTITLE_PROFILE",
    "SUBTITLE_FPS",
    "SUBTITLE_BOM",
    "SUBTITLE_NEWLINE",
)
MADE_BY = "made-by"  # a file for each different maker


_MODEL = "model "  # begins the key of a model's file in `made_with`


def key_of_model_file(name: str) -> str:
    return f"{_MODEL}{name}"


def model_file_of(key: str) -> str | None:
    """Return the name of the model's file that a key stands for; None for the key of a setting."""
    return key.removeprefix(_MODEL) if key.startswith(_MODEL) else None


class Result(msgspec.Struct, frozen=True, kw_only=True):
    schema: int = SCHEMA
    id: Hex  # sha256 of the recording
    status: Literal["done", "failed"]
    reason: str = ""
    attempts: Count = 1  # how often it was begun
    failures: Count = 0  # in how many runs it was given up
    duration_ms: Time = 0
    speech_ms: Time = 0
    language: str = ""  # the language of most of the speech
    avg_logprob: float = 0.0  # over all windows, by their length; 0 where nobody speaks
    segments: tuple[Segment, ...] = ()
    seconds: float = 0.0  # of its worker's time
    degraded: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # surprises that are no fault
    unheard: tuple[Likely, ...] = ()  # likely speech without words
    music: tuple[Music, ...] = ()  # where MUSIC=mark
    allow_truncated: bool = False  # in a failure: whether files that are cut short were taken


class Maker(msgspec.Struct, frozen=True, kw_only=True):
    """The recogniser as it really ran, whatever was asked for."""

    engine: dict[str, str] = {}  # as in Outcome
    packages: tuple[str, ...] = ()
    degraded: str = ""  # a fallback that was taken


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """`recognise/done.json`: a digest of the manifest and the store, which changes where they do."""

    fingerprint: Hex  # the fingerprint of the present settings
    statuses: dict[str, int]
    rows: str  # a digest of the manifest's rows
    results: str  # a digest of the store's results


class Store:
    """The results of one fingerprint."""

    def __init__(self, folder: Path, made_with: Mapping[str, str], *, mix: bool = False) -> None:
        """Open the store in `folder`, which holds the stores of all fingerprints. `mix`: results of other stores
        count as done, and are read from there."""
        self.made_with = dict(made_with)
        self.fingerprint = hashlib.sha256(msgspec.json.encode([SCHEMA, sorted(made_with.items())])).hexdigest()[:16]
        self.all = folder
        self.folder = folder / self.fingerprint
        self._folders = (
            self.folder,
            *(sorted(path for path in folder.glob("*/") if path != self.folder) if mix else ()),
        )

    @classmethod
    def of_fingerprint(cls, folder: Path, fingerprint: str) -> Store:
        """Open the store of a fingerprint as it lies there, mixed with the others. Raises OSError or
        msgspec.MsgspecError."""
        return cls(
            folder, msgspec.json.decode((folder / fingerprint / MADE_WITH).read_bytes(), type=dict[str, str]), mix=True
        )

    def create(self) -> None:
        """Make the store. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_whole(self.folder / MADE_WITH, json_document(self.made_with), sync=True)

    def others(self) -> list[Mapping[str, str]]:
        """Return the settings of each other store that holds results."""
        found: list[Mapping[str, str]] = []
        for path in sorted(self.all.glob(f"*/{MADE_WITH}")):
            if path.parent.name != self.fingerprint and next(_done(path.parent), ""):
                with contextlib.suppress(*UNREADABLE):
                    found.append(msgspec.json.decode(path.read_bytes(), type=dict[str, str]))
        return found

    def ids(self) -> set[str]:
        """Return the ids of the recordings that have a result, of other settings only where it is done. Those of
        these settings are known by their names alone: tens of thousands take a moment."""
        return set(_names(self.folder)).union(*(_done(folder) for folder in self._folders[1:]))

    def digest(self) -> str:
        """Return a digest of the results' names, sizes and dates, which changes whenever a result is written or
        damaged."""
        digest = hashlib.sha256()
        for folder in self._folders:
            for path in sorted(folder.glob("[0-9a-f][0-9a-f]/[!.]*.json")):
                status = path.stat()
                digest.update(f"{path.name} {status.st_size} {status.st_mtime_ns}\n".encode())
        return digest.hexdigest()

    def read(self, recording_id: str) -> Result | None:
        """Return a result; None where there is none, or its file is damaged: the recording is not done then."""
        found = self.find(recording_id)
        return found[0] if found else None

    def find(self, recording_id: str) -> tuple[Result, str] | None:
        """Return what `read` does, and the fingerprint under which it lies."""
        for folder in self._folders:
            with contextlib.suppress(OSError):
                result = _decoded(_place(folder, recording_id).read_bytes(), recording_id)
                if result and (folder == self.folder or result.status == "done"):
                    return result, folder.name
        return None

    def settings_of(self, fingerprint: str) -> dict[str, str]:
        """Return the settings that a fingerprint stands for; empty where they cannot be read any more."""
        if fingerprint == self.fingerprint:
            return self.made_with
        with contextlib.suppress(*UNREADABLE):
            return msgspec.json.decode((self.all / fingerprint / MADE_WITH).read_bytes(), type=dict[str, str])
        return {}

    def write(self, result: Result) -> None:
        """Write a result, whole on the disk when this returns. A power cut may take its name from the folder again:
        then it is made anew. Raises OSError, StoreClosed, and msgspec.ValidationError where a number is NaN or
        infinite."""
        content = msgspec.json.encode(result)
        msgspec.json.decode(content, type=Result)  # JSON has no NaN: it could not be read
        path = _place(self.folder, result.id)
        try:
            path.parent.mkdir(exist_ok=True)
            write_whole(path, content, sync=True)
        except OSError as error:
            if not is_unwritable(error) and self._is_closed():
                raise StoreClosed(f"Results cannot be written any more: {in_one_line(error)}") from error
            raise

    def _is_closed(self) -> bool:
        """Return whether the store takes nothing at all, whatever the result."""
        probe = self.folder / f".tmp-{token_hex(3)}-probe"
        try:
            write_whole(probe, b"", sync=False)
            probe.unlink(missing_ok=True)
        except OSError:
            return True
        return False

    def note(self, maker: Maker) -> None:
        """Note a maker once, however many runs and machines it works in. Raises OSError."""
        content = msgspec.json.encode(maker, order="sorted")
        path = self.folder / MADE_BY / f"{hashlib.sha256(content).hexdigest()[:16]}.json"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            write_whole(path, content, sync=False)

    def made_by(self) -> Maker:
        """Return all makers that were noted, as one: "cpu and cuda"."""
        makers = []
        for path in (path for folder in self._folders for path in sorted((folder / MADE_BY).glob("[!.]*.json"))):
            with contextlib.suppress(*UNREADABLE):
                makers.append(msgspec.json.decode(path.read_bytes(), type=Maker))
        engine: dict[str, dict[str, None]] = {}
        for key, value in (item for maker in makers for item in maker.engine.items()):
            engine.setdefault(key, {})[value] = None
        return Maker(
            engine={key: " and ".join(values) for key, values in engine.items()},
            packages=tuple(dict.fromkeys(package for maker in makers for package in maker.packages)),
        )

    def put_aside(self, recording_id: str) -> bool:
        """Put a damaged result aside, so that the next run makes another. Returns whether there was one."""
        for folder in self._folders:
            place = _place(folder, recording_id)
            with contextlib.suppress(OSError):
                if _decoded(place.read_bytes(), recording_id) is None:
                    place.rename(place.with_name(f"{place.name}.damaged"))
                    return True
        return False

    def sweep(self) -> None:
        """Remove what killed workers left half written, whatever their settings. Raises OSError."""
        leftovers.remove_from(
            inside
            for folder in self.all.glob("*/")
            if not folder.is_symlink()
            for inside in (folder, *folder.glob("*/"))
        )


def ids_of(folder: Path, settings: Mapping[str, str], *, mix: bool) -> set[str]:
    """Return the ids of the recordings that have a result made with these settings, whatever the model, or with any
    where results are mixed. `folder` holds the stores of all fingerprints."""
    found = set[str]()
    for path in folder.glob(f"*/{MADE_WITH}"):
        with contextlib.suppress(*UNREADABLE):
            if mix or settings.items() <= msgspec.json.decode(path.read_bytes(), type=dict[str, str]).items():
                found.update(_names(path.parent))
    return found


def _names(folder: Path) -> Iterator[str]:
    for part in folder.glob("[0-9a-f][0-9a-f]"):
        with contextlib.suppress(NotADirectoryError), os.scandir(part) as entries:
            yield from (
                entry.name[:-5] for entry in entries if entry.name.endswith(".json") and not entry.name.startswith(".")
            )


def _done(folder: Path) -> Iterator[str]:
    for recording_id in _names(folder):
        with contextlib.suppress(*UNREADABLE):
            if msgspec.json.decode(_place(folder, recording_id).read_bytes(), type=Result).status == "done":
                yield recording_id


def _decoded(content: bytes, recording_id: str) -> Result | None:
    """Return a result; None where it is damaged, or of another recording or schema."""
    with contextlib.suppress(*UNREADABLE):
        result = msgspec.json.decode(content, type=Result)
        return result if result.id == recording_id and result.schema == SCHEMA else None
    return None


def _place(folder: Path, recording_id: str) -> Path:
    return folder / recording_id[:2] / f"{recording_id}.json"
