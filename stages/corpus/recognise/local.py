"""Start workers as processes on this machine: new interpreters, never forks, which neither CUDA nor Metal survives."""

from __future__ import annotations

import os

from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.machine.probe import probe_machine
from sutradhar.pipeline.processes import channel
from sutradhar.pipeline.processes.children import entry
from sutradhar.stages.corpus.recognise.messages import Event, Setup
from sutradhar.stages.corpus.recognise.supervisor import Deliver

COMMAND = entry("sutradhar.stages.corpus.recognise.worker")


def places(settings: Settings) -> list[str]:
    """Return the GPUs of this machine, "" for the processor."""
    if settings.WHISPERX_DEVICE != "cuda":
        return [""]
    return chosen_gpus(settings) or [gpu.uuid for gpu in probe_machine().nvidia.gpus] or [""]


def chosen_gpus(settings: Settings) -> list[str]:
    """Return the GPUs' numbers or UUIDs; none where all may be used."""
    chosen = settings.CUDA_VISIBLE_DEVICES or os.environ.get("CUDA_VISIBLE_DEVICES", "")
    return [name for name in chosen.split(",") if name]


def beside(settings: Settings, workers: int) -> int:
    return workers


def start(setup: Setup, place: str, deliver: Deliver) -> channel.Child:
    """Start a worker on a GPU, or "" for the processor. It is of the stage's process group: whoever ends the stage
    ends it too."""
    environment = {"CUDA_VISIBLE_DEVICES": place} if place else {}
    child = channel.Child(channel.start(COMMAND, environment=environment), Event)
    child.deliver_to(deliver)
    child.send(setup)
    return child


def close() -> None:
    """Leave all as it is: the supervisor has ended each process."""
