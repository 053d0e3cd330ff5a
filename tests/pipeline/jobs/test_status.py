"""--status and --list with folders of recordings; films are in test_workflow.py."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

import pytest

from sutradhar.pipeline.jobs.job import Running
from sutradhar.pipeline.progress import Progress
from tests.pipeline.folders import corpus_job, folder_job, run_pipeline, stages_of

pytestmark = pytest.mark.usefixtures("fake_stages")
DEAD = 2**22 + 1  # no process has this number


def test_failures_are_shown_beside_their_stage(tmp_path: Path) -> None:
    job = folder_job(tmp_path, "a.wav", "bad.wav")
    run_pipeline(job, "-j", job.id)
    code, output = run_pipeline(job, "--status", job.id)
    assert code == 0
    assert re.sub(r"\d+\.\ds", "#s", output).splitlines() == [
        "Job calls-1: done",
        f"  media      {tmp_path}/calls (folder)",
        f"  settings   {job.env_path}",
        "  look       done        #s; Looked",
        "  tell       done        #s; Told; 1 failed of 2 files",
        f"  file       {job.deliverables}/report.txt",
        f"  file       {job.deliverables}/texts",
    ]


def test_status_and_list_need_the_folder_no_more(tmp_path: Path) -> None:
    job = folder_job(tmp_path, "a.wav")
    run_pipeline(job, "-j", job.id)
    (tmp_path / "calls" / "a.wav").unlink()
    (tmp_path / "calls").rmdir()
    assert run_pipeline(job, "--status", job.id)[1].startswith("Job calls-1: done\n")
    run_pipeline(job, "-j", job.id)
    assert (
        f"  last run   {tmp_path}/calls is no folder any more; put it back" in run_pipeline(job, "--status", job.id)[1]
    )


def test_the_list_says_what_is_no_film(tmp_path: Path) -> None:
    job = folder_job(tmp_path, "a.wav")
    (tmp_path / "नाम.txt").write_text("calls/a.wav\n")
    corpus_job(tmp_path, tmp_path / "नाम.txt", "list-1")
    run_pipeline(job, "-j", job.id)
    assert [line.split() for line in run_pipeline(job, "--list")[1].splitlines()] == [
        ["calls-1", "done", "folder", "calls"],
        ["list-1", "unfinished", "list", "नाम.txt"],
    ]


def test_a_run_in_another_shell_is_told_with_its_note(tmp_path: Path) -> None:
    job = folder_job(tmp_path)
    with job.lock():
        job.note_running(
            Running(
                os.getpid(),
                socket.gethostname(),
                "look",
                Progress(30, 120, already=10, note="3 of 9 files, 1 failed"),
                10.0,
            )
        )
        output = run_pipeline(job, "--status", job.id)[1]
        assert "  look       running     25 %, 2.0x real time, 0:45 left (3 of 9 files, 1 failed)\n" in output
        job.note_running(Running(os.getpid(), socket.gethostname(), "look", Progress(30, 120, unit=" files/s"), 10.0))
        assert "  look       running     25 %, 3.0 files/s, 0:30 left\n" in run_pipeline(job, "--status")[1]


@pytest.mark.parametrize(
    "owner",
    [
        '"pid": 1, "host": "elsewhere"',
        f'"pid": {os.getpid()}, "host": "{socket.gethostname()}"',  # as when the number of a dead process is given to another
        f'"pid": {2**63}, "host": "{socket.gethostname()}"',
        f'"pid": -1, "host": "{socket.gethostname()}"',
        '"pid": "1", "host": 1',
    ],
    ids=["elsewhere", "another process", "too large", "negative", "other types"],
)
def test_a_note_is_believed_only_while_the_job_is_locked(owner: str, tmp_path: Path) -> None:
    job = folder_job(tmp_path, "a.wav")
    (job.folder / "running.json").write_text(
        f'{{{owner}, "stage": "look", "progress": {{"done": 1, "total": 2}}, "seconds": 1}}'
    )
    output = run_pipeline(job, "--status")[1]
    assert output.startswith("Job calls-1: unfinished\n")
    assert "running" not in output
    with job.lock():
        assert run_pipeline(job, "--status")[1].startswith("Job calls-1: running\n")
    assert run_pipeline(job, "-j", job.id)[0] == 0
    assert stages_of(job) == ["look done", "tell done"]


def test_without_a_name_every_job_that_runs_is_shown_and_else_the_newest(tmp_path: Path) -> None:
    jobs = [folder_job(tmp_path, job_id=f"calls-{number}") for number in (1, 2, 3)]

    def shown() -> list[str]:
        return re.findall(r"^Job .*", run_pipeline(jobs[0], "--status")[1], re.MULTILINE)

    assert shown() == ["Job calls-3: unfinished"]
    with jobs[1].lock():
        with jobs[0].lock():
            assert shown() == ["Job calls-1: running", "Job calls-2: running"]
        assert shown() == ["Job calls-2: running"]


@pytest.mark.parametrize(
    ("progress", "remark"),
    [
        (
            Progress(65, 187, note="8 of 41 files, 1:05 of 3:07, 2 failed", now="now 3.2x, GPU 80 %"),
            "it had come to 8 of 41 files, 1:05 of 3:07, 2 failed",
        ),
        (Progress(65, 187), "it had come to 1:05 of 3:07"),
        (Progress(65, 187, kept="8 of 35 windows"), "8 of 35 windows are kept; what was in hand is done again"),
        (Progress(30, 120, unit=" files/s"), "it had come to 25 %"),
        (Progress(0, 0), "it had begun"),
    ],
)
def test_how_far_a_run_that_ended_early_had_come_is_told_until_its_stage_is_done(
    tmp_path: Path, progress: Progress, remark: str
) -> None:
    job = folder_job(tmp_path, "a.wav")
    run_pipeline(job, "-j", job.id)  # the stage looks for what is new, so it has to run again although it was done once
    job.note_running(Running(DEAD, socket.gethostname(), "look", progress, 10.0))  # as kill -9 leaves it
    killed = stages_of(job)
    job.note_stopped()  # as a run does that ends by itself
    assert killed == stages_of(job) == [f"look unfinished {remark}", "tell done"]
    assert run_pipeline(job, "--list")[1].split()[:2] == ["calls-1", "unfinished"]
    run_pipeline(job, "-j", job.id)
    assert stages_of(job) == ["look done", "tell done"]


def test_a_run_that_cannot_begin_forgets_nothing(tmp_path: Path) -> None:
    job = folder_job(tmp_path)
    job.note_running(Running(DEAD, socket.gethostname(), "look", Progress(1, 2), 10.0))
    (tmp_path / "calls").rmdir()
    run_pipeline(job, "-j", job.id)
    output = run_pipeline(job, "--status")[1]
    assert "  last run   " in output
    assert "  look       unfinished  it had come to 0:01 of 0:02\n" in output


def test_why_a_run_failed_is_written_into_room_that_was_kept_for_it(tmp_path: Path) -> None:
    job = folder_job(tmp_path)
    job.note_failure("")
    room = (job.folder / "failure.txt").stat()
    job.note_failure("look: कुछ नहीं")
    job.note_failure("look: No space left")
    written = (job.folder / "failure.txt").stat()
    assert (written.st_ino, written.st_size, room.st_size) == (room.st_ino, 2000, 2000)
    assert job.failure() == "look: No space left"


def test_a_job_that_is_done_has_no_room_for_a_failure(tmp_path: Path) -> None:
    job = folder_job(tmp_path, "a.wav")
    job.note_failure("look: it failed")
    run_pipeline(job, "-j", job.id)
    assert sorted(path.name for path in job.folder.iterdir() if path.is_file()) == [
        ".calls-1.env",
        ".lock",
        "job.json",
        "looks.txt",
    ]
