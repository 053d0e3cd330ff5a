"""The files that a recording's result is written as, in folders like those of the recordings.

`calls/a.wav` becomes `calls/a.wav.txt`, so that no two recordings ever meet in one file.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import msgspec

from pipeline.files import write_whole
from pipeline.settings import Settings
from stages.recognise.formats import formats_of
from stages.results import Result

SETTINGS = ("CORPUS_FORMATS", "CORPUS_TIMESTAMPS", "SUBTITLE_PROFILE", "SUBTITLE_FPS")  # what the files depend on beside the results
NO_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)
LEFTOVER = re.compile(r"\.tmp-[0-9a-f]{6}-.*", re.DOTALL)  # of write_whole
STAMP = ".written-with.json"
MOST_BYTES = 255  # of a name, on the usual file systems


class Files:
    def __init__(self, tree: Path, settings: Settings) -> None:
        self._tree, self._settings, self._formats = tree, settings, formats_of(settings)
        self._written_with = msgspec.json.encode({key: getattr(settings, key) for key in SETTINGS})
        written_with, self._ended_ns = self._read_stamp()
        self._outdated = written_with != self._written_with

    def write(self, result: Result, paths: Sequence[str]) -> list[str]:
        """For each name of the recording. What cannot be written for reasons of its own, such as a path too long, is told in a line each.
        Raises OSError where nothing can be written, on a full disk for instance."""
        complaints = []
        for path in paths:
            for name, write in self._formats.items():
                target = self.path(path, name)
                try:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    content = write(result, path, self._settings).encode()
                    complaints += self._keep_if_edited(target, content)
                    write_whole(target, content, sync=False)
                except OSError as error:
                    if error.errno in NO_DISK:
                        raise
                    complaints.append(f"its {name} could not be written ({error.strerror})")
        return complaints

    def _keep_if_edited(self, target: Path, content: bytes) -> list[str]:
        """Move a file that somebody has changed since the last run ended out of the way of its new version."""
        if not self._ended_ns or not target.is_file() or target.stat().st_mtime_ns <= self._ended_ns or target.read_bytes() == content:
            return []
        kept = next(spare for n in count(1) if not (spare := target.with_name(f"{target.stem}.edited-{n}{target.suffix}")).exists())
        target.rename(kept)
        return [f"{target.name} had been edited: that version is kept as {kept.name}"]

    def missing(self, path: str) -> bool:
        """Whether they have to be written, because they are not there or were written with other settings."""
        return self._outdated or not all(self.path(path, name).exists() for name in self._formats)

    def stamp(self, *, ended: bool = False) -> None:
        """All are as these settings say. The date of the stamp is when a run last ended: what is younger then was written by somebody else."""
        self._tree.mkdir(parents=True, exist_ok=True)
        write_whole(self._tree / STAMP, self._written_with, sync=False)
        if not ended:
            os.utime(self._tree / STAMP, ns=(self._ended_ns, self._ended_ns))
        self._outdated = False

    def _read_stamp(self) -> tuple[bytes, int]:
        """What files were written with, and when a run last ended; 0 where none has."""
        try:
            return (self._tree / STAMP).read_bytes(), (self._tree / STAMP).stat().st_mtime_ns
        except OSError:
            return b"", 0

    def sweep(self) -> None:
        """Remove what killed workers left half written."""
        for leftover in self._tree.rglob(".tmp-*"):
            if LEFTOVER.fullmatch(leftover.name) and leftover.is_file() and not leftover.is_symlink():
                leftover.unlink(missing_ok=True)

    def path(self, path: str, name: str) -> Path:
        """Where a recording's file lies. A name that would be too long is cut, and ends in a sign that no other has."""
        folder, _, base = path.lstrip("/").rpartition("/")
        if len(f".tmp-1234567-{base}.{name}".encode()) > MOST_BYTES:
            base = base.encode()[:200].decode(errors="ignore") + "~" + hashlib.sha256(path.encode(errors="surrogateescape")).hexdigest()[:8]
        return self._tree / folder / f"{base}.{name}"
