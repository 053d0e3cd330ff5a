"""Looks at every file of a folder of recordings: what it is, how long, and whether it is a copy of another.

A file whose size and date are as they were is not read again, so looking for what is new takes seconds.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from itertools import islice
from pathlib import Path
from stat import S_ISREG

from msgspec.structs import replace

from pipeline import media
from pipeline.console import clock
from pipeline.errors import StageFailed, UsageError
from pipeline.files import record
from pipeline.settings import Settings
from pipeline.stage import Outcome, Stage, StageContext
from pipeline.wording import counted
from stages import manifest
from stages.manifest import Journal, Recording

KINDS = (
    "3gp aac ac3 aif aiff alaw amr asf au avi caf dts eac3 flac flv gsm m2ts m4a m4b m4v mka mkv mov mp2 mp3 mp4 mpeg mpg mts mxf"
    " oga ogg ogv opus snd ts tta ulaw vob voc w64 wav webm wma wmv wv"
)
SUFFIXES = frozenset(f".{kind}" for kind in KINDS.split())
THREADS = 4  # reading waits for disks and networks
AT_ONCE = 256  # rows written together


def run(ctx: StageContext) -> Outcome:
    path = ctx.keep(manifest.FILE)
    known = manifest.read(path)
    ctx.log.info(f"Looking for recordings in {ctx.media.name}")
    found, left_out = _find(ctx.media, _patterns(ctx.settings))
    if not found:
        raise StageFailed(f"{ctx.media} holds no recordings{_hint(left_out)}")
    rows = {row.path: row for row in _look(ctx, path, found, known)}
    manifest.rewrite(path, rows.values())
    return Outcome(
        summary=_summary(rows, known, left_out),
        packages=("av",),
        seconds_of_media=sum(row.duration_ms for row in rows.values()) / 1000,
    )


def _summary(rows: Mapping[str, Recording], known: Mapping[str, Recording], left_out: Counter[str]) -> str:
    parts = [f"{counted(len(rows), 'recording')}, {clock(sum(row.duration_ms for row in rows.values()) / 1000)} of sound"]
    statuses = Counter(row.status for row in rows.values())
    parts += [f"{statuses[status]} {status}" for status in ("empty", "unsupported") if statuses[status]]
    good = [row.id for row in rows.values() if row.status not in ("empty", "unsupported")]
    if copies := len(good) - len(set(good)):
        parts.append("1 copy of another" if copies == 1 else f"{copies} copies of others")
    if known and (new := len(rows.keys() - known.keys())):
        parts.append(f"{new} new")
    if gone := len(known.keys() - rows.keys()):
        parts.append(f"{gone} gone")
    return "Found " + ", ".join(parts) + _hint(left_out)


def _hint(left_out: Counter[str]) -> str:
    kinds = ", ".join(f"{count} {suffix or 'without suffix'}" for suffix, count in left_out.most_common(4))
    return f"; left out by their names: {kinds} (CORPUS_GLOB chooses)" if kinds else ""


def _patterns(settings: Settings) -> tuple[str, ...]:
    return tuple(pattern.strip() for pattern in settings.CORPUS_GLOB.split(",") if pattern.strip())


def _find(source: Path, patterns: tuple[str, ...]) -> tuple[list[str], Counter[str]]:
    """Paths, and how many files of which suffix were left out. Raises StageFailed."""
    found, left_out = [], Counter[str]()
    try:
        for path in _listed(source) if source.is_file() else _walk(source):
            name = path.rpartition("/")[2]
            suffix = os.path.splitext(name)[1]  # noqa: PTH122 - paths here are text
            chosen = any(fnmatch(path, pattern) or fnmatch(name, pattern) for pattern in patterns)
            if chosen if patterns else suffix.lower() in SUFFIXES or source.is_file():
                found.append(path)
            else:
                left_out[_printable(suffix)] += 1
    except OSError as error:
        raise StageFailed(f"Cannot read {_printable(str(error.filename or source))}: {error.strerror}; look at its permissions") from None
    return found, left_out


def _walk(folder: Path) -> Iterator[str]:
    """What is no folder below a folder, in order of the names; what is hidden and links to folders are left out."""
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        with os.scandir(here) as entries:
            visible = sorted((entry for entry in entries if not entry.name.startswith(".")), key=lambda entry: entry.name)
        yield from (str(Path(entry.path).relative_to(folder)) for entry in visible if not _is_folder(entry))
        waiting += [Path(entry.path) for entry in reversed(visible) if entry.is_dir(follow_symlinks=False)]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """A link that leads nowhere or in a circle is none: it is a recording that cannot be read."""
    return os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()  # noqa: PTH112 - Path.is_dir raises PermissionError


def _listed(source: Path) -> Iterator[str]:
    """The files that a list names, a path a line, absolute or from the list's own folder. Raises StageFailed, OSError."""
    text = source.read_text(encoding="utf-8-sig", errors="surrogateescape")
    if "\0" in text:
        raise StageFailed(f"{source} is no list of files in UTF-8; write the path of a recording into each of its lines")
    seen = set()
    for line in text.split("\n"):
        name = line.strip(" \t\r")
        path = os.path.abspath(source.parent / name)  # noqa: PTH100 - without `..`, but not through symbolic links
        if name and not name.startswith("#") and path not in seen:
            seen.add(path)
            yield path


def _look(ctx: StageContext, path: Path, found: list[str], known: Mapping[str, Recording]) -> Iterator[Recording]:
    """A row for each file, written down as it is made: a run that is killed here goes on from there."""
    folder = manifest.folder_of(ctx.media)
    done = 0
    with ThreadPoolExecutor(THREADS) as pool, Journal(path) as journal:
        names = iter(found)
        while batch := list(islice(names, AT_ONCE)):
            rows = list(pool.map(lambda name: _row(folder, name, known.get(name), ctx.settings), batch))
            journal.append(row for row in rows if row is not known.get(row.path))
            yield from rows
            done += len(batch)
            ctx.progress(done, len(found), unit=" files/s", note=f"{done:,} of {len(found):,} files looked at")


def _row(folder: Path, name: str, known: Recording | None, settings: Settings) -> Recording:
    if (printable := _printable(name)) != name:
        return _unreadable(printable, "its name is not UTF-8: rename it")
    path = folder / name
    try:
        status = path.stat()
    except OSError as error:
        return _unreadable(name, f"cannot be read: {error.strerror}")
    if not S_ISREG(status.st_mode):  # reading a pipe would never end
        return _unreadable(name, "it is no file")
    unchanged = known and (known.bytes, known.mtime_ns) == (status.st_size, status.st_mtime_ns)
    large_enough = status.st_size >= settings.CORPUS_MIN_BYTES
    if known and unchanged and large_enough and known.status not in ("empty", "unsupported"):  # those are few, and settings may have changed
        return known
    row = _examined(path, name, settings)
    return known if row == known else row


def _unreadable(name: str, reason: str) -> Recording:
    return Recording(path=name, id="", bytes=0, mtime_ns=0, status="unsupported", reason=reason)


def _printable(name: str) -> str:
    """Bytes of a name that are no UTF-8, which Python keeps as lone surrogates, as `\\xff`."""
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")


def _examined(path: Path, name: str, settings: Settings) -> Recording:
    try:
        content = record(path)
    except OSError as error:
        return _unreadable(name, f"cannot be read: {error.strerror}")
    row = Recording(path=name, id=content.sha256, bytes=content.size, mtime_ns=content.mtime_ns)
    if content.size < max(1, settings.CORPUS_MIN_BYTES):
        return replace(row, status="empty", reason=counted(content.size, "byte"))
    try:
        info = media.probe(path)
    except (UsageError, StageFailed) as error:
        return replace(row, status="unsupported", reason=str(error))
    row = replace(row, duration_ms=info.duration_ms, codec=info.audio[0].codec, channels=info.audio[0].channels)
    return row if info.duration_ms else replace(row, status="empty", reason="0 s of sound")


STAGE = Stage(
    name="scan",
    run=run,
    keeps=(manifest.FILE,),
    settings=("CORPUS_GLOB", "CORPUS_MIN_BYTES"),
    always=True,
)
