"""The runner with two small stages in real child processes: order, markers, resume, faults."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sutradhar.pipeline import files, media
from sutradhar.pipeline.console import Console
from sutradhar.pipeline.errors import JobBusy, StageFailed, UsageError, in_one_line
from sutradhar.pipeline.files import record
from sutradhar.pipeline.jobs import envfile, status
from sutradhar.pipeline.jobs.job import Job, Request
from sutradhar.pipeline.jobs.markers import read_marker
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.jobs.stage import EngineNeed, ModelNeed
from sutradhar.pipeline.machine.probe import Probe
from sutradhar.pipeline.running.runner import Plan, Summary, run_job
from sutradhar.pipeline.workspace import Workspace
from tests.fakes.sutradhar.stages import WORKFLOWS
from tests.pipeline.folders import corpus_job, folder_job, stages_of
from tests.pipeline.models.test_integrity import make_model

pytestmark = pytest.mark.usefixtures("fake_stages")


@pytest.fixture
def job(tmp_path: Path) -> Job:
    film = tmp_path / "film.txt"
    film.write_text("hello")
    request = Request(
        job_id="test-1", media=str(film), media_record=media.identity(film), duration_ms=2000, created_at="2026-01-01"
    )
    return Job.create(Workspace(tmp_path), request, envfile.render(Settings(SOURCE_LANGUAGE="en"), "Job", {}))


@pytest.fixture
def private_files(job: Job) -> Iterator[None]:
    """As the commands have it."""
    before = os.umask(0o077)
    job.folder.chmod(0o700)
    job.env_path.chmod(0o600)
    yield
    os.umask(before)


def run(job: Job, plan: Plan | None = None, **changes: str) -> tuple[Summary, str]:
    output = io.StringIO()
    summary = run_job(job, WORKFLOWS, plan or Plan(), changes, Console(output))
    return summary, output.getvalue()


def test_what_a_stage_says_is_escaped_on_the_terminal_in_logs_in_the_marker_and_in_the_status(job: Job) -> None:
    summary, output = run(job, TITLE="hostile")
    said = r"a\x1b[31mb\u202ec\nd"
    assert summary.degraded == [f"shout: {said}"]
    marker = job.marker_path("shout").read_text()
    assert (json.loads(marker)["summary"], json.loads(marker)["degraded"]) == (said, [said])
    logs = [(job.logs / name).read_text() for name in ("pipeline.log", "shout.log")]
    for text in (output, *logs):
        assert said in text
    for text in (output, marker, *logs, *status.report(job)):
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_why_a_job_failed_is_kept_with_escapes(job: Job) -> None:
    with pytest.raises(StageFailed):
        run(job, TITLE="hostile failure")
    assert job.failure() == r"shout: a\x1b[31mb\u202ec\nd"


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_a_stage_sees_no_secrets_of_the_environment(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = (
        "HF_TOKEN",
        "HUGGING_FACE_HUB_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "GITHUB_TOKEN",
        "OPENAI_API_KEY",
        "DB_PASSWORD",
        "PGPASSWORD",
        "HFTOKEN",
        "GITHUB_PAT",
        "KAGGLE_KEY",
    )
    for name in (*secrets, "TOKENIZERS_PARALLELISM", "RAY_AUTH_TOKEN"):
        monkeypatch.setenv(name, "s3cret")
    seen = "\n".join(run(job, TITLE="environment")[0].degraded)
    assert "TOKENIZERS_PARALLELISM=s3cret" in seen
    assert "RAY_AUTH_TOKEN=s3cret" in seen  # Ray's own, which its workers are reached with
    assert [name for name in secrets if name in seen] == []


def test_runs_stages_in_order_and_publishes(job: Job) -> None:
    summary, output = run(job)
    assert summary.ran == ["copy", "shout"]
    assert (job.deliverables / "film.en.txt").read_text() == "HELLO"
    assert summary.files == [job.deliverables / "film.en.txt"]
    assert "[INFO] ▶️  Stage copy: STARTING\n[INFO] copying\n[INFO] Copied\n[INFO] ✅ Stage copy: COMPLETED (" in output
    assert "a library prints" in (job.logs / "shout.log").read_text()
    assert "a library prints" not in output
    assert "Stage shout: COMPLETED" in (job.logs / "pipeline.log").read_text()
    assert not list(job.folder.rglob(".tmp-*"))


def test_a_stage_is_handed_the_models_that_it_needs(job: Job) -> None:
    model = make_model(job.workspace.models / "base", ours=False)
    copy, shout = WORKFLOWS["film"]
    stages = {"film": (copy, replace(shout, models=lambda settings: (ModelNeed("base", "ct2"),)))}
    summary = run_job(job, stages, Plan(), {"TITLE": "models"}, Console(io.StringIO()))
    assert summary.degraded == [f"shout: base (ct2) at {model.path}"]


def test_marker_tells_what_was_made_from_what(job: Job) -> None:
    run(job, TITLE="hoarse")
    marker = json.loads(job.marker_path("shout").read_text())
    assert marker["settings"] == {"TITLE": "hoarse", "SOURCE_LANGUAGE": "en"}
    assert marker["inputs"]["copy/text.json"]["sha256"] == record(job.artifacts / "copy/text.json").sha256
    assert marker["outputs"]["shout/text.json"]["size"] == marker["deliverables"]["film.en.txt"]["size"] == 5
    assert (marker["engine"], marker["degraded"], marker["attempt"]) == ({"device": "cpu"}, ["not loud enough"], 1)


def test_a_second_run_skips_what_is_done(job: Job) -> None:
    run(job)
    summary, output = run(job)
    assert summary.ran == []
    assert output.count("SKIPPED (already completed)") == 2


def test_degradation_is_told_again_when_its_stage_is_skipped(job: Job) -> None:
    _, output = run(job, TITLE="hoarse")
    assert "[WARN] not loud enough" in output
    assert run(job)[0].degraded == ["shout: not loud enough"]


def test_a_change_that_a_stage_refuses_is_not_kept(job: Job) -> None:
    before = job.env_path.read_bytes()
    output = io.StringIO()
    with pytest.raises(UsageError, match="shout: a setting is wrong"):
        run_job(job, WORKFLOWS, Plan(), {"TITLE": "usage"}, Console(output))
    assert job.env_path.read_bytes() == before
    assert f"[WARN] {job.env_path.name} is as it was before: TITLE was not kept\n" in output.getvalue()
    with pytest.raises(StageFailed):
        run(job, TITLE="fail")
    assert "TITLE=fail\n" in job.env_path.read_text()  # what fails for other reasons may work the next time


@pytest.mark.parametrize(
    ("mode", "file", "folder"), [("0644", 0o644, 0o755), ("0640", 0o640, 0o750), ("664", 0o664, 0o775)]
)
def test_results_can_be_made_readable_by_others(
    mode: str, file: int, folder: int, job: Job, private_files: None
) -> None:
    run(job)
    text = job.deliverables / "film.en.txt"
    assert (text.stat().st_mode & 0o777, job.deliverables.stat().st_mode & 0o777) == (0o600, 0o700)
    assert run(job, OUT_MODE=mode)[0].ran == []
    assert (text.stat().st_mode & 0o777, job.deliverables.stat().st_mode & 0o777) == (file, folder)
    assert job.workspace.out.stat().st_mode & 0o055 == folder & 0o011
    assert (job.folder.stat().st_mode & 0o077, job.env_path.stat().st_mode & 0o077) == (0, 0)
    run(job, TITLE="x")  # a new file
    assert text.stat().st_mode & 0o777 == file
    run(job, OUT_MODE="0600")
    assert (text.stat().st_mode & 0o777, job.deliverables.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_changed_setting_that_no_stage_uses_is_told(job: Job) -> None:
    assert (
        "[WARN] MUX_CONTAINER: no stage of this job uses it, so nothing changes"
        in run(job, MUX_CONTAINER="mkv", TITLE="x", OFFLINE="true")[1]
    )
    assert "[WARN]" not in run(job, TITLE="y")[1]


def test_unchanged_output_of_a_rerun_stage_stops_there(job: Job) -> None:
    run(job)
    assert run(job, Plan(force=("copy",)))[0].ran == ["copy"]


# --- What a stage keeps while it works


def die(job: Job, plan: Plan | None = None, **changes: str) -> list[Path]:
    """Run until the stage dies with half of its work done; what it keeps then."""
    with pytest.raises(StageFailed, match=r"was killed \(SIGKILL\)"):
        run(job, plan, **changes)
    return list(job.folder.glob("pieces/shout/*"))


def test_what_a_killed_stage_has_kept_is_there_for_the_next_run_and_goes_when_it_is_done(job: Job) -> None:
    assert [path.read_text() for path in die(job, TITLE="piecemeal")] == ["half of it"]
    assert run(job)[0].ran == ["shout"]
    assert not (job.folder / "pieces" / "shout").exists()


def test_what_earlier_runs_had_kept_is_not_work_of_this_one(job: Job) -> None:
    summary, _ = run(job, TITLE="resumed")
    assert summary.before == {"copy": 0.0, "shout": 0.25}
    marker = read_marker(job.marker_path("shout"), pytest.fail)
    assert marker
    assert marker.seconds_of_media == 1.5


def test_what_other_settings_or_another_film_have_kept_is_no_use(job: Job) -> None:
    (before,) = die(job, TITLE="piecemeal")
    (other,) = die(job, SOURCE_LANGUAGE="hi")
    assert other != before
    job.media.write_text("another film")
    assert die(job) != [other]


@pytest.mark.parametrize("plan", [Plan(start="copy"), Plan(start="shout"), Plan(force=("shout",))])
def test_who_asks_for_a_stage_again_gets_it_from_the_beginning(plan: Plan, job: Job) -> None:
    die(job, TITLE="piecemeal")
    assert len(die(job, plan)) == 1


def test_what_a_stage_left_that_was_killed_when_all_was_in_place_is_swept(job: Job) -> None:
    (kept,) = die(job, TITLE="piecemeal")
    run(job)
    kept.parent.mkdir(parents=True)
    kept.write_text("all of it")
    os.utime(kept, ns=(0, job.marker_path("shout").stat().st_mtime_ns - 1))
    assert run(job)[0].ran == []
    assert not kept.exists()


@pytest.mark.parametrize(("plan", "ran"), [(Plan(start="copy"), ["copy", "shout"]), (Plan(start="shout"), ["shout"])])
def test_plans(job: Job, plan: Plan, ran: list[str]) -> None:
    run(job)
    assert run(job, plan)[0].ran == ran


def test_until_stops_there(job: Job) -> None:
    assert run(job, Plan(until="copy"))[0].ran == ["copy"]


@pytest.mark.parametrize("plan", [Plan(start="shout", until="copy"), Plan(force=("shout",), until="copy")])
def test_a_plan_that_contradicts_itself_is_refused(job: Job, plan: Plan) -> None:
    with pytest.raises(UsageError, match="Stage shout comes after --until copy"):
        run(job, plan)


def refuse_hoarse(settings: Settings) -> None:
    if settings.TITLE == "hoarse":
        raise UsageError("the title does not go with the rest")


def no_model(settings: Settings) -> tuple[ModelNeed, ...]:
    return (ModelNeed("./nowhere", "ct2"),) if settings.TITLE == "hoarse" else ()


def no_metal(settings: Settings) -> tuple[EngineNeed, ...]:
    return (EngineNeed("mlx", "mps"),) if settings.TITLE == "hoarse" else ()


def refuse_film(film: Path, settings: Settings) -> tuple[str, ...]:
    refuse_hoarse(settings)
    return (film.name,)


@pytest.mark.parametrize(
    ("need", "message"),
    [
        ({"foresee": refuse_film}, "the title does not go with the rest"),
        ({"check": refuse_hoarse}, "the title does not go with the rest"),
        ({"models": no_model}, "nowhere is no ct2 model: there is no such folder"),
        (
            {"engines": no_metal},
            "WHISPER_BACKEND=mlx WHISPERX_DEVICE=mps: this is not an Apple Silicon machine."
            " This works here: WHISPER_BACKEND=whisperx WHISPERX_DEVICE=cpu WHISPER_COMPUTE_TYPE=int8",
        ),
    ],
    ids=["film", "settings", "model", "device"],
)
def test_what_cannot_work_is_refused_before_a_change_is_written_and_a_stage_starts(
    job: Job, need: dict[str, Any], message: str, on_machine: Callable[[str], Probe]
) -> None:
    on_machine("cpu-16gb-mlx")
    copy, shout = WORKFLOWS["film"]
    picky, before, output = {"film": (copy, replace(shout, **need))}, job.env_path.read_bytes(), io.StringIO()
    with pytest.raises(UsageError) as caught:
        run_job(job, picky, Plan(), {"TITLE": "hoarse"}, Console(output))
    assert str(caught.value).endswith(message)
    assert "STARTING" not in output.getvalue()
    assert "Written" not in output.getvalue()
    assert job.env_path.read_bytes() == before
    run_job(job, WORKFLOWS, Plan(), {"TITLE": "hoarse"}, Console(output))
    assert "Written to .test-1.env: TITLE" in output.getvalue()


def test_what_is_done_needs_no_device_any_more(job: Job, on_machine: Callable[[str], Probe]) -> None:
    on_machine("cpu-16gb-mlx")
    run(job, TITLE="hoarse")
    copy, shout = WORKFLOWS["film"]
    assert (
        run_job(job, {"film": (copy, replace(shout, engines=no_metal))}, Plan(), {}, Console(io.StringIO())).ran == []
    )


def test_what_a_stage_leaves_beside_its_artifacts_is_not_published(job: Job) -> None:
    run(job, TITLE="messy")
    assert {path.name for path in job.artifacts.iterdir()} == {"copy", "shout"}


def test_the_marker_is_written_after_everything_it_names_is_on_the_disk(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    replace, sync = Path.replace, files._sync
    monkeypatch.setattr(Path, "replace", lambda self, target: steps.append(Path(target).name) or replace(self, target))
    monkeypatch.setattr(files, "_sync", lambda descriptor: steps.append("sync") or sync(descriptor))
    run(job, Plan(force=("copy", "shout")))
    mine = [step for step in steps if step not in ("running.json", "stopped.json")]
    assert mine[mine.index("film.en.txt") - 2 :] == [
        *["sync", "sync", "film.en.txt", "sync"],  # what the stage wrote, and the files for the user
        *[
            "sync",
            "text.json",
            "sync",
            "sync",
            "stage.json",
            "sync",
        ],  # the old marker is gone, the artifacts and the new one are there
    ]


def test_why_a_run_failed_is_kept_until_the_next(job: Job) -> None:
    with pytest.raises(StageFailed):
        run(job, TITLE="fail")
    assert job.failure() == "shout: it did not work"
    assert stages_of(job) == ["copy done", "shout unfinished it had begun"]
    run(job, TITLE="better")
    assert job.failure() == ""


def test_an_obstacle_in_the_way_is_one_line(job: Job) -> None:
    job.deliverables.parent.mkdir()
    job.deliverables.write_text("a file where the folder should be")
    with pytest.raises(OSError) as caught:
        run(job)
    assert in_one_line(caught.value).startswith("Cannot use ")


def folder_run(job: Job) -> list[str]:
    return run_job(job, WORKFLOWS, Plan(), {}, Console(io.StringIO())).ran


def test_a_stage_that_looks_for_what_is_new_always_runs_and_the_others_only_when_there_is_something(
    tmp_path: Path,
) -> None:
    job = folder_job(tmp_path, "a.wav")
    assert folder_run(job) == ["look", "tell"]
    assert folder_run(job) == ["look"]
    (job.media / "b.wav").write_text("b")
    assert folder_run(job) == ["look", "tell"]


def test_what_a_stage_keeps_and_the_trees_it_fills_are_there_for_the_next_run(tmp_path: Path) -> None:
    job = folder_job(tmp_path, "a.wav")
    folder_run(job)
    (job.media / "a.wav").rename(job.media / "b.wav")
    folder_run(job)
    assert (job.folder / "looks.txt").read_text() == "once more\nonce more\n"
    assert {path.name for path in (job.deliverables / "texts").iterdir()} == {"a.wav", "b.wav"}
    assert not list(job.deliverables.rglob(".tmp-*"))


def test_failures_of_a_stage_that_is_skipped_are_told_again(tmp_path: Path) -> None:
    job = folder_job(tmp_path, "bad.wav")
    for _ in range(2):
        summary = run_job(job, WORKFLOWS, Plan(), {}, Console(io.StringIO()))
        assert summary.failures == ["1 failed of 1 files"]
    assert json.loads(job.marker_path("tell").read_text())["failures"] == "1 failed of 1 files"


def test_a_list_may_grow(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("a.wav\n")
    job, output = corpus_job(tmp_path, tmp_path / "list.txt", "list-1"), io.StringIO()
    folder_run(job)
    (tmp_path / "list.txt").write_text("a.wav\nb.wav\n")
    assert run_job(job, WORKFLOWS, Plan(), {}, Console(output)).ran == ["look", "tell"]
    assert (job.deliverables / "report.txt").read_text() == "2 files"
    assert "[WARN]" not in output.getvalue()


def test_a_list_that_vanished_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("a.wav\n")
    job = corpus_job(tmp_path, tmp_path / "list.txt", "list-1")
    (tmp_path / "list.txt").unlink()
    with pytest.raises(
        UsageError,
        match=r"^Cannot read .*/list\.txt: No such file or directory; put the file back, or write where it is now into .*/job\.json, as media$",
    ):
        folder_run(job)


def test_unknown_stage_is_refused(job: Job) -> None:
    with pytest.raises(UsageError, match="No stage 'nosuch' in this job; its stages are copy, shout"):
        run(job, Plan(until="nosuch"))


@pytest.mark.parametrize("field", ["deliverables", "outputs"])
@pytest.mark.parametrize("name", ["../../secret.txt", "/SECRET", "..", ".", "", "a\0b"])
def test_a_marker_with_names_that_lead_elsewhere_means_not_done_and_touches_nothing_there(
    job: Job, field: str, name: str
) -> None:
    run(job)
    secret = job.workspace.root / "secret.txt"
    secret.write_text("mine")
    marker = json.loads(job.marker_path("shout").read_bytes())
    marker[field][name.replace("/SECRET", str(secret))] = msgspec.to_builtins(record(secret))
    job.marker_path("shout").write_text(json.dumps(marker))
    summary, output = run(job)
    assert secret.read_text() == "mine"
    assert summary.ran == ["shout"]
    assert "the stage counts as not done" in output


LINKS = ("stages/shout", "logs", "logs/shout.log", "failure.txt", "OUT", "OUT/texts", "OUT/texts/.written")
DEEP_LINKS = (
    "pieces/shout/0123.jsonl",
    "stages/scan/manifest.jsonl",
    "results/0123/ab",
    "results/0123/made-by/4567.json",
    "a/b/c/d/e.txt",
)


@pytest.mark.parametrize("link", [*LINKS, *DEEP_LINKS])
def test_a_link_in_the_place_of_what_is_the_jobs_own_is_refused_and_nothing_behind_it_is_touched(
    job: Job, link: str
) -> None:
    elsewhere = job.workspace.root / "elsewhere"
    (elsewhere / ".tmp-mine").mkdir(parents=True)
    path = job.deliverables / link.removeprefix("OUT").lstrip("/") if link.startswith("OUT") else job.folder / link
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        path.rmdir()
    path.symlink_to(elsewhere / ".tmp-mine" if "." in link else elsewhere)
    with pytest.raises(UsageError, match="is a symbolic link, and a job's folders are its own"):
        run(job)
    assert [found.name for found in elsewhere.iterdir()] == [".tmp-mine"]


def test_links_that_a_killed_run_left_in_its_scratch_folder_go_with_it_and_what_they_lead_to_stays(job: Job) -> None:
    mine = job.workspace.root / "mine.txt"
    mine.write_text("mine")
    scratch = job.artifacts / ".tmp-4711-shout" / "tmp"
    scratch.mkdir(parents=True)
    (scratch / "link").symlink_to(mine)
    run(job)
    assert not scratch.parent.exists()
    assert mine.read_text() == "mine"


def test_a_link_in_the_place_of_pieces_of_a_run_that_was_killed_costs_the_user_nothing(job: Job) -> None:
    (piece,) = die(job, TITLE="piecemeal")
    mine = job.workspace.root / "precious.txt"
    mine.write_text("precious")
    piece.unlink()
    piece.symlink_to(mine)
    with pytest.raises(UsageError, match=rf"^{piece} is a symbolic link"):
        run(job)
    assert mine.read_text() == "precious"


@pytest.mark.parametrize(
    "name", ["running.json", "stopped.json", "failure.txt", "media.json", "stages/shout/stage.json"]
)
def test_a_folder_in_the_place_of_a_file_of_the_jobs_own_is_told_before_anything_runs(job: Job, name: str) -> None:
    (job.folder / name / "inside").mkdir(parents=True)
    with pytest.raises(
        UsageError, match=rf"^{job.folder / name} is a folder, where a file of the job's own is to be: remove it"
    ):
        run(job)
    assert (job.folder / name / "inside").is_dir()


@pytest.mark.parametrize("name", ["stages/copy/text.json", "out/film.en.txt"])
def test_a_folder_in_the_place_of_what_a_stage_makes_is_told_by_its_name(job: Job, name: str) -> None:
    place = job.deliverables / "film.en.txt" if name.startswith("out") else job.folder / name
    (place / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="directory") as caught:
        run(job)
    assert re.fullmatch(
        rf"Cannot use {place}: (Is a directory|Directory not empty); put right what is there and .*",
        in_one_line(caught.value),
    )


@pytest.mark.parametrize(
    "content",
    [b"", b'{"schema": 1, "sta', b"\0" * 900, b'{"schema": 99}', b'{"x":' + b"[" * 99_999, b'{"schema":\xff}', None],
    ids=["empty", "torn", "nul", "foreign", "deep", "latin", "folder"],
)
def test_a_marker_that_cannot_be_trusted_means_not_done(job: Job, content: bytes | None) -> None:
    run(job)
    marker = job.marker_path("shout")
    marker.unlink()
    if content is None:
        marker.mkdir()
    else:
        marker.write_bytes(content)
    summary, output = run(job)
    assert summary.ran == ["shout"]
    assert "[WARN]" in output
    assert "stage.json" in output


def test_an_edited_deliverable_is_kept_aside(job: Job) -> None:
    run(job)
    path = job.deliverables / "film.en.txt"
    path.write_text("my own words")
    summary, output = run(job)
    assert summary.ran == ["shout"]
    assert path.read_text() == "HELLO"
    assert (job.deliverables / "film.en.edited-1.txt").read_text() == "my own words"
    assert "[WARN] film.en.txt had been edited: your version is kept as film.en.edited-1.txt" in output


def test_a_deliverable_of_earlier_settings_goes_unless_it_was_edited(job: Job) -> None:
    run(job)
    run(job, SOURCE_LANGUAGE="hi")
    assert [path.name for path in job.deliverables.iterdir()] == ["film.hi.txt"]
    (job.deliverables / "film.hi.txt").write_text("mine")
    run(job, SOURCE_LANGUAGE="en")
    assert {path.name for path in job.deliverables.iterdir()} == {"film.hi.txt", "film.en.txt"}


@pytest.mark.parametrize(
    ("title", "kind", "message"),
    [
        ("fail", StageFailed, "shout: it did not work"),
        ("usage", UsageError, "shout: a setting is wrong"),
        ("die", StageFailed, "shout: the process was killed \\(SIGKILL\\): out of memory is the usual reason"),
        ("full", StageFailed, "shout: No space left on device"),
        ("crash", StageFailed, "shout: ZeroDivisionError: what a surprise"),
        ("forgetful", StageFailed, "Stage shout ended without writing shout/text.json"),
    ],
)
def test_a_stage_that_fails_publishes_nothing(job: Job, title: str, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        run(job, TITLE=title)
    assert not job.marker_path("shout").exists()
    assert list(job.deliverables.iterdir()) == []
    assert run(job, TITLE="better")[0].ran == ["shout"]
    assert json.loads(job.marker_path("shout").read_text())["attempt"] == 2


def test_a_second_runner_is_turned_away(job: Job) -> None:
    with job.lock(), pytest.raises(JobBusy, match="Job test-1 is being run by another process"):
        run(job)


def _hanging(
    job: Job, *, hangup: signal.Handlers = signal.SIG_DFL, title: str = "hang"
) -> tuple[subprocess.Popen[bytes], int, int]:
    """A runner whose first stage hangs, that stage's process, and one that the stage has started."""
    job.write_settings(job.changed_settings({"TITLE": title})[0])
    runner = subprocess.Popen(
        [sys.executable, "-m", "sutradhar.pipeline.running.run", "-j", job.id],
        env=os.environ | {"SUTRADHAR_HOME": str(job.workspace.root)},
        stdout=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, hangup),
    )
    pids = job.media.with_name("child.pid")
    _wait_for(lambda: pids.exists() and len(pids.read_text().split()) == 2)
    child, grandchild = (int(pid) for pid in pids.read_text().split())
    return runner, child, grandchild


@pytest.mark.parametrize(("number", "code"), [(9, -9), (15, 143), (1, 129)], ids=["SIGKILL", "SIGTERM", "SIGHUP"])
def test_a_runner_that_is_ended_takes_its_children_along(job: Job, number: int, code: int) -> None:
    runner, child, grandchild = _hanging(job)
    _wait_for(lambda: (running := job.running()) and running.progress.done)
    os.kill(runner.pid, number)
    assert runner.wait(10) == code
    _wait_for(lambda: not _alive(child))
    if number != 9:
        _wait_for(lambda: not _alive(grandchild))
        assert status.of_job(job) is status.JobState.INTERRUPTED
    assert stages_of(job) == ["copy unfinished it had come to 0:01 of 0:02", "shout unfinished"]
    job.write_settings(job.changed_settings({"TITLE": "x"})[0])
    assert run(job)[0].ran == ["copy", "shout"]
    assert not list(job.folder.rglob(".tmp-*"))
    assert stages_of(job) == ["copy done", "shout done"]
    assert not (job.folder / "stopped.json").exists()
    assert not (job.folder / "running.json").exists()
    with contextlib.suppress(ProcessLookupError):
        os.kill(grandchild, 9)


def test_who_interrupts_a_run_is_told_what_is_kept_and_not_how_far_it_was(job: Job) -> None:
    runner, _, grandchild = _hanging(job, title="hang keeping")
    _wait_for(lambda: (running := job.running()) and running.progress.kept)
    runner.send_signal(signal.SIGINT)
    said = runner.communicate(timeout=10)[0].decode()
    kept = "8 of 35 windows are kept; what was in hand is done again"
    assert f"[ERROR] Interrupted; ./run-pipeline.sh -j {job.id} goes on from here: {kept}\n" in said
    assert stages_of(job) == [f"copy unfinished {kept}", "shout unfinished"]
    with contextlib.suppress(ProcessLookupError):
        os.kill(grandchild, 9)


def test_nohup_keeps_a_run_going_when_the_terminal_closes(job: Job) -> None:
    runner, child, _ = _hanging(job, hangup=signal.SIG_IGN)
    os.kill(runner.pid, signal.SIGHUP)
    time.sleep(0.5)
    assert runner.poll() is None
    assert _alive(child)
    runner.terminate()
    assert runner.wait(10) == 143


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def _wait_for(condition: object, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_a_disk_that_fills_under_the_log_does_not_end_the_run(job: Job) -> None:
    (job.logs / "shout.log").symlink_to("/dev/full")
    (job.logs / "pipeline.log").symlink_to("/dev/full")
    summary, output = run(job)
    assert summary.ran == ["copy", "shout"]
    assert output.count("The log cannot be written any more: No space left on device") == 1


def test_everything_is_private(job: Job) -> None:
    old = os.umask(0o077)
    try:
        run(job)
    finally:
        os.umask(old)
    modes = {oct(path.stat().st_mode & 0o777) for path in [*job.artifacts.rglob("*"), *job.deliverables.rglob("*")]}
    assert modes == {"0o700", "0o600"}


def test_a_job_file_of_another_job_is_refused(job: Job) -> None:
    other = msgspec.structs.replace(job.request, job_id="other")
    (job.folder / "job.json").write_bytes(msgspec.json.encode(other))
    with pytest.raises(UsageError, match="belongs to another job or version"):
        Job.open(job.workspace, job.id)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL])
def test_a_file_system_without_locks_is_refused_with_its_path_until_somebody_accepts_the_danger(
    job: Job, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def flock(descriptor: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", flock)
    with pytest.raises(UsageError) as caught:
        run(job)
    danger = "two runs of this job at a time would mix their files, and --status cannot tell whether it runs"
    assert str(caught.value) == (
        f"{job.folder}/.lock cannot be locked ({os.strerror(number)}): put jobs/ on a file system that has locks (SUTRADHAR_HOME says where),"
        f" or accept it with SUTRADHAR_NO_LOCK=1: {danger}"
    )
    monkeypatch.setenv("SUTRADHAR_NO_LOCK", "1")
    summary, output = run(job)
    line = f"{job.folder}/.lock is not locked ({os.strerror(number)}), as SUTRADHAR_NO_LOCK=1 accepts: {danger}"
    assert summary.degraded == [line]
    assert output.count(f"[WARN] {line}\n") == 1


def test_where_nothing_can_be_locked_a_job_that_runs_is_still_refused_if_it_can(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUTRADHAR_NO_LOCK", "1")
    with job.lock(), pytest.raises(JobBusy):
        run(job)


def test_a_file_system_without_fsync_is_told_of_once(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    def fsync(descriptor: int) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "fsync", fsync)
    line = f"{job.folder} is on a file system that cannot be made to write at once (Invalid argument): a power cut may cost what was done"
    assert run(job)[0].degraded == [line]
