"""Watch the user's film: it stays the same from the first stage that reads it to the last, or the run ends with an
error.

Its first, middle and last MiB are looked at each time; all of it is read once, beside the first stage's own
reading, so that `--verify` can tell later that a bit is another.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from sutradhar.pipeline import media
from sutradhar.pipeline.errors import StageFailed, UsageError
from sutradhar.pipeline.files import BLOCK, FileRecord, json_document, read_known, record, write_atomic
from sutradhar.pipeline.wording import escaped, size

FILE = "media.json"
PATIENCE = 60.0  # seconds that a run waits, at its end, for the film to have been read


class WholeFile(msgspec.Struct, frozen=True, kw_only=True):
    """`media.json` in the job's folder: the film, read to its last byte."""

    content: FileRecord  # sha256 of all of it
    # When it was found to have changed under the same size and date: stages that began earlier are not done.
    since: str = ""


def read_whole_file(job_folder: Path) -> WholeFile | None:
    """Return the record; None where the film has not been read yet, or the record is damaged."""
    return read_known(job_folder / FILE, WholeFile)


def stamp(path: Path) -> tuple[int, ...]:
    """Return a stamp that changes whenever anybody writes to the file or puts another into its place. Raises
    OSError."""
    status = path.stat()
    # Not the inode: some network file systems make up another each time.
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def check_still(path: Path, before: tuple[int, ...]) -> None:
    """Raise UsageError where the file is not as it was a moment ago: a download or a copy that goes on."""
    if stamp(path) != before:
        raise UsageError(
            f"{escaped(path.name)} is still being written: wait until it is whole, then run the same command again"
        )


class MediaWatch:
    """Watch over the film during one run. `record` is the film as the stages are told it."""

    def __init__(self, path: Path, job_folder: Path) -> None:
        """Begin to watch. Raises OSError where the film cannot be read."""
        self._path, self._job_folder = path, job_folder
        self._stamp = stamp(path)
        self.record = media.identity(path)
        self._reader: threading.Thread | None = None
        self._end = threading.Event()
        self._writing = threading.Lock()

    def look(self, when: str) -> None:
        """Look at the film. Raises StageFailed where it is not what it was when the run began."""
        try:
            now = stamp(self._path)
            found = media.identity(self._path) if now != self._stamp else self.record
            if (found.size, found.sha256) != (self.record.size, self.record.sha256) or (
                now != self._stamp and not self._same_bytes()
            ):
                raise self._changed(found, when)
        except OSError as error:
            raise StageFailed(
                f"{self._name} cannot be read any more ({error.strerror}), "
                f"{when}: put it back, then run the same command again"
            ) from None
        self._stamp, self.record = now, found

    def read_whole(self) -> None:
        """Read the film to its last byte, in a thread, unless that was done in an earlier run."""
        known = read_whole_file(self._job_folder)
        if self._reader or (
            known and (known.content.size, known.content.mtime_ns) == (self.record.size, self.record.mtime_ns)
        ):
            return
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def finish(self, say: Callable[[str], None]) -> None:
        """Wait for the reading, whose findings are worth having, but no longer than PATIENCE."""
        if self._reader:
            self._reader.join(1)
            if self._reader.is_alive():
                say(f"Reading {self._name} to its end, for --verify")
            self._reader.join(PATIENCE)

    def close(self) -> None:
        """End the reading: nothing is written to the job's folder from now on."""
        with self._writing:
            self._end.set()

    def verify(self, now: str) -> str:
        """Read all of the film, and tell why it is another than before; "" where it is not, or was never read.
        Raises OSError."""
        known, found = read_whole_file(self._job_folder), record(self._path)
        changed = known is not None and (known.content.size, known.content.sha256) != (found.size, found.sha256)
        if not changed and known and known.content == found:
            return ""
        self._write(WholeFile(content=found, since=now if changed else known.since if known else ""))
        return f"{self._name} is not what it was: its bytes have changed since it was read" if changed else ""

    def _read(self) -> None:
        digest = hashlib.sha256()
        try:
            with self._path.open("rb") as file:
                while block := file.read(BLOCK):
                    digest.update(block)
                    if self._end.is_set():
                        return
            self._note_content(digest.hexdigest())
        except OSError:
            return  # the stage that reads it tells

    def _note_content(self, sha256: str) -> None:
        with self._writing:
            if not self._end.is_set() and stamp(self._path) == self._stamp:
                known = read_whole_file(self._job_folder)
                content = FileRecord(self.record.size, self.record.mtime_ns, sha256)
                self._write(WholeFile(content=content, since=known.since if known else ""))

    def _write(self, whole: WholeFile) -> None:
        write_atomic(self._job_folder / FILE, json_document(whole))

    def _same_bytes(self) -> bool:
        """Tell whether all of it is as it was when it was read: its date, its owner or its name may be others.
        Raises OSError."""
        known = read_whole_file(self._job_folder)
        if known is None or (known.content.size, known.content.mtime_ns) != (self.record.size, self.record.mtime_ns):
            return False
        found = record(self._path)
        if found.sha256 != known.content.sha256:
            return False
        self._write(WholeFile(content=found, since=known.since))
        return True

    def _changed(self, found: FileRecord, when: str) -> StageFailed:
        then = self.record.size
        how = f"has grown from {size(then)} to {size(found.size)}" if found.size > then else "is not the same any more"
        return StageFailed(
            f"{self._name} {how}, {when}: wait until nothing writes to it, then run the same command again"
        )

    @property
    def _name(self) -> str:
        return escaped(self._path.name)
