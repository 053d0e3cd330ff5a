"""Starts workers as processes on this machine: new interpreters, never forks, which neither CUDA nor Metal survives."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading

import msgspec
from msgspec.structs import replace

from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.machine.probe import probe_machine
from sutradhar.pipeline.processes.children import entry, without_secrets
from sutradhar.stages.corpus.recognise.messages import Event, Setup
from sutradhar.stages.corpus.recognise.supervisor import Deliver, Handle

COMMAND = entry("sutradhar.stages.corpus.recognise.worker")
GRACE = 5.0  # seconds that a worker is given to end by itself


def places(settings: Settings) -> list[str]:
    """The GPUs of this machine, "" for the processor."""
    if settings.WHISPERX_DEVICE != "cuda":
        return [""]
    return chosen_gpus(settings) or [gpu.uuid for gpu in probe_machine().nvidia.gpus] or [""]


def chosen_gpus(settings: Settings) -> list[str]:
    """Their numbers or UUIDs; none where all may be used."""
    chosen = settings.CUDA_VISIBLE_DEVICES or os.environ.get("CUDA_VISIBLE_DEVICES", "")
    return [name for name in chosen.split(",") if name]


def beside(settings: Settings, workers: int) -> int:
    return workers


def start(setup: Setup, place: str, deliver: Deliver) -> Handle:
    return Process(replace(setup, parent=os.getpid()), place, deliver)


def close() -> None:
    """Nothing is left: the supervisor has ended each process."""


class Process:
    def __init__(self, setup: Setup, gpu: str, deliver: Deliver) -> None:
        environment = without_secrets() | ({"CUDA_VISIBLE_DEVICES": gpu} if gpu else {})
        self._child = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        threading.Thread(target=self._listen, args=(deliver,), daemon=True).start()
        self.send(setup)

    def _listen(self, deliver: Deliver) -> None:
        assert self._child.stdout
        for line in self._child.stdout:
            with contextlib.suppress(msgspec.MsgspecError):  # what a killed worker did not finish
                deliver(msgspec.json.decode(line, type=Event))
        self._child.wait()
        deliver(None)

    def send(self, message: msgspec.Struct) -> None:
        assert self._child.stdin
        with contextlib.suppress(OSError):
            self._child.stdin.write(msgspec.json.encode(message) + b"\n")
            self._child.stdin.flush()

    def end(self) -> None:
        assert self._child.stdin
        with contextlib.suppress(OSError):
            self._child.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(GRACE)
        self._child.kill()
        self._child.wait()

    def how_it_ended(self) -> tuple[str, bool]:
        code = self._child.returncode
        if code == -signal.SIGKILL:
            return "killed (SIGKILL); out of memory is the usual reason", True
        if code < 0:
            return f"ended by {signal.Signals(-code).name}", -code in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        return f"ended with code {code}", False
