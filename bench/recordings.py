"""Folders of recordings to measure with, made from the sets of a data folder (each with `manifest.jsonl`: `audio`,
`duration`, `text`)."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import time
import wave
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import psutil

from bench.side_by_side import ROOT
from sutradhar.pipeline import media
from sutradhar.pipeline.jobs.markers import read_marker
from sutradhar.stages.corpus.recognise.local import COMMAND

ENGLISH = ("tel_asterisk", "en_commonvoice", "en_librispeech", "en_ljspeech")
GONE = 10.0  # seconds that processes are given to be gone after the one that they belong to


@dataclass(frozen=True)
class ReferenceRecording:
    path: Path
    seconds: float
    text: str  # what is said


def choose(data: Path, count: int, folder: Path) -> list[ReferenceRecording]:
    """Copy English recordings, at random, each under a name of its own; beyond as many as there are, with other
    silence behind them."""
    rows = [
        (data / name / row["audio"], row["duration"], row["text"])
        for name in ENGLISH
        for row in map(json.loads, (data / name / "manifest.jsonl").read_text(encoding="utf-8").splitlines())
    ]
    random.Random(1).shuffle(rows)
    folder.mkdir(parents=True)
    found = []
    decoded = lru_cache(maxsize=None)(lambda source: b"".join(block.tobytes() for block in media.decode(source)))
    for number in range(count):
        source, seconds, text = rows[number % len(rows)]
        path = folder / f"{number:05}{source.suffix}"
        if number < len(rows):
            shutil.copy(source, path)
        else:
            path = path.with_suffix(".wav")
            write_wav(path, decoded(source) + bytes(320 * (number // len(rows))))
        found.append(ReferenceRecording(path, seconds, text))
    return found


def add_bad(folder: Path, good: Sequence[ReferenceRecording]) -> dict[str, str]:
    """Add files that are no good recordings, and say what is to become of each."""
    wave_file = folder / "whole.wav"
    write_wav(wave_file, b"".join(block.tobytes() for block in media.decode(good[0].path)))
    whole = wave_file.read_bytes()
    wave_file.unlink()
    files = {
        "empty.wav": (b"", "empty"),
        "header.wav": (whole[:44], "empty"),
        "text.wav": (b"This is no sound.\n" * 20, "unsupported"),
        "cut.wav": (whole[: len(whole) // 2], "failed"),
    }
    for name, (content, _) in files.items():
        (folder / name).write_bytes(content)
    for number, recording in enumerate(good[:5]):
        shutil.copy(recording.path, folder / f"copy-{number}{recording.path.suffix}")
    return {name: status for name, (_, status) in files.items()} | {
        f"copy-{number}{one.path.suffix}": "done" for number, one in enumerate(good[:5])
    }


def write_wav(path: Path, samples: bytes) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, media.SAMPLE_RATE, 0, "NONE", "not compressed"))
        file.writeframes(samples)


@dataclass(frozen=True)
class Home:
    """Folder for jobs, apart from the project's own."""

    folder: Path
    models: Path

    def environment(self) -> dict[str, str]:
        self.folder.mkdir(exist_ok=True)
        if not (self.folder / "models").exists():
            (self.folder / "models").symlink_to(self.models)
        return os.environ | {
            "SUTRADHAR_HOME": str(self.folder),
            "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}",
        }

    def prepare(self, recordings: Path, job: str, *options: str) -> None:
        """Prepare a job for a folder, or for one recording."""
        command = [
            sys.executable,
            "-m",
            "sutradhar.pipeline.prepare.prepare",
            str(recordings),
            "--transcribe",
            "-s",
            "en",
            "--job-id",
            job,
            *options,
        ]
        done = subprocess.run(command, env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            raise SystemExit(done.stdout.decode())

    def start(self, job: str, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "sutradhar.pipeline.running.run", "-j", job, *options]
        with (self.folder / f"{job}.log").open("ab") as log:
            return subprocess.Popen(command, env=self.environment(), stdout=log, stderr=log)

    def run(self, job: str, *options: str, codes: Sequence[int] = (0,)) -> int:
        """Run a job and return its exit code. Ends the bench with what the job said where the code is not an
        expected one."""
        code = self.start(job, *options).wait()
        if code not in codes:
            raise SystemExit(self.log(job))
        return code

    def log(self, job: str) -> str:
        return (self.folder / f"{job}.log").read_text(encoding="utf-8", errors="replace")

    def job(self, job: str) -> Path:
        return self.folder / "jobs" / job

    def is_done(self, job: str, stage: str) -> bool:
        return (self.job(job) / "stages" / stage / "stage.json").exists()

    def stages(self, job: str) -> dict[str, float]:
        """Return the seconds that each stage took, in the order in which they ended."""
        markers = [read_marker(path, print) for path in (self.job(job) / "stages").glob("*/stage.json")]
        return {
            marker.stage: round(marker.seconds, 2)
            for marker in sorted(filter(None, markers), key=lambda marker: marker.ended_at)
        }

    def results(self, job: str) -> dict[str, Path]:
        """Return the results in the store, by the recording's id."""
        return {path.stem: path for path in (self.job(job) / "results").glob("*/[0-9a-f][0-9a-f]/[!.]*.json")}

    def rows(self, job: str) -> dict[str, Mapping[str, Any]]:
        """Return the exported rows, by path."""
        lines = (self.folder / "out" / job / "transcripts.jsonl").read_text(encoding="utf-8").splitlines()
        return {row["path"]: row for row in map(json.loads, lines)}

    def processes(self) -> list[psutil.Process]:
        """Return all processes ever started from here that live, known by their environment, whoever their parent
        is now."""
        return [one for one in psutil.process_iter() if _environment(one).get("SUTRADHAR_HOME") == str(self.folder)]


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        return dict(process.environ())
    except (psutil.Error, OSError):
        return {}


def command_of(process: psutil.Process) -> tuple[str, ...]:
    try:
        return tuple(process.cmdline())
    except psutil.Error:
        return ()


def workers_among(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Return the workers of a job, not what they have started themselves, which may look the same where it was
    forked."""
    alike = {one.pid: one for one in processes if command_of(one)[1:-1] == COMMAND[1:]}  # the last is their parent
    found = []
    for one in alike.values():
        with contextlib.suppress(psutil.Error):
            found += [one] if one.ppid() not in alike else []
    return found


def survivors(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Return those that still live when they should be gone."""
    until = time.monotonic() + GONE
    while (alive := [one for one in processes if _lives(one)]) and time.monotonic() < until:
        time.sleep(0.1)
    return alive


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", type=Path, default=ROOT / "models" / "base")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--compute-type", default="int8")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="further settings of the jobs")


def engine_options(options: argparse.Namespace, backend: str) -> list[str]:
    """Return options of prepare-job, for a folder as for one recording."""
    compute_type = "float32" if backend == "mlx" and options.compute_type == "int8" else options.compute_type
    settings = [f"WHISPER_COMPUTE_TYPE={compute_type}", f"BATCH_SIZE={options.batch}", *options.set]
    changes = [part for change in settings for part in ("--set", change)]
    return ["--model", options.model.name, "--backend", backend, "--device", options.device, *changes]


def word_error_rate(said: Sequence[str], heard: Sequence[str]) -> float:
    """Return the rate in %, as OpenAI's normaliser sees the texts."""
    import jiwer
    from whisper_normalizer.english import EnglishTextNormalizer

    normalise = EnglishTextNormalizer()
    pairs = [(normalise(one), normalise(other)) for one, other in zip(said, heard, strict=True)]
    references, texts = zip(*[pair for pair in pairs if pair[0]], strict=True)
    return round(100 * float(jiwer.wer(list(references), list(texts))), 2)
