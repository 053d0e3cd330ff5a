"""Files that are whole or absent, also after a crash or a power cut."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

BLOCK = 1 << 20  # bytes hashed at a time


class FileRecord(msgspec.Struct, frozen=True):
    """What a file was when it was last looked at in full."""

    size: int  # bytes
    mtime_ns: int
    sha256: str

    def looks_same(self, path: Path) -> bool:
        """Size and modification time are as recorded: the fast path that spares reading the file."""
        try:
            status = path.stat()
        except OSError:
            return False
        return (status.st_size, status.st_mtime_ns) == (self.size, self.mtime_ns)


def record(path: Path) -> FileRecord:
    """Read the whole file. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        while block := file.read(BLOCK):
            digest.update(block)
    return FileRecord(status.st_size, status.st_mtime_ns, digest.hexdigest())


def _sync(descriptor: int) -> None:
    if sys.platform == "darwin":
        import fcntl

        # fsync on macOS stops at the drive's cache; F_FULLFSYNC empties it too.
        with contextlib.suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
    os.fsync(descriptor)


def sync_file(path: Path) -> None:
    with path.open("rb") as file:
        _sync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make renames and removals in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)


def write_atomic(path: Path, data: bytes) -> None:
    """Put a small file into place whole: temporary file, fsync, rename, fsync of the folder. Raises OSError."""
    temporary = path.with_name(f".tmp-{os.getpid()}-{path.name}")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            _sync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def leftovers(folder: Path) -> Iterator[Path]:
    """What an interrupted run left in a folder, one level deep and in the folders of its stages."""
    yield from folder.glob(".tmp-*")
    yield from folder.glob("*/.tmp-*")
