"""Find recordings in a folder, or in a list of files, by their names: nothing is read but folders and the list."""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from sutradhar.pipeline.commands import path_of_address
from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.wording import counted, escaped, shortened

KINDS = (
    "3gp aac ac3 aif aiff alaw amr asf au avi caf dts eac3 flac flv gsm "
    "m2ts m4a m4b m4v mka mkv mov mp2 mp3 mp4 mpeg mpg mts mxf"
    " oga ogg ogv opus snd ts tta ulaw vob voc w64 wav webm wma wmv wv"
)
SUFFIXES = frozenset(f".{kind}" for kind in KINDS.split())
JOB_FILES = frozenset(("job.json", "stages"))  # names by which a job is known, also in a copy or a backup
KINDS_NAMED = 4  # kinds of left-out files that are named
ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")


@dataclass
class Found:
    """Paths from the folder or that of the list, absolute for listed files that lie elsewhere; and what was left
    out."""

    folder: Path
    paths: list[str] = field(default_factory=list)
    by_name: Counter[str] = field(default_factory=Counter)  # by suffix
    hidden: int = 0
    links: int = 0  # links to folders
    own: list[str] = field(default_factory=list)  # folders of ours
    jobs: int = 0  # jobs that another clone has prepared, or copies of ours
    closed: dict[str, str] = field(default_factory=dict)  # folders that cannot be listed, with why

    @property
    def other_names(self) -> str:
        """Return the end of a line: "; left out by their names: 2 .txt (CORPUS_GLOB chooses)"."""
        kinds = ", ".join(
            f"{count} {suffix or 'without suffix'}" for suffix, count in self.by_name.most_common(KINDS_NAMED)
        )
        if more := sum(count for _, count in self.by_name.most_common()[KINDS_NAMED:]):
            kinds += f" and {more} more"
        return f"; left out by their names: {kinds} (CORPUS_GLOB chooses)" if kinds else ""

    @property
    def unread(self) -> str:
        """Return "2 folders cannot be read: calls (Input/output error) and 1 more"; "" where all can."""
        if not self.closed:
            return ""
        more = f" and {len(self.closed) - 1:,} more" if len(self.closed) > 1 else ""
        path, reason = next(iter(self.closed.items()))
        why = "" if reason == os.strerror(errno.EACCES) else f" ({reason})"
        return f"{counted(len(self.closed), 'folder')} cannot be read: {shortened(escaped(path))}{why}{more}"

    @property
    def unseen(self) -> str:
        """Return what no pattern can choose: "left out: 2 hidden, 1 link to a folder"."""
        parts = [f"{self.hidden} hidden"] if self.hidden else []
        parts += (
            [f"{counted(self.links, 'link')} to {'a folder' if self.links == 1 else 'folders'}"] if self.links else []
        )
        parts += [f"our own {', '.join(map(escaped, self.own))}"] if self.own else []
        parts += [f"{counted(self.jobs, 'job')} of another Sutradhar"] if self.jobs else []
        return f"left out: {', '.join(parts)}" if parts else ""


def find(source: Path, patterns: str, own: Sequence[Path] = ()) -> Found:
    """Find the recordings of a folder or a list. In a folder, `patterns` (`*.wav,*.mp3`) choose by name or path, or
    else all that is called like a recording is taken, but nothing in folders of our `own`. Of a list all is taken,
    or what the patterns choose. Raises UsageError."""
    is_list = source.is_file()
    found = Found(source.parent if is_list else source)
    ours = {identity for path in own if (identity := _identity(path))}
    wanted = [pattern.strip() for pattern in patterns.split(",") if pattern.strip()]
    try:
        for path in _listed(source) if is_list else _walk(source, found, ours):
            name = path.rpartition("/")[2]
            suffix = os.path.splitext(name)[1]  # noqa: PTH122 - paths here are text
            chosen = any(fnmatch(path, pattern) or fnmatch(name, pattern) for pattern in wanted)
            if chosen if wanted else is_list or suffix.lower() in SUFFIXES:
                found.paths.append(path)
            else:
                found.by_name[escaped(suffix)] += 1
    except OSError as error:
        raise UsageError(f"Cannot read {error.filename or source}: {error.strerror}; look at its permissions") from None
    return found


def sizes(found: Found) -> Iterator[int]:
    """Yield the sizes of those that are there, in bytes."""
    for path in found.paths:
        with contextlib.suppress(OSError):
            yield os.stat(os.path.join(found.folder, path)).st_size  # noqa: PTH116, PTH118 - paths here are text


def _walk(folder: Path, found: Found, own: Set[tuple[int, int]]) -> Iterator[str]:
    """Yield the path of everything below a folder except folders, in order of the names. Hidden names, links to
    folders, `own` folders and folders of jobs are left out, and counted; a folder that cannot be listed costs only
    itself."""
    start = len(os.path.join(folder, ""))  # noqa: PTH118 - paths here are text
    waiting = [str(folder)]
    while waiting:
        now = waiting.pop()
        try:
            with os.scandir(now) as entries:
                here = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            if now == str(folder):
                raise
            found.closed[now[start:]] = error.strerror or str(error)
            continue
        if now != str(folder) and JOB_FILES <= {entry.name for entry in here}:
            found.jobs += 1
            continue
        folders = []
        for entry in here:
            if entry.name.startswith("."):
                found.hidden += 1
            # Also a link that leads nowhere or in a circle: a recording that cannot be read.
            elif not _is_folder(entry):
                yield entry.path[start:]
            elif entry.is_symlink():
                found.links += 1
            elif own and _identity(entry.path) in own:
                found.own.append(entry.path[start:])
            else:
                folders.append(entry.path)
        waiting += reversed(folders)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Tell whether it is a folder, or a link to one."""
    with contextlib.suppress(OSError):
        return entry.is_dir()
    return False


def _identity(path: str | Path) -> tuple[int, int] | None:
    """Identify a file, whatever it is called, and by whatever links; None where it is not there."""
    with contextlib.suppress(OSError):
        status = os.stat(path)  # noqa: PTH116 - paths here are text
        return status.st_dev, status.st_ino
    return None


def _listed(source: Path) -> Iterator[str]:
    """Return the files that a list names. Those below the list's own folder get a path from there; all are absolute
    where otherwise the results of two would meet, as those of `home/a.wav` and `/home/a.wav`. Raises UsageError,
    OSError."""
    text = source.read_text(encoding="utf-8-sig", errors="surrogateescape")
    if "\0" in text:
        raise UsageError(f"{source} is no list of files in UTF-8; write the path of a recording into each of its lines")
    lines = ((number, line.strip(" \t\r")) for number, line in enumerate(text.split("\n"), start=1))
    names = (_as_path(name, f"{source} line {number}") for number, name in lines if name and not name.startswith("#"))
    # Without `..`, but not through symbolic links
    absolute = list(dict.fromkeys(os.path.abspath(source.parent / name) for name in names))  # noqa: PTH100
    own = os.path.join(os.path.abspath(source.parent), "")  # noqa: PTH100, PTH118
    paths = [path.removeprefix(own) for path in absolute]
    yield from paths if len({path.lstrip("/") for path in paths}) == len(paths) else absolute


def _as_path(name: str, where: str) -> str:
    """Return a path, or a `file://` address, as a path. Raises UsageError for other addresses."""
    if name.lower().startswith("file://"):
        try:
            return path_of_address(name)
        except UsageError as error:
            raise UsageError(f"{where}: {error}") from None
    if address := ADDRESS.match(name):
        raise UsageError(
            f"{where}: {address.group()} addresses are not fetched; download the recordings, and list their paths"
        )
    return name
