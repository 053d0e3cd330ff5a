"""Loads recordings before they are asked for, in processes of their own: in threads, decoding would take turns with the recogniser."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

from pipeline.errors import StageFailed
from pipeline.processes import die_with_parent
from pipeline.settings import Settings
from stages.recognise.loading import Loaded, Loader
from stages.recognise.messages import Failed, PutOff, Task

AHEAD_MS = 1_800_000  # of sound that lies loaded
LEAST_AHEAD = 2  # recordings, however long

Load = Callable[[Task, int], Loaded | Failed | PutOff]  # with spectrograms of so many bands
_loader: Loader  # of this process, where it is one that loads


def loader_processes(count: int, folder: Path, spool: Path, settings: Settings) -> Executor:
    """Processes in which `load` runs. They start at once, and end with this one."""
    pool = ProcessPoolExecutor(count, get_context("spawn"), _begin, (os.getpid(), folder, spool, settings))
    for _ in range(count):
        pool.submit(_nothing)  # each that finds nobody idle starts a process
    return pool


def _nothing() -> None:
    pass


def _begin(parent: int, folder: Path, spool: Path, settings: Settings) -> None:
    global _loader
    die_with_parent(parent, group=False)
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # there are as many processes as there are cores for them; NumPy is not loaded yet
    _loader = Loader(folder, spool, settings)


def load(task: Task, mels: int) -> Loaded | Failed | PutOff:
    """In a process of `loader_processes`."""
    return _loader.load(task, mels)


class Prefetcher:
    """In bounded memory, and in the order in which recordings come."""

    def __init__(self, pool: Executor, load: Load, mels: int, most: int) -> None:
        self._pool, self._load, self._mels, self._most = pool, load, mels, most
        self._pending: deque[tuple[Task, Future[Loaded | Failed | PutOff]]] = deque()

    def run(self, take: Callable[[], Task | None]) -> Iterator[Loaded | Failed | PutOff]:
        """Until nothing is left that `take` gives, in the order in which it gives it. Raises StageFailed where a process ended by itself."""
        try:
            while True:
                while self._has_room() and (task := take()):
                    self._pending.append((task, self._pool.submit(self._load, task, self._mels)))
                if not self._pending:
                    return
                yield self._pending.popleft()[1].result()
        except BrokenProcessPool:
            raise StageFailed("a process that decodes ended by itself: a damaged recording or too little memory is the usual reason") from None

    def _has_room(self) -> bool:
        count = len(self._pending)
        return count < LEAST_AHEAD or (count < self._most and sum(task.duration_ms for task, _ in self._pending) < AHEAD_MS)
