"""What a stage's process says of errors; that it ends and is followed is in test_runner.py."""

from __future__ import annotations

import errno
import io
import logging
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from sutradhar.pipeline.jobs.stage import Outcome, Stage, StageContext
from sutradhar.pipeline.processes import children
from sutradhar.pipeline.processes.channel import Broken, EventWriter
from sutradhar.pipeline.running.child import Assignment, keep_temporary_files_in, run_stage


@pytest.fixture(autouse=True)
def no_handlers_are_left() -> Iterator[None]:
    yield
    logging.getLogger("sutradhar").handlers.clear()


def assignment(home: Path) -> Assignment:
    return Assignment(
        workflow="film",
        stage="fill",
        settings={},
        media=Path("film.mkv"),
        reads={},
        writes={},
        artifacts=home / "jobs/a/stages",
        scratch=home / "jobs/a/stages/.tmp-1-fill",
        deliverables=home / "out/a/.tmp-1-fill",
        models=Path("models"),
        pieces=Path("pieces"),
        resolved=(),
    )


@pytest.mark.parametrize(
    ("filename", "told"),
    [
        (None, ": 12 MB free in {home}/jobs/a, 3.0 GB free in {home}/out/a"),
        ("elsewhere/not/yet.txt", " for {home}/elsewhere/not/yet.txt: 0.5 MB free"),
    ],
    ids=["a file that was open", "a file"],
)
def test_a_full_disk_is_named_with_what_is_free_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, filename: str | None, told: str
) -> None:
    free = {"jobs/a": 12_345_678, "out/a": 3_000_000_000, "elsewhere": 500_000}
    for folder in free:
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: SimpleNamespace(free=free[str(Path(path).relative_to(tmp_path))])
    )

    def fill(context: StageContext) -> Outcome:
        raise OSError(errno.ENOSPC, "No space left on device", *([str(tmp_path / filename)] if filename else []))

    event = run_stage(Stage("fill", fill), assignment(tmp_path), EventWriter(io.BytesIO()))
    said = f"No space left on device{told.format(home=tmp_path)}; make room and run the same command again"
    assert event == Broken(said, 1, hopeless=True)


@pytest.mark.parametrize(
    ("filename", "told"),
    [
        (
            None,
            "Input/output error, in {home}/jobs/a, {home}/out/a or what the stage reads; put right what is there and run the same command again",
        ),
        ("a.wav", "Cannot use a.wav: Input/output error; put right what is there and run the same command again"),
    ],
    ids=["a file that was open", "a file"],
)
def test_a_broken_disk_is_told_with_where_and_what_to_do(tmp_path: Path, filename: str | None, told: str) -> None:
    def write(context: StageContext) -> Outcome:
        raise OSError(errno.EIO, "Input/output error", *([filename] if filename else []))

    event = run_stage(Stage("write", write), assignment(tmp_path), EventWriter(io.BytesIO()))
    assert event == Broken(told.format(home=tmp_path), 1, hopeless=True)


def test_what_libraries_and_their_processes_put_aside_goes_with_the_scratch_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    for name in ("TMPDIR", "RAY_TMPDIR"):
        monkeypatch.setenv(name, str(tmp_path))
    keep_temporary_files_in(tmp_path)
    assert Path(tempfile.mkdtemp()).parent == tmp_path / "tmp"
    assert children.run(["sh", "-c", "echo $TMPDIR"]).stdout == f"{tmp_path}/tmp\n"


def test_a_package_that_is_gone_is_told_with_the_command_that_puts_it_back(tmp_path: Path) -> None:
    def imports(context: StageContext) -> Outcome:
        import no_such_package  # type: ignore[import-not-found]  # noqa: F401

        return Outcome("")

    assert run_stage(Stage("imports", imports), assignment(tmp_path), EventWriter(io.BytesIO())) == Broken(
        "No module named 'no_such_package': something has been taken out of .venv; run ./scripts/bootstrap.sh, which puts it back",
        1,
    )
