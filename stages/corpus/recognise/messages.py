"""Messages to workers, and the events that they answer with, through `processes.channel` or Ray."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from sutradhar.pipeline.jobs.settings import Settings, declared_settings
from sutradhar.pipeline.models.form import ResolvedModel
from sutradhar.pipeline.processes.channel import Broken, Note


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One recording, which may lie under several names."""

    id: str  # sha256 of its content
    paths: tuple[str, ...]  # as in the manifest
    stamps: tuple[tuple[int, int], ...] = ()  # bytes and mtime_ns of each, as the scan saw them
    duration_ms: int
    attempts: int = 0  # how often it was begun
    failures: int = 0  # in how many runs it was given up


class Networks(msgspec.Struct, frozen=True):
    """The folders of the networks that listen beside Silero; None for one that does not."""

    segmentation: Path | None = None
    yamnet: Path | None = None


SILERO_ALONE = Networks()


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """The first message to a worker."""

    values: dict[str, Any]  # values of the settings that the stage declares
    folder: Path  # the folder that the paths of tasks begin from
    results: Path  # folder of all stores
    made_with: dict[str, str]
    tree: Path  # where the files for the user go
    model: ResolvedModel
    spool: Path  # folder that long recordings are decoded into
    networks: Networks = SILERO_ALONE
    beside: int = 1  # workers on its machine, it among them

    @property
    def settings(self) -> Settings:
        return declared_settings("recognise", self.values)


class Work(msgspec.Struct, frozen=True, tag=True):
    tasks: tuple[Task, ...]
    alone: bool = False  # one after another, nothing else beside it


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The model is loaded."""

    engine: dict[str, str]
    packages: tuple[str, ...]


class Begun(msgspec.Struct, frozen=True, tag=True):
    id: str


class Remark(msgspec.Struct, frozen=True):
    """A remark on a file for the user."""

    path: str  # of the recording, as in the manifest
    text: str  # without names, so that others may have the same
    unwritten: bool = False  # it is not as it should be, and a later run has to write it


class Done(msgspec.Struct, frozen=True, tag=True):
    """The result of a recording is in the store."""

    id: str
    attempts: int = 1
    degraded: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    remarks: tuple[Remark, ...] = ()


class Failed(msgspec.Struct, frozen=True, tag=True):
    id: str
    reason: str
    again: bool = False  # whether it is worth another attempt, as nobody foresaw it


class Deferred(msgspec.Struct, frozen=True, tag=True):
    """A recording is not there, or not as the scan saw it: a later run may find it."""

    id: str
    reason: str


class WindowsDone(msgspec.Struct, frozen=True, tag=True):
    """The progress within a long recording."""

    id: str
    share: float  # of its windows that are recognised


class Retiring(msgspec.Struct, frozen=True, tag=True):
    """The worker holds too much memory: it ends what it has begun, and then itself."""

    held_bytes: int


class Degraded(msgspec.Struct, frozen=True, tag=True):
    """A fallback that holds for all that follows."""

    line: str


Ended = Done | Failed | Deferred  # the possible ends of a recording that was begun
Event = Ready | Begun | Ended | WindowsDone | Retiring | Degraded | Note | Broken
