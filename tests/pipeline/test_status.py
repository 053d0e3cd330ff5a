"""--status and --list with folders of recordings; films are in test_workflow.py."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

import pytest

from pipeline.job import Running
from pipeline.stage import Progress
from tests.pipeline.folders import corpus_job, folder_job, run_pipeline

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
    assert f"  last run   {tmp_path}/calls is no folder any more; put it back" in run_pipeline(job, "--status", job.id)[1]


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
    job.note_running(Running(os.getpid(), socket.gethostname(), "look", Progress(30, 120, already=10, note="3 of 9 files, 1 failed"), 10.0))
    output = run_pipeline(job, "--status", job.id)[1]
    assert "  look       running     25 %, 2.0x real time, 0:45 left (3 of 9 files, 1 failed)\n" in output
    job.note_running(Running(os.getpid(), socket.gethostname(), "look", Progress(30, 120, unit=" files/s"), 10.0))
    assert "  look       running     25 %, 3.0 files/s, 0:30 left\n" in run_pipeline(job, "--status")[1]


def test_without_a_name_every_job_that_runs_is_shown_and_else_the_newest(tmp_path: Path) -> None:
    jobs = [folder_job(tmp_path, job_id=f"calls-{number}") for number in (1, 2, 3)]

    def shown() -> list[str]:
        return re.findall(r"^Job .*", run_pipeline(jobs[0], "--status")[1], re.MULTILINE)

    assert shown() == ["Job calls-3: unfinished"]
    for job in jobs[:2]:
        job.note_running(Running(os.getpid(), socket.gethostname(), "look"))
    assert shown() == ["Job calls-1: running", "Job calls-2: running"]
    jobs[0].note_running(Running(DEAD, socket.gethostname(), "look"))
    assert shown() == ["Job calls-2: running"]
