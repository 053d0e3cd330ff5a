"""The share of its machine that a worker may take."""

from __future__ import annotations

from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.machine.probe import probe_machine, usable_cores

MAX_LOADERS = {"cuda": 12, "mps": 4, "cpu": 2}  # a GPU takes in far more than a processor
MEMORY = 0.8  # share for all workers together
AUTO_BATCH = 48  # recordings that make sure of a full batch, whatever size the engine chooses


def loaders(device: str, beside: int) -> int:
    """Return the number of processes that decode for one of so many workers. Two cores are left to each worker
    itself."""
    return max(1, min(MAX_LOADERS[device], usable_cores() // beside - 2))


def most_bytes(settings: Settings, beside: int) -> int:
    """Return the bytes of memory that one of so many workers may hold before it is replaced."""
    if settings.CORPUS_WORKER_GB:
        return int(settings.CORPUS_WORKER_GB * 1e9)
    machine = probe_machine()
    return int((machine.memory_limit or machine.memory) * MEMORY / beside)


def batch_of(settings: Settings) -> int:
    """Return the number of recordings in a batch."""
    return settings.BATCH_SIZE if isinstance(settings.BATCH_SIZE, int) else AUTO_BATCH
