"""The supervisor: keeps workers supplied, and starts a new one for each that dies or has grown too large. Where
they run is the executor's matter."""

from __future__ import annotations

import contextlib
import logging
import queue
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from sutradhar.pipeline.errors import StageFailed, UsageError
from sutradhar.pipeline.processes.channel import Broken, Note
from sutradhar.pipeline.wording import counted
from sutradhar.stages.corpus.recognise.dispatcher import Dispatcher, FailedForGood
from sutradhar.stages.corpus.recognise.messages import Begun, Deferred, Degraded, Done, Event, Failed, Ready, Retiring

MAX_FRUITLESS_WORKERS = 20  # workers in a row that die before any recording is done or given up
STUCK = 3600.0  # seconds without a word, after which a worker is ended: a window takes minutes on the slowest machine
LOOK_EVERY = 60.0  # seconds between two looks for a stuck worker
MAX_FAILED_STARTS = 3  # workers in a row that die before they are ready: then nothing will come of it
Deliver = Callable[[Event | None], None]  # gets what a worker tells, and at last None when it is no more


class Handle(Protocol):
    """A worker that was launched."""

    def send(self, message: msgspec.Struct) -> None:
        """Send a message; to a worker that is dead already it goes nowhere."""

    def end(self) -> None:
        """End the worker, so that nothing of it stays."""

    def how_it_ended(self) -> tuple[str, bool]:
        """Say how it ended; and whether somebody killed it, which may have nothing to do with its work."""


Start = Callable[[str, Deliver], Handle]  # starts a worker in a place


@dataclass
class _Launched:
    handle: Handle
    place: str
    ready: bool = False
    leaving: bool = False
    broken: Broken | None = None
    heard: float = field(default_factory=time.monotonic)  # when it last told something

    @property
    def takes_work(self) -> bool:
        return self.ready and not self.leaving and not self.broken


class Supervisor:
    def __init__(
        self,
        start: Start,
        places: Sequence[str],
        dispatcher: Dispatcher,
        made: Callable[[str], Done | None],
        tell: Callable[[Event | FailedForGood], None],
    ) -> None:
        """Take the places, one for each worker. `made` gives the event for a recording that has a result; `tell`
        hears what happens."""
        self._launch, self._places, self._dispatcher, self._made, self._tell = start, places, dispatcher, made, tell
        self._events: queue.SimpleQueue[tuple[int, Event | None]] = queue.SimpleQueue()
        self._workers: dict[int, _Launched] = {}
        self._launched = self._barren = 0
        self._looked = time.monotonic()
        self._stillborn: Counter[str] = Counter()  # workers dead before they were ready, in a row, by place

    def run(self) -> None:
        """Run until everything is done or given up. Raises UsageError where the settings will not do, StageFailed
        where no worker lives."""
        try:
            for place in self._places:
                self._start(place)
            while not self._dispatcher.done:
                with contextlib.suppress(queue.Empty):
                    number, event = self._events.get(timeout=LOOK_EVERY)
                    if event is None:
                        self._died(number)
                    else:
                        self._heard(number, event)
                self._end_the_stuck()
                self._supply()
        finally:
            for worker in self._workers.values():
                worker.handle.end()

    def _start(self, place: str) -> None:
        number = self._launched = self._launched + 1
        self._dispatcher.join(number)
        self._workers[number] = _Launched(self._launch(place, lambda event: self._events.put((number, event))), place)

    def _end_the_stuck(self) -> None:
        """End the workers that were silent for too long; what they had begun is suspect."""
        now = time.monotonic()
        if now < self._looked + LOOK_EVERY:
            return
        self._looked = now
        for number, worker in self._workers.items():
            if (
                now - worker.heard > STUCK
                and not worker.broken
                and (self._dispatcher.given(number) or not worker.ready)
            ):
                worker.broken = Broken(f"nothing was heard of it for {STUCK / 60:.0f} minutes", 1)
                worker.handle.end()

    def _heard(self, number: int, event: Event) -> None:
        worker = self._workers[number]
        worker.heard = time.monotonic()
        match event:
            case Broken():
                worker.broken = event
                return
            case Failed():
                self._failed(number, event)
                return
            case Begun():
                self._dispatcher.begun(number, event.id)
            case Deferred():
                self._dispatcher.ended(number, event.id)
            case Done():
                self._barren = 0
                self._dispatcher.ended(number, event.id)
            case Ready():
                worker.ready = True
                self._stillborn[worker.place] = 0
            case Retiring():
                worker.leaving = True
        self._tell(event)

    def _failed(self, number: int, event: Failed) -> None:
        if given_up := self._dispatcher.failed(number, event.id, event.reason, again=event.again):
            self._barren = 0
            self._tell(given_up)

    def _supply(self) -> None:
        for number, worker in self._workers.items():
            if worker.takes_work and (work := self._dispatcher.next_work(number)):
                worker.handle.send(work)

    def _died(self, number: int) -> None:
        """Give a dead worker's work to others, and its place to a new one."""
        worker = self._workers.pop(number)
        how, killed = worker.handle.how_it_ended()
        reason = worker.broken.message if worker.broken else how
        if worker.broken and (worker.broken.hopeless or worker.broken.exit_code == UsageError.exit_code):
            raise worker.broken.error(otherwise=StageFailed)
        if not worker.ready:
            self._stillborn[worker.place] += 1
        self._barren += not worker.leaving
        given = self._dispatcher.given(number)
        done = [event for recording in given if (event := self._made(recording))]
        for event in done:
            self._barren = 0
            self._tell(event)
        ended = [event.id for event in done]
        given_up, again = self._dispatcher.died(
            number, f"the worker ended on it: {reason}", killed=killed and not worker.broken, done=ended
        )
        for one in given_up:
            self._barren = 0
            self._tell(one)
        if self._barren >= MAX_FRUITLESS_WORKERS:
            raise StageFailed(f"{MAX_FRUITLESS_WORKERS} workers in a row ended before any recording was done: {reason}")
        if worker.ready and not worker.leaving:
            begun = f"; tried again alone: {counted(again, 'recording')} that it had begun" if again else ""
            self._tell(Note(logging.WARNING, f"A worker ended ({reason}){begun}"))
        if self._dispatcher.idle:
            return
        if worker.ready or self._stillborn[worker.place] < MAX_FAILED_STARTS:
            self._start(worker.place)
        elif self._workers:
            self._tell(
                Degraded(
                    f"No worker can start{f' on GPU {worker.place}' if worker.place else ''}, "
                    f"the others go on: {reason}"
                )
            )
        else:
            raise StageFailed(f"No worker can start: {reason}")
