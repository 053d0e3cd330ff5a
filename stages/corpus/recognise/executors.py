"""The places where workers run. To add an executor: a module like `local.py`, and a line in EXECUTORS."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from itertools import cycle, islice
from typing import Protocol, cast

from msgspec.structs import replace

from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.stages.corpus.recognise.corpus import Corpus
from sutradhar.stages.corpus.recognise.dispatcher import Dispatcher
from sutradhar.stages.corpus.recognise.messages import Setup
from sutradhar.stages.corpus.recognise.supervisor import Deliver, Handle, Supervisor
from sutradhar.stages.corpus.recognise.worker_limits import batch_of

EXECUTORS = {
    "local": "sutradhar.stages.corpus.recognise.local",
    "ray": "sutradhar.stages.corpus.recognise.ray_workers",
}  # by CORPUS_EXECUTOR
# Batches that a worker is given at a time: two are loaded ahead, three recognised, and some are being written.
BATCHES_GIVEN = 6


class Executor(Protocol):
    def places(self, settings: Settings) -> list[str]:
        """Return the best place for each worker: a GPU, or "" where it finds its place by itself. Raises UsageError."""

    def beside(self, settings: Settings, workers: int) -> int:
        """Return how many of so many workers share a machine."""

    def start(self, setup: Setup, place: str, deliver: Deliver) -> Handle:
        """Start a worker."""

    def close(self) -> None:
        """Clean up when no worker is needed any more."""


def run(setup: Setup, corpus: Corpus) -> None:
    """Run workers until all is done. Raises UsageError where the settings will not do, StageFailed where no worker
    lives."""
    settings = setup.settings
    executor = cast(Executor, import_module(EXECUTORS[settings.CORPUS_EXECUTOR]))
    try:
        places = executor.places(settings)
        places = list(
            islice(cycle(places), len(places) if settings.CORPUS_WORKERS == "auto" else settings.CORPUS_WORKERS)
        )[: len(corpus.tasks)]
        dispatcher = Dispatcher(corpus.tasks, BATCHES_GIVEN * batch_of(settings), batch_of(settings))
        start = partial(executor.start, replace(setup, beside=executor.beside(settings, len(places))))
        Supervisor(start, places, dispatcher, corpus.made, corpus.tell).run()
    finally:
        executor.close()
