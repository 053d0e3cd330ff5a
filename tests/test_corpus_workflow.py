"""A folder of recordings as its user works on it: the shell commands, real files good and bad, the real starter model."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import jiwer
import psutil
import pytest

from sutradhar.stages.corpus import manifest
from tests.conftest import ROOT
from tests.make_media import cut, ffmpeg, wav
from tests.test_workflow import shell, words_of

pytestmark = pytest.mark.skipif(not (ROOT / "models" / "base").is_dir(), reason="needs models/base")

SAMPLE = ROOT / "samples" / "dialogue.mp4"
UTTERANCES = [
    utterance["text"] for utterance in json.loads((ROOT / "samples" / "dialogue.json").read_text())["utterances"]
]
PARTS = {  # name: from and to which second of the sample, which utterances are there, and how it is encoded
    "anna.wav": (0.4, 3.7, UTTERANCES[:1], ("-ac", "1", "-ar", "8000", "-c:a", "pcm_mulaw")),
    "daniel.mp3": (3.7, 8.3, UTTERANCES[1:2], ("-ac", "1")),
    "in/anna.wav": (8.3, 13.9, UTTERANCES[2:4], ("-ac", "1", "-ar", "8000", "-c:a", "pcm_alaw")),
    "in/later.flac": (16.7, 24.4, UTTERANCES[4:6], ("-ac", "1")),
    "whole.opus": (0, 27.5, UTTERANCES, ("-ac", "1")),
}
SIDES = "[0:a]pan=mono|c0=c0,asplit[a][b];[a]volume=0:enable='gt(t,8.3)'[l];[b]volume=0:enable='lt(t,8.3)'[r];[l][r]join=inputs=2:channel_layout=stereo"


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recordings") / "calls"
    (folder / "in").mkdir(parents=True)
    for name, (start, end, _, how) in PARTS.items():
        ffmpeg(folder / name, "-ss", str(start), "-to", str(end), "-i", f"file:{SAMPLE}", "-vn", *how)
    ffmpeg(folder / "call.wav", "-t", "10.2", "-i", f"file:{SAMPLE}", "-filter_complex", SIDES, "-vn", "-ar", "8000")
    wav(folder / "silence.wav", bytes(64_000))
    shutil.copy(folder / "daniel.mp3", folder / "in" / "copy.mp3")
    (folder / "empty.wav").touch()
    (folder / "text.wav").write_text("This is a note, and no recording. " * 20)
    shutil.copy(folder / "in" / "later.flac", folder / "cut.flac")
    cut(folder / "cut.flac")
    return folder


def new_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    (home / "models").symlink_to(ROOT / "models")
    return home


def prepared(home: Path, calls: Path, *more: str) -> str:
    how = (
        "--transcribe",
        "-s",
        "en",
        "--channels",
        "split",
        "--workers",
        "2",
        "--device",
        "cpu",
        "--set",
        "BATCH_SIZE=2",
    )
    done = shell(home, "prepare-job.sh", str(calls), *how, *more)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_home(tmp_path_factory)


@pytest.fixture(scope="module")
def job(home: Path, calls: Path) -> str:
    """A job that was run once, undisturbed."""
    job = prepared(home, calls)
    done = shell(home, "run-pipeline.sh", "-j", job)
    assert done.returncode == 1, done.stdout + done.stderr
    return job


def rows(home: Path, job: str) -> dict[str, manifest.Recording]:
    return manifest.read(home / "jobs" / job / manifest.FILE)


def statuses(home: Path, job: str) -> dict[str, str]:
    return {row.path: row.status for row in rows(home, job).values()}


def texts(home: Path, job: str) -> dict[str, str]:
    tree = home / "out" / job / "transcripts"
    return {str(path.relative_to(tree)): path.read_text() for path in tree.rglob("*.txt")}


def undisturbed(home: Path, job: str) -> dict[str, str]:
    """The texts of the job that was run once, without what a test has added since."""
    return {name: text for name, text in texts(home, job).items() if name != "new.wav.txt"}


GOOD = (*PARTS, "call.wav", "in/copy.mp3", "silence.wav")
EXPECTED = {**dict.fromkeys(GOOD, "done"), "cut.flac": "failed", "empty.wav": "empty", "text.wav": "unsupported"}


def test_every_good_recording_is_done_and_every_bad_one_has_its_reason(home: Path, job: str) -> None:
    assert statuses(home, job) == EXPECTED
    reasons = {row.path: row.reason for row in rows(home, job).values() if row.reason}
    assert reasons.keys() == {"cut.flac", "empty.wav", "text.wav"}
    assert "cut short" in reasons["cut.flac"] or "damaged" in reasons["cut.flac"]
    failures = (home / "out" / job / "failures.csv").read_text()
    assert all(name in failures for name in ("cut.flac", "text.wav"))


def test_each_recording_has_its_own_words(home: Path, job: str) -> None:
    found = texts(home, job)
    assert found.keys() == {f"{name}.txt" for name in GOOD}
    for name, (_, _, said, _) in PARTS.items():
        assert jiwer.wer(words_of(" ".join(said)), words_of(found[f"{name}.txt"])) <= 0.2, name
    assert found["silence.wav.txt"] == ""
    assert found["in/copy.mp3.txt"] == found["daniel.mp3.txt"]


def test_the_sides_of_a_call_are_two_speakers(home: Path, job: str) -> None:
    lines = texts(home, job)["call.wav.txt"].splitlines()
    first, second = (words_of(" ".join(line[3:] for line in lines if line.startswith(side))) for side in ("1: ", "2: "))
    assert jiwer.wer(words_of(" ".join(UTTERANCES[:2])), first) <= 0.2
    assert jiwer.wer(words_of(UTTERANCES[2]), second) <= 0.2
    segments = json.loads((home / "out" / job / "transcripts" / "call.wav.json").read_text())["segments"]
    assert [segment["start_ms"] for segment in segments] == sorted(segment["start_ms"] for segment in segments)
    assert segments[-1]["start_ms"] == pytest.approx(8500, abs=500)


def test_all_transcripts_are_in_one_file_too(home: Path, job: str) -> None:
    lines = [json.loads(line) for line in (home / "out" / job / "transcripts.jsonl").read_text().splitlines()]
    assert len([line for line in lines if line.get("status", "done") == "done"]) == len(GOOD)


def test_the_log_says_nothing_of_what_was_said(home: Path, job: str) -> None:
    logs = "".join(path.read_text() for path in (home / "jobs" / job / "logs").iterdir())
    assert "cut.flac" in logs
    assert "subtitles." not in logs


def test_everything_is_private_and_nothing_is_left_over(home: Path, job: str) -> None:
    found = [path for folder in (home / "jobs" / job, home / "out" / job) for path in [folder, *folder.rglob("*")]]
    assert {oct(path.stat().st_mode & 0o777) for path in found} == {"0o700", "0o600"}
    assert not [path for path in found if path.name.startswith(".tmp-")]


def marker(home: Path, job: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads(
        (home / "jobs" / job / "stages" / "recognise" / "stage.json").read_text()
    )
    return found


def results(home: Path, job: str) -> dict[str, int]:
    """When each result was written."""
    return {path.name: path.stat().st_mtime_ns for path in (home / "jobs" / job / "results").glob("*/??/[!.]*.json")}


def test_another_run_does_only_what_was_added(home: Path, job: str, calls: Path) -> None:
    before, old = results(home, job), statuses(home, job)
    ffmpeg(calls / "new.wav", "-ss", "8.3", "-to", "10.2", "-i", f"file:{SAMPLE}", "-vn", "-ac", "1", "-ar", "8000")
    try:
        shell(home, "run-pipeline.sh", "-j", job, "--until", "scan")  # as for a cluster
        status = shell(home, "run-pipeline.sh", "--status", job).stdout
        assert status.startswith(f"Job {job}: unfinished\n")
        assert "  recognise  unfinished  8 of 9 recordings have a result, a transcript or a failure\n" in status
        again = shell(home, "run-pipeline.sh", "-j", job)
        assert again.returncode == 1
        assert statuses(home, job) == {**old, "new.wav": "done"}
        assert texts(home, job)["new.wav.txt"] == "How long will that take?\n"
        now = results(home, job)
        changed = [name for name in before if now[name] != before[name]]
        assert changed == [f"{rows(home, job)['cut.flac'].id}.json"]  # what failed is tried a second time
        assert rows(home, job)["cut.flac"].attempts == 2
        made_by = marker(home, job)["engine"]
        shell(home, "run-pipeline.sh", "-j", job)
        assert results(home, job) == now  # and no third time
        assert shell(home, "run-pipeline.sh", "--status", job).stdout.startswith(f"Job {job}: done\n")
        assert marker(home, job)["engine"] == made_by
        assert made_by["device"] == "cpu"
    finally:
        (calls / "new.wav").unlink()


@pytest.mark.parametrize("change", ["SOURCE_LANGUAGE=de", "CORPUS_CHANNELS=mix"])
def test_other_settings_are_refused(home: Path, job: str, change: str) -> None:
    env = home / "jobs" / job / f".{job}.env"
    before, text = results(home, job), env.read_text()
    refused = shell(home, "run-pipeline.sh", "-j", job, "--set", change)
    env.write_text(text)
    assert refused.returncode == 2
    assert f"This job has results made with {change.partition('=')[0]}=" in refused.stdout
    assert results(home, job) == before


# --- Killed


@contextmanager
def running(home: Path, job: str) -> Iterator[subprocess.Popen[str]]:
    """A run, ended with all that belongs to it whatever happens."""
    environment = os.environ | {"SUTRADHAR_HOME": str(home)}
    runner = subprocess.Popen(
        [ROOT / "run-pipeline.sh", "-j", job],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    children = psutil.Process(runner.pid)
    try:
        yield runner
    finally:
        for child in [*(children.children(recursive=True) if runner.poll() is None else ()), runner]:
            with suppress(psutil.NoSuchProcess):
                child.kill()
        runner.communicate()


def workers(runner: subprocess.Popen[str]) -> list[psutil.Process]:
    found = []
    for child in psutil.Process(runner.pid).children(recursive=True):
        try:
            found += [child] if "sutradhar.stages.corpus.recognise.worker" in " ".join(child.cmdline()) else []
        except psutil.Error:
            continue
    return found


def wait_for(what: Callable[[], object], seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.01)


def test_killed_workers_and_a_killed_run_lose_nothing(
    tmp_path_factory: pytest.TempPathFactory, home: Path, job: str, calls: Path
) -> None:
    other_home = new_home(tmp_path_factory)
    other = prepared(other_home, calls)
    with running(other_home, other) as runner:
        wait_for(lambda: results(other_home, other))
        workers(runner)[0].kill()
        wait_for(lambda: len(results(other_home, other)) >= 3)
        left = workers(runner)
        runner.kill()
        runner.wait()
    assert left
    psutil.wait_procs(left, 10)
    assert not any(worker.is_running() for worker in left)
    before = results(other_home, other)
    assert shell(other_home, "run-pipeline.sh", "-j", other).returncode == 1
    failed = f"{rows(other_home, other)['cut.flac'].id}.json"
    now = results(other_home, other)
    assert [name for name in before if now[name] != before[name] and name != failed] == []
    assert statuses(other_home, other) == EXPECTED
    assert texts(other_home, other) == undisturbed(home, job)
    assert list(other_home.rglob(".tmp-*")) == []


def test_workers_that_are_killed_are_replaced_in_the_same_run(
    tmp_path_factory: pytest.TempPathFactory, calls: Path
) -> None:
    home = new_home(tmp_path_factory)
    job = prepared(home, calls, "--glob", "*.wav", "--glob", "*.opus")
    with running(home, job) as runner:
        wait_for(lambda: results(home, job))
        for worker in (killed := workers(runner)):
            worker.kill()
        output, _ = runner.communicate(timeout=120)
        assert (len(killed), runner.returncode) == (2, 1), output
    assert {name: status for name, status in EXPECTED.items() if name.endswith((".wav", ".opus"))} == statuses(
        home, job
    )


def test_ctrl_c_ends_within_seconds_and_the_next_run_goes_on(
    tmp_path_factory: pytest.TempPathFactory, calls: Path
) -> None:
    home = new_home(tmp_path_factory)
    job = prepared(home, calls, "--glob", "*.flac", "--glob", "*.opus")
    with running(home, job) as runner:
        wait_for(lambda: len(workers(runner)) == 2)
        left, started = workers(runner), time.monotonic()
        os.kill(runner.pid, signal.SIGINT)
        output, _ = runner.communicate(timeout=30)
        assert runner.returncode == 130, output
        assert time.monotonic() - started < 8
    assert psutil.wait_procs(left, 2)[1] == []
    assert shell(home, "run-pipeline.sh", "-j", job).returncode == 1
    assert statuses(home, job) == {"cut.flac": "failed", "in/later.flac": "done", "whole.opus": "done"}


SBATCH = """#!/usr/bin/env bash
# Does at once what it is asked for, an array job one after the other.
for argument; do case $argument in --array=0-*) last=${argument#--array=0-} ;; esac; done
for number in $(seq 0 "${last:-0}"); do SLURM_ARRAY_TASK_ID=$number bash -c "${!#}" >&2; done
echo 7
"""


def test_shards_of_a_cluster_do_together_what_one_run_does(
    tmp_path_factory: pytest.TempPathFactory, home: Path, job: str, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = new_home(tmp_path_factory)
    sbatch = cluster / "bin" / "sbatch"
    sbatch.parent.mkdir()
    sbatch.write_text(SBATCH)
    sbatch.chmod(0o755)
    monkeypatch.setenv("PATH", f"{sbatch.parent}:{os.environ['PATH']}")
    shared = prepared(cluster, calls)
    done = shell(cluster, "scripts/slurm-corpus.sh", shared, "2")
    assert done.returncode == 0, done.stdout + done.stderr
    said = [re.search(r"Shard (.) of 2: (.*) done, (.) failed", line) for line in done.stderr.splitlines()]
    shards = [match.groups() for match in said if match]
    assert [number for number, _, _ in shards] == ["0", "1"]
    assert sum(int(count) for _, count, _ in shards) == len(GOOD) - 1  # a copy
    assert all(int(count) for _, count, _ in shards)
    assert statuses(cluster, shared) == EXPECTED
    assert texts(cluster, shared) == undisturbed(home, job)
