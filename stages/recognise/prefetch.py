"""Loads recordings before they are asked for, in processes of their own: in threads, decoding would take turns with the recogniser."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol

from pipeline.errors import StageFailed
from pipeline.processes import die_with_parent, share_one_heap
from pipeline.settings import Settings
from stages.recognise.loading import Loaded, Loader
from stages.recognise.messages import Failed, PutOff, Task

AHEAD_MS = 1_800_000  # of sound that lies loaded
LEAST_AHEAD = 2  # recordings, however long

_loader: Loader  # of this process, where it is one that loads


class Pool(Protocol):
    def submit(self, task: Task) -> Future[Loaded | Failed | PutOff]:
        """Load a recording. Raises BrokenProcessPool, now or as the result, where a process has ended by itself."""

    def restart(self) -> None:
        """After a process has ended by itself."""


class LoaderPool:
    """Processes that load. They start at once, and end with this one."""

    def __init__(self, count: int, folder: Path, spool: Path, settings: Settings) -> None:
        self.mels = 0  # bands of the spectrograms; known only when the model is loaded, which takes longer than starting processes
        self._count, self._arguments = count, (os.getpid(), folder, spool, settings)
        self.restart()

    def restart(self) -> None:
        self._pool = ProcessPoolExecutor(self._count, get_context("spawn"), _begin, self._arguments)
        for _ in range(self._count):
            self._pool.submit(_nothing)  # each that finds nobody idle starts a process

    def wait(self) -> None:
        """Until one is there. Raises StageFailed where they end by themselves."""
        try:
            self._pool.submit(_nothing).result()
        except BrokenProcessPool:
            raise StageFailed("The processes that decode end as soon as they have begun: too little memory is the usual reason") from None

    def submit(self, task: Task) -> Future[Loaded | Failed | PutOff]:
        return self._pool.submit(_load, task, self.mels)

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)


def _begin(parent: int, folder: Path, spool: Path, settings: Settings) -> None:
    global _loader
    die_with_parent(parent, group=False)
    share_one_heap()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # there are as many processes as there are cores for them; NumPy is not loaded yet
    _loader = Loader(folder, spool, settings)


def _load(task: Task, mels: int) -> Loaded | Failed | PutOff:
    return _loader.load(task, mels)


def _nothing() -> None:
    pass


class Prefetcher:
    """In bounded memory, and in the order in which recordings come."""

    def __init__(self, pool: Pool, most: int) -> None:
        self._pool, self._most = pool, most
        self._restarts = 0
        self._pending: deque[tuple[Task, Future[Loaded | Failed | PutOff], int]] = deque()  # and how many restarts there had been

    def run(self, take: Callable[[], Task | None]) -> Iterator[Loaded | Failed | PutOff]:
        """Until nothing is left that `take` gives, in the order in which it gives it. Raises OSError where the disk is full."""
        while True:
            while self._has_room() and (task := take()):
                self._pending.append((task, self._submit(task), self._restarts))
            if not self._pending:
                return
            task, future, restarts = self._pending.popleft()
            try:
                yield future.result()
            except BrokenProcessPool:
                yield self._load_again(task, restarts)

    def _has_room(self) -> bool:
        count = len(self._pending)
        return count < LEAST_AHEAD or (count < self._most and sum(task.duration_ms for task, _, _ in self._pending) < AHEAD_MS)

    def _submit(self, task: Task) -> Future[Loaded | Failed | PutOff]:
        try:
            return self._pool.submit(task)
        except BrokenProcessPool:
            self._restart()
            return self._pool.submit(task)

    def _load_again(self, task: Task, restarts: int) -> Loaded | Failed | PutOff:
        """Nobody knows over which recording the process has ended: each that was in hand is loaded again, and waited for."""
        if restarts == self._restarts:
            self._restart()
        try:
            return self._submit(task).result()
        except BrokenProcessPool:
            self._restart()
            return Failed(task.id, "the process that decoded it ended by itself: damage or too little memory is the usual reason", again=True)

    def _restart(self) -> None:
        self._restarts += 1
        self._pool.restart()
