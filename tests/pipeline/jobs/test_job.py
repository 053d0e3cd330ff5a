from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sutradhar.pipeline.errors import JobBusy, UsageError
from sutradhar.pipeline.files import FileRecord
from sutradhar.pipeline.jobs.job import Job, Request, Running, all_jobs, closed_jobs, find_job
from sutradhar.pipeline.workspace import Workspace, check_job_id
from tests.conftest import ROOT


def request(job_id: str, created_at: str = "2026-01-01") -> Request:
    return Request(
        job_id=job_id, media="/film.mkv", media_record=FileRecord(1, 1, "00"), duration_ms=1, created_at=created_at
    )


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


@pytest.mark.parametrize(
    "bad", ["../../x", "/etc/x", "-rf", "a\nb", "job\n", "x" * 64, "$(id)", "A", "", ".", "a b", "दो"]
)
def test_what_is_no_job_id_is_refused_before_any_path_is_made(bad: str, workspace: Workspace) -> None:
    with pytest.raises(UsageError, match="is no job id"):
        Job.open(workspace, bad)
    assert list(workspace.root.iterdir()) == []


def test_job_ids() -> None:
    assert check_job_id("20261121-film-1") == "20261121-film-1"
    assert check_job_id("x" * 63) == "x" * 63


def test_a_name_that_is_a_whole_title_wins_over_those_that_it_is_a_part_of(workspace: Workspace) -> None:
    for job_id in (
        "20261201-e-2",
        "20261201-e-1",
        "20261201-unintelligible-2",
        "20261201-dialogue-2",
        "20261201-one-1",
        "20261201-phone-1",
    ):
        Job.create(workspace, request(job_id), "")
    assert [find_job(workspace, name).id[9:] for name in ("e-2", "one", "unint", "20261201-d")] == [
        "e-2",
        "one-1",
        "unintelligible-2",
        "dialogue-2",
    ]
    with pytest.raises(UsageError, match=r"^e may be any of 20261201-e-1, 20261201-e-2; give more"):
        find_job(workspace, "e")


def test_a_job_is_found_by_its_title(workspace: Workspace) -> None:
    for job_id in ("20261201-do-bigha-zamin-1", "20261201-dialogue-1", "20261202-dialogue-1"):
        Job.create(workspace, request(job_id), "")
    for title in ("Do Bigha Zamin", "do_bigha_zamin", "Bigha!"):
        assert find_job(workspace, title).id == "20261201-do-bigha-zamin-1"
    with pytest.raises(UsageError, match=r"^Dialogue may be any of 20261201-dialogue-1, 20261202-dialogue-1; give"):
        find_job(workspace, "Dialogue")
    with pytest.raises(UsageError, match=r"^No job Sholay in "):
        find_job(workspace, "Sholay")
    with pytest.raises(UsageError, match="is no job id"):
        find_job(workspace, "…/…")


def test_a_symbolic_link_is_no_job(workspace: Workspace, tmp_path: Path) -> None:
    Job.create(workspace, request("real"), "")
    (workspace.jobs / "link").symlink_to(workspace.jobs / "real")
    with pytest.raises(UsageError, match="is a symbolic link"):
        Job.open(workspace, "link")


@pytest.mark.parametrize("content", ["", "{", '{"job_id": "other"}', "[]"])
def test_a_broken_job_file_is_one_clear_error(workspace: Workspace, content: str) -> None:
    (workspace.jobs / "x").mkdir(parents=True)
    (workspace.jobs / "x" / "job.json").write_text(content)
    with pytest.raises(UsageError, match=r"job\.json"):
        Job.open(workspace, "x")


def test_create_is_whole_or_nothing(workspace: Workspace) -> None:
    job = Job.create(workspace, request("a"), "TITLE=x\n")
    assert {path.name for path in job.folder.iterdir()} == {"job.json", ".a.env", "stages", "logs"}
    with pytest.raises(FileExistsError):
        Job.create(workspace, request("a"), "TITLE=y\n")
    assert job.settings().TITLE == "x"
    assert not list(workspace.jobs.glob(".tmp-*"))


MAKES_A_JOB = """
import os, sys, time
from pathlib import Path
from sutradhar.pipeline.jobs import job
from sutradhar.pipeline.files import write_atomic
from sutradhar.pipeline.workspace import Workspace
def slowly(path, data):
    write_atomic(path, data)
    print("here", flush=True)
    time.sleep(60)
job.write_atomic = slowly
job.Job.create(Workspace(Path(sys.argv[1])), job.Request(job_id="killed", media="/film.mkv", media_record=None, duration_ms=1, created_at=""), "")
"""


def test_what_a_killed_prepare_left_is_removed_and_what_another_makes_is_not(workspace: Workspace) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", MAKES_A_JOB, str(workspace.root)], cwd=ROOT, stdout=subprocess.PIPE
    ) as maker:
        assert maker.stdout
        assert maker.stdout.readline() == b"here\n"
        Job.create(workspace, request("a"), "")
        assert len(list(workspace.jobs.glob(".tmp-*"))) == 1
        maker.kill()
    Job.create(workspace, request("b"), "")
    assert sorted(path.name for path in workspace.jobs.iterdir()) == ["a", "b"]


def test_a_look_at_the_lock_does_not_keep_anybody_from_it(workspace: Workspace) -> None:
    job = Job.create(workspace, request("a"), "")
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.001):
            _ = job.is_locked

    looking = threading.Thread(target=look)
    looking.start()
    for _ in range(50):
        with job.lock():
            pass
    ended.set()
    looking.join()


def test_a_change_of_settings_is_written_when_it_is_known_to_do(workspace: Workspace) -> None:
    job = Job.create(workspace, request("a"), "BATCH_SIZE=2\n")
    with pytest.raises(UsageError, match="BATCH_SIZE='0' does not fit"):
        job.changed_settings({"BATCH_SIZE": "0"})
    text, settings = job.changed_settings({"BATCH_SIZE": "3"})
    assert (settings.BATCH_SIZE, job.settings().BATCH_SIZE) == (3, 2)
    job.write_settings(text)
    assert job.settings().BATCH_SIZE == 3
    assert re.fullmatch(r"# Chosen: with --set on 20\d\d-\d\d-\d\d\nBATCH_SIZE=3\n", job.env_path.read_text())


def test_one_lock_a_job_and_it_names_its_owner(workspace: Workspace) -> None:
    job = Job.create(workspace, request("a"), "")
    with job.lock():
        job.note_running(Running(4711, "elsewhere"))
        with pytest.raises(JobBusy, match="process 4711 on elsewhere"), job.lock():
            pass
    with job.lock():
        pass


def test_jobs_are_listed_oldest_first_without_broken_ones(workspace: Workspace) -> None:
    Job.create(workspace, request("b", "2026-01-01"), "")
    Job.create(workspace, request("a", "2026-01-02"), "")
    (workspace.jobs / "c").mkdir()
    (workspace.jobs / "c" / "job.json").write_text("{")
    assert [job.id for job in all_jobs(workspace)] == ["b", "a"]


@pytest.mark.parametrize("name", [".a-1.env", "job.json", "running.json", "stopped.json", "failure.txt"])
def test_a_pipe_in_the_place_of_a_file_holds_nobody_up(name: str, workspace: Workspace) -> None:
    job = Job.create(workspace, request("a-1"), "")
    (job.folder / name).unlink(missing_ok=True)
    os.mkfifo(job.folder / name)
    assert (job.failure(), job.stopped()) == ("", None)
    assert all_jobs(workspace) == ([] if name == "job.json" else [job])
    with (
        pytest.raises(UsageError, match=r"it is no file")
        if name in (".a-1.env", "job.json")
        else contextlib.nullcontext()
    ):
        Job.open(workspace, "a-1").settings()


def test_jobs_that_one_may_not_enter_are_counted(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    Job.create(workspace, request("a-1"), "")
    assert closed_jobs(workspace) == 0
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may enter any
    assert closed_jobs(workspace) == 1
