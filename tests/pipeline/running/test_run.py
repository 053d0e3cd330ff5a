"""run-pipeline.sh with folders of recordings; films are in test_runner.py and test_workflow.py."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from msgspec.structs import replace

from sutradhar.pipeline.console import Console
from sutradhar.pipeline.jobs.job import Job
from sutradhar.pipeline.running.run import _tell
from sutradhar.pipeline.running.runner import Summary
from tests.pipeline.folders import folder_job, run_pipeline

pytestmark = pytest.mark.usefixtures("fake_stages")


def test_a_run_in_which_files_failed_ends_with_1_and_says_so_last(tmp_path: Path) -> None:
    job = folder_job(tmp_path, "a.wav", "bad.wav")
    code, output = run_pipeline(job, "-j", job.id)
    assert code == 1
    assert "✅ Stage tell: COMPLETED" in output
    assert output.splitlines()[-3:] == [
        "[INFO]   out/calls-1/report.txt",
        "[INFO]   out/calls-1/texts/",
        "[ERROR] 1 failed of 2 files",
    ]
    assert (job.deliverables / "report.txt").read_text() == "2 files"


def test_it_ends_with_1_again_until_the_files_are_good(tmp_path: Path) -> None:
    job = folder_job(tmp_path, "a.wav", "bad.wav")
    run_pipeline(job, "-j", job.id)
    code, output = run_pipeline(job, "-j", job.id)
    assert code == 1
    assert "Stage look runs again: it looks for what is new" in output
    assert "Stage tell: SKIPPED (already completed)" in output
    assert output.endswith("[ERROR] 1 failed of 2 files\n")
    (tmp_path / "calls" / "bad.wav").unlink()
    code, output = run_pipeline(job, "-j", job.id)
    assert (code, "Stage tell runs again: look/names.json changed" in output, "[ERROR]" in output) == (0, True, False)


def test_one_job_with_failures_does_not_keep_the_next_from_running(tmp_path: Path) -> None:
    job = folder_job(tmp_path, "bad.wav")
    other = folder_job(tmp_path, job_id="calls-2")
    code, output = run_pipeline(job, "-j", job.id, other.id)
    assert (code, output.splitlines()[-1]) == (1, "[INFO] 0 of 2 jobs done")
    assert other.marker_path("tell").is_file()


def test_a_folder_that_vanished_is_told_before_a_stage_starts(tmp_path: Path) -> None:
    job = folder_job(tmp_path, "a.wav")
    run_pipeline(job, "-j", job.id)
    (tmp_path / "calls").rename(tmp_path / "elsewhere")
    code, output = run_pipeline(job, "-j", job.id)
    assert code == 2
    assert (
        output.splitlines()[-1]
        == f"[ERROR] {tmp_path}/calls is no folder any more; put it back, or write where it is now into {job.folder}/job.json, as media"
    )
    assert "STARTING" not in output
    (tmp_path / "elsewhere").rename(tmp_path / "calls")
    assert run_pipeline(job, "-j", job.id)[0] == 0


def test_the_help_says_how_to_begin_anew_with_a_folder(tmp_path: Path) -> None:
    text = run_pipeline(folder_job(tmp_path), "--help")[1]
    assert "To begin anew, remove jobs/<job-id>/results." in text
    assert "1 a stage failed or some recordings of a folder have no transcript" in text


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ({"asr": 0.0}, "done in 50.0s for 200.0s of media (4.0x real time, real-time factor 0.25)"),
        ({"asr": 0.75}, "done in 50.0s for the rest of 200.0s: 50.0s of media (1.0x real time, real-time factor 1.00)"),
        ({"asr": 1.0}, "done in 50.0s"),
        ({}, "done in 50.0s"),
    ],
    ids=["all", "the rest", "all was recognised before", "asr did not run"],
)
def test_the_speed_is_of_what_this_run_has_recognised(before: dict[str, float], said: str, tmp_path: Path) -> None:
    job = folder_job(tmp_path)
    film = Job(job.workspace, replace(job.request, duration_ms=200_000))
    output = io.StringIO()
    _tell(Summary(film, ran=["asr", "mux"], seconds=50.0, before=before), Console(output))
    assert output.getvalue() == f"[INFO] Job calls-1: {said}\n"


def test_what_is_odd_in_a_folder_is_said_once_and_stands_in_the_log(tmp_path: Path) -> None:
    job = folder_job(tmp_path, "odd.wav")
    _, output = run_pipeline(job, "-j", job.id)
    assert [line for line in output.splitlines() if "odd.wav: odd" in line] == ["[WARN] Degraded: tell: odd.wav: odd"]
    assert "[WARN] odd.wav: odd\n" in (job.logs / "pipeline.log").read_text()


def test_the_speed_is_of_what_was_decoded_not_of_what_the_header_tells(tmp_path: Path) -> None:
    job = folder_job(tmp_path)
    film = Job(job.workspace, replace(job.request, duration_ms=6000))
    output = io.StringIO()
    _tell(Summary(film, ran=["asr"], seconds=5.0, before={"asr": 0.0}, decoded_seconds=15.0), Console(output))
    assert (
        output.getvalue()
        == "[INFO] Job calls-1: done in 5.0s for 15.0s of media (3.0x real time, real-time factor 0.33)\n"
    )
