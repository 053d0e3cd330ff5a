"""The finished pieces of a stage's long work, kept one by one, so that a run that is killed at 90 % goes on at 90 %.

They are in one file, `StageContext.pieces`, a line a piece: a checksum, a space, and `[key, value]` in JSON. It is only
ever added to, and what is added is on the disk when `keep` returns. A line that a kill or a power cut has torn, that is
damaged otherwise, or no piece, counts as not there. The runner's name for the file stands for all that it knows the
result to depend on; the first line stands for what the stage alone knows."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import msgspec

from sutradhar.pipeline.files import UNREADABLE, sync_file, sync_folder

T = TypeVar("T")
MADE_WITH = "made with"  # the key of the first line
NOTHING_KEPT = (
    "Nothing was kept of the attempt before: it ended within its first batch, or was made with other versions"
)
CHECKSUM = 16  # hexadecimal digits


class Pieces:
    """The pieces of a stage, to be used in a `with` block. The later of two pieces with one key counts."""

    def __init__(self, path: Path, schema: int, packages: tuple[str, ...]) -> None:
        """Open the file. What was made with another `schema` of the pieces, or other versions of these distributions,
        is dropped. Raises OSError."""
        self._path = path
        made_with = {"schema": str(schema)} | {name: _version(name) for name in packages}
        self._found, whole = _read(path)
        is_new = self.get(MADE_WITH, dict[str, str]) != made_with
        self.is_first = not path.exists()  # there was no earlier attempt
        if is_new:
            self._found, whole = {}, 0
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        os.ftruncate(self._file, whole)  # a torn line would spoil the next
        if is_new:
            self.keep({MADE_WITH: made_with})
            sync_folder(path.parent)

    def __enter__(self) -> Pieces:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)

    def get(self, key: str, kind: type[T]) -> T | None:
        """Return a piece; None where there is no such piece, or it is no `kind`."""
        with contextlib.suppress(*UNREADABLE):
            return msgspec.json.decode(self._found[key], type=kind) if key in self._found else None
        return None

    def keep(self, pieces: Mapping[str, Any]) -> None:
        """Write all pieces or, where a kill comes between, some of them. Raises OSError where the disk is full."""
        values = {key: msgspec.Raw(msgspec.json.encode(value)) for key, value in pieces.items()}
        _write(self._file, b"".join(_line(key, value) for key, value in values.items()), self._path)
        sync_file(self._path)
        self._found.update(values)


def _line(key: str, value: msgspec.Raw) -> bytes:
    content = msgspec.json.encode([key, value])
    return _checksum(content) + b" " + content + b"\n"


def _checksum(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest()[:CHECKSUM].encode()


def _write(file: int, content: bytes, path: Path) -> None:
    try:
        while content:
            content = content[os.write(file, content) :]
    except OSError as error:
        error.filename = str(path)  # a descriptor does not know it
        raise


def _read(path: Path) -> tuple[dict[str, msgspec.Raw], int]:
    """Return the pieces, and how many bytes of the file are whole lines. Raises OSError."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}, 0
    whole = content.rfind(b"\n") + 1
    return dict(_whole_pieces(content[:whole].split(b"\n"))), whole


def _whole_pieces(lines: list[bytes]) -> Iterator[tuple[str, msgspec.Raw]]:
    for line in lines:
        checksum, _, content = line.partition(b" ")
        if checksum != _checksum(content):
            continue
        with contextlib.suppress(*UNREADABLE):  # another program may have written a line with a right checksum
            yield msgspec.json.decode(content, type=tuple[str, msgspec.Raw])


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""
