"""The last step of a stage: puts what it made into its place, and its marker after it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path

from sutradhar.pipeline.files import FileRecord, record, sync_file, sync_folder
from sutradhar.pipeline.jobs.job import Job
from sutradhar.pipeline.jobs.markers import Marker, write_marker


def synced_records(folder: Path, names: Iterable[str]) -> dict[str, FileRecord]:
    """Return the records of those files that exist, each durable on the disk. Raises OSError."""
    records = {}
    for name in names:
        if (folder / name).is_file():
            sync_file(folder / name)
            records[name] = record(folder / name)
    return records


def publish(
    job: Job, marker: Marker, old: Marker | None, scratch: Path, deliverables: Path, warn: Callable[[str], None]
) -> None:
    """Rename everything into place, then write the marker. Until that last step the stage counts as not done."""
    _publish_deliverables(job, marker, old, deliverables, warn)
    marker_path = job.marker_path(marker.stage)
    marker_path.parent.mkdir(exist_ok=True)
    if marker_path.is_dir():
        marker_path.rmdir()
    marker_path.unlink(missing_ok=True)
    sync_folder(marker_path.parent)
    for name in marker.outputs:
        target = job.artifacts / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (scratch / name).replace(target)
    for folder in {marker_path.parent, *((job.artifacts / name).parent for name in marker.outputs)}:
        sync_folder(folder)
    write_marker(marker_path, marker)


def let_read(job: Job, mode: int) -> None:
    """Give the job's files in `out/` the mode that was asked for, and its folders the same with a way in. Raises
    OSError."""
    ways_in = 0o700 | mode | (mode & 0o044) >> 2
    with contextlib.suppress(PermissionError):  # the folder of all jobs may be somebody else's
        job.deliverables.parent.chmod(job.deliverables.parent.stat().st_mode & 0o777 | (ways_in & 0o011))
    for folder, _, names in os.walk(job.deliverables):
        Path(folder).chmod(ways_in)
        for path in (Path(folder, name) for name in names):
            if not path.is_symlink() and not path.name.startswith("."):
                path.chmod(mode)


def _publish_deliverables(
    job: Job, marker: Marker, old: Marker | None, deliverables: Path, warn: Callable[[str], None]
) -> None:
    """Publish the files for the user while the old marker is still there: it alone tells the files of an earlier
    run from those that somebody has edited."""
    ours = old.deliverables if old else {}
    for name in ours.keys() - marker.deliverables.keys():
        _retire(job.deliverables / name, ours[name], warn)
    for name, new in marker.deliverables.items():
        target = job.deliverables / name
        _keep_if_edited(target, (new, ours.get(name)), warn)
        (deliverables / name).replace(target)
    sync_folder(job.deliverables)


def _retire(path: Path, known: FileRecord, warn: Callable[[str], None]) -> None:
    """Remove a file of an earlier run that this run no longer makes, unless somebody has changed it."""
    if path.is_file() and known.looks_same(path):
        path.unlink()
    elif path.exists():
        warn(f"{path.name} is from earlier settings, but was edited: it stays")


def _keep_if_edited(path: Path, ours: tuple[FileRecord | None, ...], warn: Callable[[str], None]) -> None:
    """Move a file that somebody has edited out of the way of its new version."""
    if not path.is_file() or any(known and known.looks_same(path) for known in ours):
        return
    if record(path).sha256 in {known.sha256 for known in ours if known}:
        return
    kept = next(
        spare for n in count(1) if not (spare := path.with_name(f"{path.stem}.edited-{n}{path.suffix}")).exists()
    )
    path.rename(kept)
    warn(f"{path.name} had been edited: your version is kept as {kept.name}")
