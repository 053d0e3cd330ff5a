"""A film that somebody writes to while a job works on it."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sutradhar.pipeline import media
from sutradhar.pipeline.console import Console
from sutradhar.pipeline.errors import StageFailed, UsageError
from sutradhar.pipeline.jobs import envfile
from sutradhar.pipeline.jobs.job import Job, Request
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.jobs.stage import Outcome, Stage
from sutradhar.pipeline.jobs.status import JobState, of_job
from sutradhar.pipeline.media.watch import FILE, MediaWatch, check_still, read_whole_file, stamp
from sutradhar.pipeline.running import stage_process
from sutradhar.pipeline.running.runner import Plan, run_job
from sutradhar.pipeline.workspace import Workspace
from tests.damaged_json import damaged
from tests.fakes.sutradhar.stages import WORKFLOWS

SIZE = 4 << 20  # more than the head, the middle and the tail that are looked at each time
UNSEEN = 3 << 19  # between the head and the middle
COPY, SHOUT = WORKFLOWS["film"]
STAGES = {"film": (COPY, SHOUT, Stage("last", lambda context: Outcome(""), reads=("text",), reads_media=True))}


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.txt"
    path.write_bytes(b"hello" + bytes(SIZE))
    return path


@pytest.fixture
def job(tmp_path: Path, film: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    monkeypatch.setattr(stage_process, "call", Calls())
    request = Request(
        job_id="test-1", media=str(film), media_record=media.identity(film), duration_ms=2000, created_at="2026-01-01"
    )
    return Job.create(Workspace(tmp_path), request, envfile.render(Settings(SOURCE_LANGUAGE="en"), "Job", {}))


class Calls:
    """Stages that write their own names, while each of which `while_running` does something to the film."""

    def __init__(self, **while_running: Callable[[], object]) -> None:
        self.while_running, self.called = while_running, list[str]()

    def __call__(self, assignment: Any, *_: object) -> stage_process.Result:
        self.called.append(assignment.stage)
        for name in assignment.writes.values():
            path = Path(assignment.scratch, name)
            path.parent.mkdir()
            path.write_text(name)
        self.while_running.get(assignment.stage, lambda: None)()
        return stage_process.Result(Outcome("Done"), {}, 1)


def run(
    job: Job, monkeypatch: pytest.MonkeyPatch, *, verify: bool = False, **while_running: Callable[[], object]
) -> tuple[list[str], str]:
    calls, output = Calls(**while_running), io.StringIO()
    monkeypatch.setattr(stage_process, "call", calls)
    run_job(job, STAGES, Plan(verify=verify), {}, Console(output))
    return calls.called, output.getvalue()


def append(film: Path) -> None:
    with film.open("ab") as file:
        file.write(b"more" * 1_000_000)


def replace(film: Path) -> None:
    film.with_suffix(".new").write_bytes(b"other" + bytes(SIZE))
    film.with_suffix(".new").replace(film)


def flip(film: Path) -> None:
    """A bit that is neither in the head nor in the middle nor in the tail, under the old date."""
    before = film.stat()
    with film.open("r+b") as file:
        file.seek(UNSEEN)
        file.write(b"\1")
    os.utime(film, ns=(before.st_atime_ns, before.st_mtime_ns))


def exchange(film: Path) -> None:
    """Another film of the same size and date."""
    before = film.stat()
    replace(film)
    os.utime(film, ns=(before.st_atime_ns, before.st_mtime_ns))


def truncate(film: Path) -> None:
    os.truncate(film, SIZE // 2)


CHANGES = [append, replace, exchange, flip, truncate, Path.unlink]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    ("stage", "where"),
    [("copy", "while copy read it"), ("shout", "before last reads it"), ("last", "while last read it")],
)
def test_a_film_that_changes_is_an_error_never_a_mixture(
    job: Job, film: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], object], stage: str, where: str
) -> None:
    with pytest.raises(
        StageFailed,
        match=rf"^film\.txt .*, {where}: (wait until nothing writes to it|put it back), then run the same command again$",
    ):
        run(job, monkeypatch, **{stage: lambda: change(film)})
    assert not job.marker_path("last").exists()
    assert job.marker_path("copy").exists() == (stage != "copy")


def test_what_a_stage_says_of_a_film_that_grows_is_that_it_grows(
    job: Job, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        append(film)
        raise StageFailed("the film is cut short")

    with pytest.raises(StageFailed, match=r"^film.txt has grown from 4.2 MB to 8.2 MB, while copy read it: wait"):
        run(job, monkeypatch, copy=fail)


@pytest.mark.parametrize(
    "change", [os.utime, lambda film: film.chmod(0o600), lambda film: os.link(film, film.with_suffix(".link"))]
)
def test_a_new_date_or_owner_alone_is_no_change(
    job: Job, film: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], object]
) -> None:
    watch = MediaWatch(film, job.folder)
    watch.read_whole()
    watch.finish(lambda line: None)
    change(film)
    watch.look("now")
    assert run(job, monkeypatch, shout=lambda: change(film) if change is os.utime else None)[0] == [
        "copy",
        "shout",
        "last",
    ]


def test_the_next_run_works_on_the_new_film(job: Job, film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StageFailed):
        run(job, monkeypatch, last=lambda: replace(film))
    called, output = run(job, monkeypatch)
    assert called == ["copy", "last"]
    assert "film.txt is not the file that the job was prepared for" in output


def test_verify_reads_every_byte_of_the_film(job: Job, film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(job, monkeypatch)[0] == ["copy", "shout", "last"]
    flip(film)
    assert run(job, monkeypatch)[0] == []
    with pytest.raises(KeyboardInterrupt):
        run(job, monkeypatch, verify=True, last=lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    assert of_job(job) is not JobState.DONE
    called, _ = run(job, monkeypatch)
    assert called == ["last"]  # also a run that does not read all of it knows what one found that did
    assert run(job, monkeypatch, verify=True)[0] == []
    assert read_whole_file(job.folder)


def test_verify_says_so(job: Job, film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(job, monkeypatch)
    flip(film)
    called, output = run(job, monkeypatch, verify=True)
    assert called == ["copy", "last"]
    assert "[WARN] film.txt is not what it was: its bytes have changed since it was read" in output
    assert "Stage copy runs again: the media file changed" in output


@pytest.mark.parametrize("content", damaged("since").values(), ids=damaged("since"))
def test_a_damaged_record_is_made_anew(job: Job, film: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    run(job, monkeypatch)
    (job.folder / FILE).write_bytes(content)
    assert run(job, monkeypatch, verify=True)[0] == []
    assert read_whole_file(job.folder)


def test_a_film_that_is_still_being_written_is_refused_when_the_job_is_prepared(film: Path) -> None:
    before = stamp(film)
    check_still(film, before)
    shutil.copy2(film, film.with_suffix(".old"))
    append(film)
    with pytest.raises(
        UsageError, match=r"^film.txt is still being written: wait until it is whole, then run the same command again$"
    ):
        check_still(film, before)


def test_nothing_is_written_once_the_watch_has_ended(film: Path, tmp_path: Path) -> None:
    watch = MediaWatch(film, tmp_path)
    watch.close()
    watch.read_whole()
    watch.finish(lambda line: None)
    assert not (tmp_path / "media.json").exists()
