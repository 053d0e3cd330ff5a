"""The standing of jobs, told without disturbing a run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from enum import Enum

from sutradhar.pipeline import media
from sutradhar.pipeline.console import clock, pace
from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.jobs.freshness import staleness
from sutradhar.pipeline.jobs.job import Job, Running
from sutradhar.pipeline.jobs.job_models import JobModels
from sutradhar.pipeline.jobs.markers import read_marker
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.jobs.stage import Stage
from sutradhar.pipeline.jobs.workflow import steps_of
from sutradhar.pipeline.progress import REAL_TIME, Progress
from sutradhar.stages import WORKFLOWS


class JobState(Enum):
    """The state of a job or a stage, in the words of `--status`."""

    DONE = "done"
    UNFINISHED = "unfinished"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    RUNNING = "running"
    BROKEN = "broken settings"


def of_stages(job: Job) -> Iterator[tuple[str, JobState, str]]:
    """Yield for each stage its name, whether it is done, and a remark. Raises UsageError where the settings cannot
    be read."""
    settings = job.settings()
    models = JobModels(job, settings)
    media_record = None
    with contextlib.suppress(OSError):
        media_record = None if job.media.is_dir() else media.identity(job.media)
    running = job.running()
    for step in steps_of(WORKFLOWS, settings):
        stage = step.stage
        marker = read_marker(job.marker_path(stage.name), lambda warning: None)
        stopped = job.stopped(stage.name)
        if running and running.stage == stage.name:
            remark = (
                pace(running.progress, running.seconds) if running.progress.total else f"for {clock(running.seconds)}"
            )
            yield stage.name, JobState.RUNNING, remark
        elif marker is None:
            yield stage.name, JobState.UNFINISHED, _standing(job, stage, settings, stopped)
        elif reason := staleness(job, step, marker, settings, models, media_record):
            yield (
                stage.name,
                JobState.UNFINISHED,
                "; ".join(filter(None, (f"will run again: {reason}", _standing(job, stage, settings, stopped)))),
            )
        elif stage.always and (stopped or _has_new(job, stage, settings)):
            yield stage.name, JobState.UNFINISHED, _standing(job, stage, settings, stopped)
        else:
            yield (
                stage.name,
                JobState.DONE,
                "; ".join(filter(None, (f"{marker.seconds:.1f}s", marker.summary, *marker.degraded, marker.failures))),
            )


def _standing(job: Job, stage: Stage, settings: Settings, stopped: Running | None) -> str:
    standing = stage.standing(job.folder, settings)
    return standing.text if standing else _how_far(stopped)


def _has_new(job: Job, stage: Stage, settings: Settings) -> bool:
    """Return whether a run of earlier stages alone has found something since. Dates are looked at first, as a
    closer look takes time."""
    ended = job.marker_path(stage.name).stat().st_mtime_ns
    if not any(path.stat().st_mtime_ns > ended for name in stage.keeps if (path := job.folder / name).exists()):
        return False
    standing = stage.standing(job.folder, settings)
    return standing is not None and standing.is_new


def _how_far(stopped: Running | None) -> str:
    """Say how far a run was that ended early."""
    if not stopped:
        return ""
    progress = stopped.progress
    if progress.kept:
        return kept(progress)
    if progress.note:
        return f"it had come to {progress.note}"
    if progress.total and progress.unit == REAL_TIME:
        return f"it had come to {clock(progress.done)} of {clock(progress.total)}"
    return f"it had come to {100 * progress.done / progress.total:.0f} %" if progress.total else "it had begun"


def kept(progress: Progress) -> str:
    """Say what is kept, for somebody whose run of a stage with pieces was interrupted."""
    return f"{progress.kept} are kept; what was in hand is done again"


def of_job(job: Job) -> JobState:
    if job.running():
        return JobState.RUNNING
    try:
        states = {state for _, state, _ in of_stages(job)}
    except UsageError:
        return JobState.BROKEN
    if states == {JobState.DONE}:
        return JobState.DONE
    if job.was_interrupted:
        return JobState.INTERRUPTED
    return JobState.FAILED if job.failure() else JobState.UNFINISHED


def of_interest(jobs: list[Job]) -> list[Job]:
    """Return the jobs that run; where none does, the newest. `jobs` holds at least one, oldest first."""
    return [job for job in jobs if job.running()] or jobs[-1:]


def listing(jobs: list[Job]) -> Iterator[str]:
    for job in jobs:
        yield f"{job.id:<40} {of_job(job).value:<12} {_length(job):>8}  {job.media.name}"


def _length(job: Job) -> str:
    if job.request.duration_ms:
        return clock(job.request.duration_ms / 1000)
    return "list" if job.request.media_record else "folder"


def report(job: Job) -> Iterator[str]:
    """Yield the lines about a job. Raises UsageError where its settings cannot be read."""
    yield f"Job {job.id}: {of_job(job).value}"
    if failure := job.failure():
        yield f"  last run   {failure}"
    yield f"  media      {job.media} ({_length(job)})"
    yield f"  settings   {job.env_path}"
    for name, state, remark in of_stages(job):
        yield f"  {name:<10} {state.value:<11} {remark}".rstrip()
    for path in sorted(job.deliverables.glob("[!.]*")) if job.deliverables.is_dir() else []:
        yield f"  file       {path}"
