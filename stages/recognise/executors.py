"""How many workers there are, where, and how large each may grow."""

from __future__ import annotations

import os
from importlib import import_module
from itertools import cycle, islice

from msgspec.structs import replace

from pipeline.probe import probe_machine
from pipeline.settings import Settings
from stages.recognise.corpus import Corpus
from stages.recognise.dispatcher import Dispatcher
from stages.recognise.messages import Setup
from stages.recognise.workers import Workers

EXECUTORS = {"local": "stages.recognise.local", "ray": "stages.recognise.ray_workers"}  # by CORPUS_EXECUTOR
BATCHES_GIVEN = 4  # recordings that a worker is given at a time, in batches
AUTO_BATCH = 48
MOST_LOADERS = {"cuda": 12, "mps": 4, "cpu": 2}  # processes that decode, of a worker: a GPU takes in far more than a processor
SHARE = 0.8  # of the memory, for all workers together


def run(setup: Setup, corpus: Corpus) -> None:
    """Raises UsageError where the settings will not do, StageFailed where no worker lives."""
    settings = setup.settings
    executor = import_module(EXECUTORS[settings.CORPUS_EXECUTOR])
    places = executor.places(settings)
    gpus = list(islice(cycle(places), len(places) if settings.CORPUS_WORKERS == "auto" else settings.CORPUS_WORKERS))
    beside = len(gpus) if settings.CORPUS_EXECUTOR == "local" else 1  # workers on a machine; of a cluster's nothing is known
    setup = replace(setup, loaders=_loaders(settings.WHISPERX_DEVICE, beside), most_bytes=_most_bytes(settings, beside))
    batch = settings.BATCH_SIZE if isinstance(settings.BATCH_SIZE, int) else AUTO_BATCH
    dispatcher = Dispatcher(corpus.tasks, BATCHES_GIVEN * batch, batch)
    Workers(executor.launcher(setup), gpus[: len(corpus.tasks)], dispatcher, corpus.is_done, corpus.tell).run()


def _loaders(device: str, workers: int) -> int:
    """Two cores are left to each worker itself."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(MOST_LOADERS[device], cores // workers - 2))


def _most_bytes(settings: Settings, workers: int) -> int:
    if settings.CORPUS_WORKER_GB:
        return int(settings.CORPUS_WORKER_GB * 1e9)
    machine = probe_machine()
    return int((machine.memory_limit or machine.memory) * SHARE / workers)
