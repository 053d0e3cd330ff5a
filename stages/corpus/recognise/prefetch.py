"""Load recordings before they are asked for, in processes of their own: in threads, decoding would take turns with
the recogniser."""

from __future__ import annotations

import contextlib
import pickle
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import IO, Any, Protocol

from sutradhar.pipeline.errors import StageFailed
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.processes import channel
from sutradhar.pipeline.processes.children import entry, share_one_heap
from sutradhar.stages.corpus.recognise.loading import Loaded, Loader
from sutradhar.stages.corpus.recognise.messages import SILERO_ALONE, Deferred, Failed, Networks, Task
from sutradhar.stages.recognisers.contract import Preparation

COMMAND = entry("sutradhar.stages.corpus.recognise.prefetch", "load_for_parent")
AHEAD_MS = 1_800_000  # the most sound that lies loaded
PATIENCE = 600.0  # seconds for an answer, and as long as the recording lasts: loading takes a small part of that
MIN_AHEAD = 2  # recordings, however long


class LoaderEnded(Exception):
    """A process that loads has ended by itself, over the recording that it had in hand."""


class Pool(Protocol):
    def submit(self, task: Task) -> Future[Loaded | Failed | Deferred]:
        """Load a recording. Raises LoaderEnded, as the result, where the process has ended by itself; another takes
        its place."""


class LoaderPool:
    """Processes that load. They start at once, and end with this one.

    They are spoken to through pipes. Python's own queues between processes have semaphores with names, which stay on
    the machine when all who know them are killed; and with them nobody knows over which recording a process has
    ended."""

    def __init__(
        self, count: int, folder: Path, spool: Path, settings: Settings, networks: Networks = SILERO_ALONE
    ) -> None:
        # Known only when the model is loaded, which takes longer than starting processes.
        self.preparation: Preparation | None = None
        self._start = partial(LoaderProcess, folder, spool, settings, networks)
        self._idle: queue.SimpleQueue[LoaderProcess] = queue.SimpleQueue()
        self._threads = ThreadPoolExecutor(count)
        for _ in range(count):
            self._idle.put(self._start())

    def wait(self) -> None:
        """Wait until one process is ready. Raises StageFailed where they end by themselves."""
        try:
            self._threads.submit(self._ask, None).result()
        except LoaderEnded:
            raise StageFailed(
                "The processes that decode end as soon as they have begun: too little memory is the usual reason"
            ) from None

    def submit(self, task: Task) -> Future[Loaded | Failed | Deferred]:
        return self._threads.submit(self._ask, (task, self.preparation))

    def _ask(self, question: tuple[Task, Preparation | None] | None) -> Any:
        loader = self._idle.get()
        try:
            return loader.ask(question)
        except LoaderEnded:
            loader = self._start()
            raise
        finally:
            self._idle.put(loader)

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)
        while not self._idle.empty():
            self._idle.get().end()


class LoaderProcess:
    """A process that loads, spoken to in pickles, since what it tells is arrays."""

    def __init__(self, folder: Path, spool: Path, settings: Settings, networks: Networks = SILERO_ALONE) -> None:
        self._child = channel.start(COMMAND)
        self.pid = self._child.pid
        with contextlib.suppress(OSError):  # it may have ended already, which the first question shows
            self._send((folder, spool, settings, networks))

    def ask(self, question: tuple[Task, Preparation | None] | None) -> Any:
        """Ask for a recording, prepared in this way, or, with None, for nothing but a sign of life. Raises LoaderEnded,
        also where the loader was killed since it did not answer in time, and OSError where the disk is full."""
        assert self._child.stdout
        limit = threading.Timer(PATIENCE + question[0].duration_ms / 1000 if question else PATIENCE, self._child.kill)
        limit.start()
        try:
            self._send(question)
            answer = pickle.load(self._child.stdout)
        except (OSError, EOFError, pickle.UnpicklingError):
            self.end()
            raise LoaderEnded from None
        finally:
            limit.cancel()
        if isinstance(answer, OSError):
            raise answer
        return answer

    def end(self) -> None:
        """End the process at once: it holds nothing that would have to be put in order."""
        self._child.kill()
        self._child.communicate()

    def _send(self, message: object) -> None:
        assert self._child.stdin
        pickle.dump(message, self._child.stdin, pickle.HIGHEST_PROTOCOL)
        self._child.stdin.flush()


def load_for_parent() -> None:
    """Load, as the child of a worker, what it asks for."""
    incoming, answers = channel.begin(group=False)
    questions = _messages(incoming)
    folder, spool, settings, networks = next(questions)
    share_one_heap()
    loader = Loader(folder, spool, settings, networks)
    for question in questions:
        pickle.dump(_answer(loader, question), answers, pickle.HIGHEST_PROTOCOL)
        answers.flush()


def _messages(file: IO[bytes]) -> Iterator[Any]:
    with contextlib.suppress(EOFError):
        while True:
            yield pickle.load(file)


def _answer(
    loader: Loader, question: tuple[Task, Preparation | None] | None
) -> Loaded | Failed | Deferred | OSError | None:
    try:
        return loader.load(*question) if question else None
    except OSError as error:
        return error


class Prefetcher:
    """A queue of recordings loaded ahead, in bounded memory, in the order in which recordings come."""

    def __init__(self, pool: Pool, most: int) -> None:
        self._pool, self._most = pool, most
        self._pending: deque[tuple[Task, Future[Loaded | Failed | Deferred]]] = deque()

    def run(self, take: Callable[[], Task | None]) -> Iterator[Loaded | Failed | Deferred]:
        """Yield all that `take` gives, loaded, in the order in which it gives it. Raises OSError where the disk is
        full."""
        while True:
            while self._has_room() and (task := take()):
                self._pending.append((task, self._pool.submit(task)))
            if not self._pending:
                return
            task, future = self._pending.popleft()
            try:
                yield future.result()
            except LoaderEnded:
                yield self._load_again(task)

    def _has_room(self) -> bool:
        count = len(self._pending)
        return count < MIN_AHEAD or (
            count < self._most and sum(task.duration_ms for task, _ in self._pending) < AHEAD_MS
        )

    def _load_again(self, task: Task) -> Loaded | Failed | Deferred:
        """Load a recording again: somebody may have killed the process that loaded it, so only what one ends over
        twice is at fault."""
        try:
            return self._pool.submit(task).result()
        except LoaderEnded:
            return Failed(
                task.id,
                "the process that decoded it ended by itself: damage or too little memory is the usual reason",
                again=True,
            )
