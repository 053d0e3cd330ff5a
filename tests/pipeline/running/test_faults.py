"""Every call that touches the disk fails once, in turn: a run then says so or succeeds, and the next one puts all right."""

from __future__ import annotations

import errno
import io
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sutradhar.pipeline import media
from sutradhar.pipeline.console import Console
from sutradhar.pipeline.errors import StageFailed, SutradharError, in_one_line
from sutradhar.pipeline.files import record
from sutradhar.pipeline.jobs import envfile, markers
from sutradhar.pipeline.jobs.freshness import staleness
from sutradhar.pipeline.jobs.job import Job, Request
from sutradhar.pipeline.jobs.job_models import JobModels
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.jobs.workflow import steps_of
from sutradhar.pipeline.processes.channel import EventWriter
from sutradhar.pipeline.running import stage_process
from sutradhar.pipeline.running.child import Assignment, Finished, run_stage
from sutradhar.pipeline.running.runner import Plan, run_job
from sutradhar.pipeline.workspace import Workspace
from tests.fakes.sutradhar.stages import WORKFLOWS

METHODS = ((Path, ("open", "replace", "rename", "unlink", "mkdir", "rmdir")), (os, ("open", "fsync")))


class Disk:
    """Fails at the Nth call, and where it is broken at all that follow."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls, self.fail_at, self.broken = 0, 0, False
        monkeypatch.setattr(os, "fsync", lambda descriptor: None)  # nobody pulls the plug here
        for owner, names in METHODS:
            for name in names:
                monkeypatch.setattr(owner, name, self.counted(getattr(owner, name)))

    def arm(self, fail_at: int, *, broken: bool = False) -> None:
        self.calls, self.fail_at, self.broken = 0, fail_at, broken

    def tick(self) -> None:
        self.calls += 1
        if self.fail_at and (self.calls == self.fail_at or (self.broken and self.calls > self.fail_at)):
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def counted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            self.tick()
            made = function(*arguments, **options)
            return File(made, self) if isinstance(made, io.IOBase) and made.writable() else made

        return call


class File:
    """A file open for writing, of which a write that fails leaves half."""

    def __init__(self, file: Any, disk: Disk) -> None:
        self.file, self.disk = file, disk

    def write(self, data: Any) -> int:
        try:
            self.disk.tick()
        except OSError:
            self.file.write(data[: len(data) // 2])
            raise
        return int(self.file.write(data))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def __enter__(self) -> File:
        return self

    def __exit__(self, *error: object) -> None:
        self.file.close()


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    monkeypatch.setattr(stage_process, "call", call)
    return Disk(monkeypatch)


def call(assignment: Assignment, *_: object) -> stage_process.Result:
    """The stage in this process: a thousand runs in seconds, and its own writes fail too."""
    stage = next(stage for stage in WORKFLOWS[assignment.workflow] if stage.name == assignment.stage)
    event = run_stage(stage, assignment, EventWriter(io.BytesIO()))
    logging.getLogger("sutradhar").handlers.clear()
    if isinstance(event, Finished):
        return stage_process.Result(event.outcome, event.packages, 1)
    raise StageFailed("the stage failed")


def make_job(folder: Path) -> Job:
    folder.mkdir()
    film = folder / "film.txt"
    film.write_text("hello")
    request = Request(
        job_id="test-1", media=str(film), media_record=media.identity(film), duration_ms=2000, created_at="2026-01-01"
    )
    return Job.create(Workspace(folder), request, envfile.render(Settings(SOURCE_LANGUAGE="en"), "Job", {}))


def run(job: Job, changes: dict[str, str]) -> tuple[Exception | None, str]:
    """How it failed, if it did, which the command tells in a line before it ends with its exit code; and what it said."""
    output = io.StringIO()
    try:
        run_job(job, WORKFLOWS, Plan(), changes, Console(output))
    except (SutradharError, OSError) as error:
        return error, output.getvalue()
    return None, output.getvalue()


def done_but_wrong(job: Job) -> list[str]:
    """Files of stages that count as done which are not what the marker says."""
    wrong = []
    settings = job.settings()
    for step in steps_of(WORKFLOWS, settings):
        marker = markers.read_marker(job.marker_path(step.name), lambda warning: None)
        if marker and not staleness(job, step, marker, settings, JobModels(job, settings), media.identity(job.media)):
            made = {job.artifacts / name: known for name, known in marker.outputs.items()}
            made |= {job.deliverables / name: known for name, known in marker.deliverables.items()}
            wrong += [path.name for path, known in made.items() if record(path).sha256 != known.sha256]
    return wrong


@pytest.mark.parametrize(
    ("earlier", "broken"),
    [("", False), ("hi", False), ("en", True)],
    ids=["once in a first run", "once in a run under another name", "from then on in a second run"],
)
def test_whatever_fails_is_told_and_put_right_by_the_next_run(
    disk: Disk, tmp_path: Path, earlier: str, broken: bool
) -> None:
    failures, number = 0, 0
    while disk.calls >= number:
        number += 1
        disk.arm(0)
        job = make_job(tmp_path / str(number))
        if earlier:
            assert run(job, {"SOURCE_LANGUAGE": earlier})[0] is None
        job.media.write_text("good bye")
        disk.arm(number, broken=broken)
        error, output = run(job, {"SOURCE_LANGUAGE": "en"})
        calls = disk.calls
        disk.arm(0)
        assert done_but_wrong(job) == [], number
        if error:
            failures += 1
            assert "\n" not in in_one_line(error)
        else:
            assert (job.deliverables / "film.en.txt").read_text() == "GOOD BYE", number
        assert run(job, {"SOURCE_LANGUAGE": "en"})[0] is None, number
        made = {path.name: path.read_text() for path in job.deliverables.iterdir()}
        if "stage.json cannot be read" in output:  # then nobody knows which files of the earlier run are there
            made.pop("film.hi.txt", None)
        assert made == {"film.en.txt": "GOOD BYE"}, number
        assert done_but_wrong(job) == [], number
        assert not list(job.folder.rglob(".tmp-*")), number
        disk.calls = calls
    assert failures > 30
