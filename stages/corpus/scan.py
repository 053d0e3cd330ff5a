"""Look at every file of a folder of recordings: its kind, its length, and whether it is a copy of another.

A file whose size and date are as they were is not read again, so looking for what is new takes seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from stat import S_ISREG

from msgspec.structs import replace

from sutradhar.pipeline import media
from sutradhar.pipeline.console import clock
from sutradhar.pipeline.errors import StageFailed, UsageError
from sutradhar.pipeline.files import record
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.jobs.stage import Outcome, Stage, StageContext
from sutradhar.pipeline.media.recordings import Found, find
from sutradhar.pipeline.wording import counted, escaped, is_utf8, shortened
from sutradhar.stages.corpus import manifest
from sutradhar.stages.corpus.manifest import Folders, Journal, Recording
from sutradhar.stages.transcript import save

THREADS = 4  # reading waits for disks and networks
AT_ONCE = 256  # rows written together
SHA256 = 64  # hexadecimal digits
NAMED = 20  # the most folders named that cannot be listed


def run(ctx: StageContext) -> Outcome:
    path = ctx.keep(manifest.FILE)
    known = manifest.read(path, ctx.log.warning)
    ctx.log.info(f"Looking for recordings in {ctx.media.name}")
    found = find(ctx.media, ctx.settings.CORPUS_GLOB, ctx.own_folders)
    if found.unseen:
        ctx.log.info(found.unseen.capitalize())
    if not found.paths:
        raise StageFailed(f"{ctx.media} holds no recordings{found.other_names}{found.unread and f'; {found.unread}'}")
    for folder, reason in islice(found.closed.items(), NAMED):
        ctx.log.warning(f"{shortened(escaped(folder))}/ cannot be listed: {reason}")
    rows = {row.path: row for row in (*_look(ctx, path, found.paths, known), *_kept(known, found))}
    save(ctx.write("folders"), Folders({escaped(folder): reason for folder, reason in found.closed.items()}))
    if gone := len(known.keys() - rows.keys()):
        ctx.log.warning(
            f"{counted(gone, 'recording')} of earlier runs not found any more: "
            "in no table from now on; their files in transcripts/ stay"
        )
    manifest.rewrite(path, rows.values())
    return Outcome(
        summary=_summary(rows, known, found),
        packages=("av",),
        degraded=(found.unread,) if found.unread else (),
        failures=_failures(found),
        seconds_of_media=sum(row.duration_ms for row in rows.values()) / 1000,
    )


def _kept(known: Mapping[str, Recording], found: Found) -> list[Recording]:
    """Return what is known of recordings in folders that cannot be listed now: a network that is away for a moment
    takes nothing out of the tables."""
    closed = tuple(f"{folder}/" for folder in found.closed)
    return [row for path, row in known.items() if path.startswith(closed)] if closed else []


def _failures(found: Found) -> str:
    """Say how many folders could not be listed; "" for none. Nobody expects transcripts of a disk's own lost+found."""
    closed = [folder for folder in found.closed if folder != "lost+found"]
    return (
        f"{counted(len(closed), 'folder')} could not be listed, and what may lie there has no transcript"
        if closed
        else ""
    )


def _summary(rows: Mapping[str, Recording], known: Mapping[str, Recording], found: Found) -> str:
    parts = [
        f"{counted(len(rows), 'recording')}, {clock(sum(row.duration_ms for row in rows.values()) / 1000)} of sound"
    ]
    statuses = Counter(row.status for row in rows.values())
    parts += [f"{statuses[status]} {status}" for status in manifest.NO_RECORDING if statuses[status]]
    good = [row.id for row in rows.values() if row.status not in manifest.NO_RECORDING]
    if copies := len(good) - len(set(good)):
        parts.append("1 copy of another" if copies == 1 else f"{copies} copies of others")
    if known and (new := len(rows.keys() - known.keys())):
        parts.append(f"{new} new")
    if gone := len(known.keys() - rows.keys()):
        parts.append(f"{gone} gone")
    return "Found " + ", ".join(parts) + found.other_names


def _look(ctx: StageContext, path: Path, found: list[str], known: Mapping[str, Recording]) -> Iterator[Recording]:
    """Yield a row for each file, written down as it is made: a run that is killed here goes on from there."""
    folder = manifest.folder_of(ctx.media)
    done = 0
    with ThreadPoolExecutor(THREADS) as pool, Journal(path) as journal:
        names = iter(found)
        while batch := list(islice(names, AT_ONCE)):
            rows = list(pool.map(lambda name: _row(folder, name, known.get(name), ctx), batch))
            journal.append(row for row in rows if row is not known.get(row.path))
            yield from rows
            done += len(batch)
            ctx.progress(done, len(found), unit=" files/s", note=f"{done:,} of {len(found):,} files looked at")


def _row(folder: Path, name: str, known: Recording | None, ctx: StageContext) -> Recording:
    if not is_utf8(name):
        return _unreadable(escaped(name), "its name is not UTF-8: rename it")
    path = folder / name
    try:
        status = path.stat()
    except OSError as error:
        return _unreadable(name, f"cannot be read: {error.strerror}")
    if not S_ISREG(status.st_mode):  # reading a pipe would never end
        return _unreadable(name, "it is no file")
    unchanged = (
        known and len(known.id) == SHA256 and (known.bytes, known.mtime_ns) == (status.st_size, status.st_mtime_ns)
    )
    large_enough = status.st_size >= ctx.settings.CORPUS_MIN_BYTES
    # Files that are no recordings are few, and settings may have changed.
    as_before = known and unchanged and large_enough and known.status not in manifest.NO_RECORDING
    if known and as_before and (not ctx.verify or _holds(path, known)):
        return known
    row = _examined(path, name, ctx.settings)
    return known if row == known else row


def _holds(path: Path, known: Recording) -> bool:
    """Return whether all of the file is as it was, whatever its date says."""
    try:
        return record(path).sha256 == known.id
    except OSError:
        return False


def _unreadable(name: str, reason: str) -> Recording:
    return Recording(path=name, id="", bytes=0, mtime_ns=0, status="unsupported", reason=reason)


def _examined(path: Path, name: str, settings: Settings) -> Recording:
    try:
        content = record(path)
    except OSError as error:
        return _unreadable(name, f"cannot be read: {error.strerror}")
    row = Recording(path=name, id=content.sha256, bytes=content.size, mtime_ns=content.mtime_ns)
    if content.size < max(1, settings.CORPUS_MIN_BYTES):
        too_few = f", fewer than CORPUS_MIN_BYTES={settings.CORPUS_MIN_BYTES}" if content.size else ""
        return replace(row, status="empty", reason=counted(content.size, "byte") + too_few)
    try:
        info = media.probe(path)
    except (UsageError, StageFailed) as error:
        return replace(row, status="unsupported", reason=media.without_name(str(error), path))
    row = replace(row, duration_ms=info.duration_ms, codec=info.audio[0].codec, channels=info.audio[0].channels)
    return row if info.duration_ms else replace(row, status="empty", reason="0 s of sound")


STAGE = Stage(
    name="scan",
    run=run,
    writes=("folders",),
    keeps=(manifest.FILE,),
    settings=("CORPUS_GLOB", "CORPUS_MIN_BYTES"),
    always=True,
)
