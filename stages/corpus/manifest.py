"""The manifest: `manifest.jsonl`, a row for every file of a folder of recordings, and a further row where something
of it changes.

Rows are appended one at a time, so a run may be killed at any moment: the last whole row of a path counts, and a
torn line is not trusted. `rewrite` keeps one row a path. The store of results (`stages/corpus/results.py`) decides
what is really done; rows follow it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

import msgspec

from sutradhar.pipeline.files import UNREADABLE, write_atomic
from sutradhar.pipeline.names import Count, Hex, Nanoseconds, PlainPath, Size, Time
from sutradhar.pipeline.wording import counted, escaped_json

FILE = "manifest.jsonl"
Status = Literal["pending", "done", "empty", "unsupported", "failed"]
NO_RECORDING: tuple[Status, ...] = ("empty", "unsupported")


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    path: PlainPath  # from `folder_of` the source; absolute for listed files that lie elsewhere
    id: Hex  # sha256 of its content
    bytes: Size
    mtime_ns: Nanoseconds
    duration_ms: Time = 0
    codec: str = ""
    channels: Count = 0
    status: Status = "pending"
    reason: str = ""  # why it is empty, unsupported, failed, or put off
    attempts: Count = 0

    def __post_init__(self) -> None:
        """Check the row. Raises ValueError, which msgspec makes a ValidationError of."""
        if not self.id and self.status not in NO_RECORDING:
            raise ValueError("a recording without an id")


class Folders(msgspec.Struct, frozen=True):
    """The content of `scan/folders.json`."""

    closed: dict[str, str]  # folders that could not be listed, as paths are, with why


def folder_of(source: Path) -> Path:
    """Return the folder that the paths of a manifest begin from."""
    return source.parent if source.is_file() else source


def read(path: Path, warn: Callable[[str], None] = lambda line: None) -> dict[str, Recording]:
    """Read the last row of each path, by path, in the order of their first rows. Returns an empty dict where there
    is no manifest yet. A whole line that is not a row is left out with a warning."""
    rows: dict[str, Recording] = {}
    strange = 0
    decoder = msgspec.json.Decoder(Recording)
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return rows
    for line in lines[:-1]:  # what follows the last line break is torn
        try:
            row = decoder.decode(line)
        except UNREADABLE as error:
            strange += isinstance(error, msgspec.ValidationError)  # else it was torn
            continue
        rows[row.path] = row
    if strange:
        warn(f"{counted(strange, 'line')} of {path.name} cannot be trusted: what stands there is looked at anew")
    return rows


def rewrite(path: Path, rows: Iterable[Recording]) -> None:
    """Write one row a path, whole or not at all; the file is left alone where nothing changes. Raises OSError."""
    content = b"".join(map(_line, rows))
    if not path.exists() or path.read_bytes() != content:
        write_atomic(path, content)


def digest(rows: Iterable[Recording]) -> str:
    """Return a digest that changes whenever any row changes, comes or goes."""
    return hashlib.sha256(b"\n".join(msgspec.json.encode(row) for row in rows)).hexdigest()


class Journal:
    """A manifest that rows are appended to."""

    def __init__(self, path: Path) -> None:
        self._file = os.fdopen(
            os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o666), "ab", buffering=0
        )
        if self._file.tell() and not _ends_line(path):
            self._file.write(b"\n")

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    def append(self, rows: Iterable[Recording]) -> None:
        """Append rows in one write, so that rows of several processes never mix. Raises OSError."""
        data = b"".join(map(_line, rows))
        while data:  # a full disk takes a part, and refuses the rest
            data = data[self._file.write(data) :]


def _line(row: Recording) -> bytes:
    return escaped_json(msgspec.json.encode(row)) + b"\n"


def _ends_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) == b"\n"
