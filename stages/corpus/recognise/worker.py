"""A worker: a process with the model loaded once, that recognises what it is sent until nothing more comes.

`main` is the child that `local.py` starts; it reads and tells what `messages.py` lists.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import IO

import msgspec
import psutil

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.models.form import ResolvedModel
from sutradhar.pipeline.processes.channel import EventWriter, serve
from sutradhar.pipeline.processes.children import share_one_heap
from sutradhar.stages.corpus.recognise.messages import Degraded, Ended, Event, Ready, Retiring, Setup, Task, Work

LOOK_EVERY = 2.0  # seconds between two looks at the memory: each one looks at every process of the machine


class Inbox:
    """Work that came, given out task by task. A task to be done alone is given only where nothing was given since
    `wait`."""

    def __init__(self) -> None:
        self._came: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._waiting: deque[tuple[Task, bool]] = deque()
        self._closed = self._alone = False
        self._given = 0

    def put(self, work: Work | None) -> None:
        """Take work; None says that nothing more will come."""
        self._came.put(work)

    def wait(self) -> bool:
        """Wait until there is something to do; False where nothing more will come. Tasks given from now on stand
        beside nothing else."""
        self._given, self._alone = 0, False
        self._fetch()
        while not self._waiting and not self._closed:
            self._sort(self._came.get())
        return bool(self._waiting)

    def take(self) -> Task | None:
        self._fetch()
        if not self._waiting or self._alone or (self._waiting[0][1] and self._given):
            return None
        task, self._alone = self._waiting.popleft()
        self._given += 1
        return task

    def close(self) -> None:
        """Give out no more."""
        self._closed = True
        self._waiting.clear()

    def _fetch(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                self._sort(self._came.get_nowait())

    def _sort(self, work: Work | None) -> None:
        if work is None:
            self._closed = True
        elif not self._closed:
            self._waiting += [(task, work.alone) for task in work.tasks]


class Worker:
    """The model, with the means to recognise with it."""

    def __init__(self, setup: Setup, inbox: Inbox, tell: Callable[[Event], None]) -> None:
        """Load the model. Raises UsageError where the machine, the model or the settings will not do."""
        from sutradhar.stages.corpus.recognise import worker_limits
        from sutradhar.stages.corpus.recognise.files import Files
        from sutradhar.stages.corpus.recognise.prefetch import LoaderPool, Prefetcher
        from sutradhar.stages.corpus.recognise.transcriber import Transcriber
        from sutradhar.stages.corpus.results import Store
        from sutradhar.stages.recognisers.opening import open_recogniser

        _check_is_here(setup.model)
        settings = setup.settings
        self._inbox, self._tell, self._most_bytes = inbox, tell, worker_limits.most_bytes(settings, setup.beside)
        self._pool = LoaderPool(
            worker_limits.loaders(settings.WHISPERX_DEVICE, setup.beside),
            setup.folder,
            setup.spool,
            settings,
            setup.networks,
        )
        self._recogniser = open_recogniser(
            settings,
            setup.model,
            translate=False,
            times=settings.CORPUS_TIMESTAMPS != "none",
            log=logging.getLogger("sutradhar"),
        )
        self._told, self._leaving, self._telling = 0, False, threading.Lock()
        self._process, self._looked, self._worked = psutil.Process(), -LOOK_EVERY, False
        self._pool.preparation = self._recogniser.preparation
        prefetcher = Prefetcher(self._pool, 2 * worker_limits.batch_of(settings))
        store = Store(setup.results, setup.made_with)
        self._transcriber = Transcriber(
            self._recogniser, settings, prefetcher, store, Files(setup.tree, settings), self._watching
        )
        self._pool.wait()  # so that its memory is seen
        if self._most_bytes and (held := self._held_bytes()) > self._most_bytes:
            raise UsageError(
                f"CORPUS_WORKER_GB={self._most_bytes / 1e9:.1f} is less than a worker takes "
                f"with its model ({held / 1e9:.1f}): raise it"
            )
        tell(Ready(self._recogniser.engine, self._recogniser.packages))

    def run(self) -> None:
        try:
            while self._inbox.wait():
                self._transcriber.run(self._take)
        finally:
            self._pool.close()

    def _take(self) -> Task | None:
        self._leave_when_too_large()
        return self._inbox.take()

    def _watching(self, event: Event) -> None:
        """Tell an event, from any thread."""
        with self._telling:
            degraded, told = self._recogniser.degraded, self._told
            self._told = len(degraded)
            self._worked |= isinstance(event, Ended)
            for line in degraded[told : self._told]:
                self._tell(Degraded(line))
            self._tell(event)

    def _leave_when_too_large(self) -> None:
        now = time.monotonic()
        if self._leaving or not self._most_bytes or not self._worked or now < self._looked + LOOK_EVERY:
            return
        self._looked, self._worked = now, False
        if (held := self._held_bytes()) > self._most_bytes:
            self._leaving = True
            self._inbox.close()
            self._tell(Retiring(held))

    def _held_bytes(self) -> int:
        """Return the bytes held by this process and those that load for it."""
        held = 0
        for process in (self._process, *self._process.children()):
            with contextlib.suppress(psutil.Error):
                held += process.memory_info().rss
        return held


def _check_is_here(model: ResolvedModel) -> None:
    """Check that this machine, of a cluster perhaps, has the folder. Another one of the same name will not do: results
    are marked with the weights that the stage has seen. Raises UsageError."""
    if not model.path.is_dir():
        raise UsageError(
            f"Model {model.name} is not on {socket.gethostname()}, where a worker runs: there is no {model.path}. "
            "Put it into models/, which every machine of a cluster has to see"
        )


def main() -> None:
    """Run a worker on this machine, which reads Work after its Setup."""

    def work(setup: Setup, incoming: IO[bytes], events: EventWriter) -> None:
        share_one_heap()
        inbox = Inbox()
        threading.Thread(target=_read, args=(incoming, inbox), daemon=True).start()
        Worker(setup, inbox, events.send).run()

    serve(Setup, work)


def _read(incoming: IO[bytes], inbox: Inbox) -> None:
    with contextlib.suppress(OSError, msgspec.MsgspecError):
        for line in incoming:
            inbox.put(msgspec.json.decode(line, type=Work))
    inbox.put(None)
