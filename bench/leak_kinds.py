"""Kinds of processes that the jobs of `bench.leaks` have: how each is found, and with what the job may end when it
is killed."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.kill_loop import last_stage
from bench.recordings import Home, command_of

KILLED = -9


@dataclass(frozen=True)
class RunningJob:
    home: Home
    job: str
    runner: subprocess.Popen[bytes]

    @property
    def lives(self) -> bool:
        return self.runner.poll() is None

    def below(self) -> list[psutil.Process]:
        """Return all processes that the runner has started, and their children."""
        try:
            return list(psutil.Process(self.runner.pid).children(recursive=True))
        except psutil.Error:
            return []

    def with_words(self, *words: str) -> psutil.Process | None:
        """Return the first that lives and has one of the words in its command."""
        found = [one for one in self.below() if any(word in " ".join(command_of(one)) for word in words)]
        return next((one for one in found if _runs(one)), None)


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def open_files(process: psutil.Process) -> list[Path]:
    """Return what each descriptor of the process leads to; nothing where the process has ended."""
    found = []
    try:
        for descriptor in Path(f"/proc/{process.pid}/fd").iterdir():
            found.append(descriptor.readlink())
    except OSError:
        return []
    return found


@dataclass(frozen=True)
class Kind:
    name: str
    find: Callable[[RunningJob], psutil.Process | None]
    exit_codes: tuple[int, ...]


def _runner(running: RunningJob) -> psutil.Process | None:
    return psutil.Process(running.runner.pid) if running.lives else None


def _runner_that_hashes(running: RunningJob) -> psutil.Process | None:
    """Return the runner while it reads the film to its end, beside the stages."""
    runner = _runner(running)
    reads = runner and any(path.name == "film.mp4" for path in open_files(runner))
    return runner if reads and last_stage(running.home.folder, running.job) != "before the first" else None


def _stage(name: str) -> Kind:
    """Return the kind of a stage, which may have told how it ended and not be gone."""

    def find(running: RunningJob) -> psutil.Process | None:
        return (
            running.with_words("sutradhar.pipeline.running.child")
            if last_stage(running.home.folder, running.job) == name
            else None
        )

    return Kind(name, find, (1, 0))


def _started(name: str, word: str, *codes: int) -> Kind:
    return Kind(name, lambda running: running.with_words(word), codes)


KINDS: Mapping[str, tuple[Kind, ...]] = {
    "film": (
        Kind("runner", _runner, (KILLED, 0)),
        Kind("hashing", _runner_that_hashes, (KILLED,)),
        _stage("demux"),
        _stage("asr"),
        _started("ffmpeg-copies", ".subtitled.", 1),
        _started("ffmpeg-asked", "framecrc", 0),
    ),
    "folder": (
        Kind("runner", _runner, (KILLED, 0)),
        _stage("recognise"),
        _started("worker", "sutradhar.stages.corpus.recognise.worker", 0),
        _started("loader", "sutradhar.stages.corpus.recognise.prefetch", 0),
    ),
}
