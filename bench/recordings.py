"""Folders of recordings to measure with, made from the sets of a data folder (each with `manifest.jsonl`: `audio`, `duration`, `text`)."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.side_by_side import ROOT
from pipeline import media

ENGLISH = ("tel_asterisk", "en_commonvoice", "en_librispeech", "en_ljspeech")


@dataclass(frozen=True)
class Recording:
    path: Path
    seconds: float
    text: str  # what is said


def choose(data: Path, count: int, folder: Path) -> list[Recording]:
    """Copies of English recordings, at random, each under a name of its own; beyond as many as there are with other silence behind them."""
    rows = [
        (data / name / row["audio"], row["duration"], row["text"])
        for name in ENGLISH
        for row in map(json.loads, (data / name / "manifest.jsonl").read_text(encoding="utf-8").splitlines())
    ]
    random.Random(1).shuffle(rows)
    folder.mkdir(parents=True)
    found = []
    for number in range(count):
        source, seconds, text = rows[number % len(rows)]
        path = folder / f"{number:05}{source.suffix}"
        if number < len(rows):
            shutil.copy(source, path)
        else:
            path = path.with_suffix(".wav")
            write_wav(path, b"".join(block.tobytes() for block in media.decode(source)) + bytes(320 * (number // len(rows))))
        found.append(Recording(path, seconds, text))
    return found


def add_bad(folder: Path, good: Sequence[Recording]) -> dict[str, str]:
    """Files that are no good recordings, and what is to become of each."""
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
    return {name: status for name, (_, status) in files.items()} | {f"copy-{number}{one.path.suffix}": "done" for number, one in enumerate(good[:5])}


def write_wav(path: Path, samples: bytes) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, media.SAMPLE_RATE, 0, "NONE", "not compressed"))
        file.writeframes(samples)


@dataclass(frozen=True)
class Home:
    """A place for jobs, apart from the project's own."""

    folder: Path
    models: Path

    def environment(self) -> dict[str, str]:
        self.folder.mkdir(exist_ok=True)
        if not (self.folder / "models").exists():
            (self.folder / "models").symlink_to(self.models)
        return os.environ | {"SUTRADHAR_HOME": str(self.folder), "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"}

    def prepare(self, recordings: Path, job: str, *options: str) -> None:
        command = [sys.executable, "-m", "pipeline.prepare", str(recordings), "--transcribe", "-s", "en", "--job-id", job, *options]
        subprocess.run(command, check=True, env=self.environment(), capture_output=True)

    def start(self, job: str, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "pipeline.run", "-j", job, *options]
        return subprocess.Popen(command, env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def rows(self, job: str) -> dict[str, dict[str, object]]:
        """What was exported, by path."""
        lines = (self.folder / "out" / job / "transcripts.jsonl").read_text(encoding="utf-8").splitlines()
        return {row["path"]: row for row in map(json.loads, lines)}


def word_error_rate(said: Sequence[str], heard: Sequence[str]) -> float:
    """In %, as OpenAI's normaliser sees the texts."""
    import jiwer
    from whisper_normalizer.english import EnglishTextNormalizer

    normalise = EnglishTextNormalizer()
    pairs = [(normalise(one), normalise(other)) for one, other in zip(said, heard, strict=True)]
    references, texts = zip(*[pair for pair in pairs if pair[0]], strict=True)
    return round(100 * float(jiwer.wer(list(references), list(texts))), 2)
