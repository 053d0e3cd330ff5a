"""The leftovers of killed processes: files left half made. They are removed by whoever can take the lock that their
maker would hold."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from sutradhar.pipeline.workspace import Workspace

WRITING = 3600.0  # seconds after which nobody writes a small file any more


def sweep(job_folder: Path, stages: Path, deliverables: Path) -> None:
    """Remove what an interrupted run has left in the folders of its job and of its stages, while the job is locked.
    The folders below the deliverables belong to the stages: a recording may have any name. Follows no link. Raises
    OSError."""
    remove_from((job_folder, *job_folder.glob("*/"), stages, *stages.glob("*/"), deliverables))


def remove_from(folders: Iterable[Path]) -> None:
    """Remove what is half written in these folders alone, not below them. Follows no link. Raises OSError."""
    for folder in (folder for folder in folders if not folder.is_symlink()):
        for leftover in folder.glob(".tmp-*"):
            if leftover.is_dir() and not leftover.is_symlink():
                shutil.rmtree(leftover)
            else:
                leftover.unlink(missing_ok=True)


def sweep_workspace(workspace: Workspace) -> None:
    """Remove what was left outside of jobs."""
    from sutradhar.pipeline.models import integrity  # imported only when a command knows that it has work

    sweep_jobs(workspace.jobs)
    sweep_models(workspace.models)
    for file in (*workspace.out.glob(".tmp-*"), *(workspace.out / integrity.FOLDER).glob(".tmp-*")):
        with contextlib.suppress(OSError):
            if file.stat().st_mtime < time.time() - WRITING:
                file.unlink()


@contextlib.contextmanager
def making_a_job(jobs: Path) -> Iterator[None]:
    """Hold the folder of all jobs with others who make one: half-made jobs there have an owner until this ends."""
    with _open(jobs) as descriptor:
        with contextlib.suppress(OSError):  # a share without locks, where nothing is swept either
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield


def sweep_jobs(jobs: Path) -> None:
    """Remove half-made jobs that nobody is making any more."""
    leftovers = list(jobs.glob(".tmp-*"))
    if not leftovers:
        return
    with contextlib.suppress(OSError), _open(jobs) as descriptor:  # somebody makes a job, or there are no locks
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for leftover in leftovers:
            shutil.rmtree(leftover, ignore_errors=True)


def sweep_models(models: Path) -> None:
    """Remove half-made models and their locks. Started downloads stay: the next attempt goes on from there."""
    names = {path.name.removeprefix(".make-") for path in models.glob(".make-*")}
    names |= {path.name.removeprefix(".fetch-").removesuffix(".lock") for path in models.glob(".fetch-*.lock")}
    if not names:
        return
    from filelock import FileLock, Timeout

    for name in names:
        lock = FileLock(models / f".fetch-{name}.lock")
        with contextlib.suppress(Timeout, OSError), lock.acquire(timeout=0):
            shutil.rmtree(models / f".make-{name}", ignore_errors=True)
            Path(lock.lock_file).unlink(missing_ok=True)  # as pipeline/models/downloads.py does it


@contextlib.contextmanager
def _open(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
