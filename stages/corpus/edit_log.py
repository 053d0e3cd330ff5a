"""The log of what was written into a folder: it tells what somebody has changed since, in any run and after any
crash.

Each process appends to a file of its own a line for what it is about to write: a digest of its name and content.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from pathlib import Path
from secrets import token_hex
from typing import IO

from sutradhar.pipeline.files import write_whole

FOLDER = ".written"
LENGTH = 32  # hexadecimal digits of a digest
PART = re.compile("[0-9a-f]{16}")  # the name of a process's file


class EditLog:
    """A log for several threads at once."""

    def __init__(self, tree: Path) -> None:
        self._tree, self._folder = tree, tree / FOLDER
        self._lock = threading.Lock()
        self._mine: IO[bytes] | None = None
        self._known: set[bytes] | None = None

    def add(self, path: Path, content: bytes) -> None:
        """Add a file before it is written. Raises OSError."""
        digest = self._digest(path, content)
        with self._lock:
            if self._mine is None:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._mine = (self._folder / token_hex(8)).open("ab")
            self._mine.write(b"\n" + digest + b"\n")  # a line of its own, also after one that an error tore
            self._mine.flush()
            if self._known is not None:
                self._known.add(digest)

    def has(self, path: Path, content: bytes) -> bool:
        """Return whether the file was added, by any process that had begun to write before this one first asked."""
        with self._lock:
            if self._known is None:
                self._known = self._read(self._parts())
            return self._digest(path, content) in self._known

    def merge(self) -> None:
        """Merge all parts into one file. Nobody may write meanwhile. Raises OSError."""
        with self._lock:
            parts = self._parts()
            if len(parts) < 2:
                return
            write_whole(
                self._folder / token_hex(8), b"".join(digest + b"\n" for digest in sorted(self._read(parts))), sync=True
            )
            if self._mine:
                self._mine.close()
                self._mine = None
            for part in parts:
                part.unlink(missing_ok=True)

    def _parts(self) -> list[Path]:
        # Some file systems put folders of their own everywhere.
        return [path for path in self._folder.glob("[!.]*") if PART.fullmatch(path.name) and path.is_file()]

    @staticmethod
    def _read(parts: list[Path]) -> set[bytes]:
        return {line for part in parts for line in part.read_bytes().split(b"\n") if len(line) == LENGTH}

    def _digest(self, path: Path, content: bytes) -> bytes:
        name = os.fsencode(path.relative_to(self._tree))
        return hashlib.sha256(name + b"\0" + content).hexdigest()[:LENGTH].encode()
