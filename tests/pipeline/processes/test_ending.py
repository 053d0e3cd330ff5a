"""Real signals and real streams, on real commands."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.make_media import wav
from tests.pipeline.folders import folder_job

TEXT = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


@pytest.fixture(autouse=True)
def _heeds_hangups() -> Iterator[None]:
    """Children inherit what is ignored, and these tests may run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def start(home: Path, *command: str, **options: object) -> subprocess.Popen[str]:
    environment = os.environ | {"SUTRADHAR_HOME": str(home)}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    "script", [("./run-pipeline.sh", "--status"), ("./prepare-job.sh", "FILM", "--transcribe", "-s", "en")]
)
def test_a_signal_in_the_first_moments_ends_a_command_without_a_traceback(
    script: tuple[str, ...], seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = random.Random(seed)
    number, temporary = dice.choice(list(TEXT)), tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    child = start(tmp_path, *(str(ROOT / "samples/dialogue.mp4") if part == "FILM" else part for part in script))
    time.sleep(dice.uniform(0, 1.2))
    child.send_signal(number)
    said = "".join(child.communicate(timeout=60))
    assert "Traceback" not in said
    assert child.returncode in (-number, TEXT[number], 2 if "--status" in script else 0)
    assert not list(tmp_path.rglob(".tmp-*"))
    assert not list(temporary.iterdir())


BUSY = """
import sys, time
from sutradhar.pipeline.processes.ending import end_with, signals_held, take_signals, tidying_up
from sutradhar.pipeline.errors import Interrupted

def tidied():
    try:
        with tidying_up():
            try:
                print("busy", flush=True)
                time.sleep(60)
            finally:
                time.sleep(0.5)
                print("tidied", flush=True)
    except Interrupted as error:
        return error.exit_code

def at_once():
    with signals_held():
        print("busy", flush=True)
        time.sleep(0.5)
        print("whole", flush=True)
    time.sleep(60)

take_signals("Interrupted; nothing was done")
end_with({"tidied": tidied, "at_once": at_once}[sys.argv[1]])
"""


@pytest.mark.parametrize("number", TEXT)
@pytest.mark.parametrize(
    ("how", "said", "complained"),
    [("tidied", "tidied\n", ""), ("at_once", "whole\n", "[ERROR] Interrupted; nothing was done\n")],
)
def test_a_second_signal_does_not_keep_a_command_from_ending_in_order(
    how: str, said: str, complained: str, number: signal.Signals, tmp_path: Path
) -> None:
    child = start(tmp_path, sys.executable, "-c", BUSY, how)
    assert child.stdout
    assert child.stdout.readline() == "busy\n"
    for _ in range(2):
        child.send_signal(number)
        time.sleep(0.1)
    assert child.communicate(timeout=20) == (said, complained)
    assert child.returncode == TEXT[number]


def test_a_command_that_tidies_up_for_ever_is_ended_by_a_later_signal(tmp_path: Path) -> None:
    code = BUSY.replace("time.sleep(0.5)", "time.sleep(60)").replace(
        "take_signals(",
        "import sutradhar.pipeline.processes.ending; sutradhar.pipeline.processes.ending.PATIENCE = 0.1; take_signals(",
    )
    child = start(tmp_path, sys.executable, "-c", code, "tidied")
    assert child.stdout
    assert child.stdout.readline() == "busy\n"
    child.terminate()
    time.sleep(0.5)
    child.terminate()
    assert child.wait(20) == 143


STREAMS = ["", "<&-", ">&-", "2>&-", "<&- >&-", ">&- 2>&-", "<&- >&- 2>&-", "2>/dev/full"]


def in_shell(home: Path, line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    shell = os.environ | {"SUTRADHAR_HOME": str(home), "FILM": str(home / "फ़िल्म 🎬.wav")} | environment
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=ROOT,
        env=shell,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


@pytest.fixture
def film(tmp_path: Path) -> Path:
    wav(tmp_path / "फ़िल्म 🎬.wav", bytes(64_000))
    return tmp_path


PREPARE = './prepare-job.sh "$FILM" --transcribe -s en'


def test_closed_and_full_streams_change_nothing(film: Path) -> None:
    for number, streams in enumerate(STREAMS):
        done = in_shell(film, f"{PREPARE} --job-id job-{number} {streams}")
        assert (streams, done.returncode) == (streams, 0)
        assert "Traceback" not in done.stderr
        for path in (film / "jobs" / f"job-{number}").rglob("*"):
            assert not path.is_file() or path.name in ("job.json", f".job-{number}.env")
        done = in_shell(film, f"./run-pipeline.sh --status job-{number} {streams}")
        assert (streams, done.returncode) == (streams, 0)
        assert done.stderr.count("\n") <= 1  # that requirements have changed


@pytest.mark.parametrize("command", [PREPARE, "./run-pipeline.sh --list", "./run-pipeline.sh --status"])
def test_an_answer_that_cannot_be_written_is_told_in_a_line(command: str, film: Path) -> None:
    in_shell(film, f"{PREPARE} --job-id other")
    done = in_shell(film, f"{command} >/dev/full")
    assert done.returncode == 1
    assert "[ERROR] Standard output cannot be written: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_who_reads_one_line_is_no_error(film: Path) -> None:
    for number in range(3):
        in_shell(film, f"{PREPARE} --job-id job-{number}")
    done = in_shell(
        film, "./run-pipeline.sh --list | head -n 1; ./run-pipeline.sh --help | true; ./run-pipeline.sh --status | true"
    )
    assert done.stdout.count("job-0") == 1
    assert not re.search("Traceback|Exception|BrokenPipe", done.stderr)


@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "POSIX", "LANG": ""},
        {"LC_ALL": "en_US.ISO-8859-1"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1", "TERM": "dumb", "COLUMNS": "20"},
    ],
)
@pytest.mark.parametrize("wrapped", [True, False])
def test_a_name_is_kept_as_it_is_in_every_locale(environment: dict[str, str], wrapped: bool, film: Path) -> None:
    prepare = (
        PREPARE
        if wrapped
        else PREPARE.replace("./prepare-job.sh", f"{sys.executable} -m sutradhar.pipeline.prepare.prepare")
    )
    job = in_shell(film, prepare, **environment)
    assert (job.returncode, "Traceback" in job.stderr) == (0, False)
    (kept,) = film.glob("jobs/*/job.json")
    assert "फ़िल्म 🎬.wav" in kept.read_text("utf-8")
    status = "./run-pipeline.sh --list" if wrapped else f"{sys.executable} -m sutradhar.pipeline.running.run --list"
    shown = in_shell(film, status, **environment)
    assert (shown.returncode, shown.stdout.count("\n")) == (0, 1)


def test_a_run_interrupted_twice_leaves_nothing_half_made(tmp_path: Path) -> None:
    job = folder_job(tmp_path, "a.wav")
    child = start(tmp_path, "./run-pipeline.sh", "-j", job.id)
    assert child.stdout
    while "STARTING" not in child.stdout.readline():
        pass
    for _ in range(2):
        child.send_signal(signal.SIGINT)
    said = "".join(child.communicate(timeout=60))
    assert child.returncode == 130
    assert f"[ERROR] Interrupted; ./run-pipeline.sh -j {job.id} goes on from here" in said
    assert "Traceback" not in said
    assert not list(tmp_path.rglob(".tmp-*"))


def test_a_package_that_is_gone_is_told_in_one_line() -> None:
    code = "from sutradhar.pipeline.processes.ending import end_with; end_with(lambda: __import__('no_such_package'))"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr.startswith("[ERROR] No module named 'no_such_package': ")
    assert ended.stderr.count("\n") == 1
