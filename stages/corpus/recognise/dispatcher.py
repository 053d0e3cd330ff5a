"""The dispatcher: shares recordings out to workers, and finds the one that a worker dies of.

A worker that dies leaves recordings that it had begun. Each of them is tried again alone, with nothing beside it,
so that a poisonous one costs no other; it is given up when it fails alone as well. There is no process, pipe or
file here: `supervisor.py` moves the messages.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from sutradhar.stages.corpus.recognise.messages import Task, Work

GIVEN_MS = 3_600_000  # the most sound that a worker is given ahead
MIN_GIVEN = 2  # recordings, however long
# Deaths of a worker alone with a recording, before that is given up: the killer may have had other reasons.
KILLS = 5


@dataclass
class _Hand:
    given: dict[str, Task] = field(default_factory=dict)  # not ended yet
    begun: set[str] = field(default_factory=set)
    alone: bool = False


@dataclass(frozen=True)
class FailedForGood:
    task: Task
    reason: str


class Dispatcher:
    def __init__(self, tasks: Sequence[Task], most_given: int, least_given: int | None = None) -> None:
        """Share tasks out in their order, at most `most_given` at a time to a worker; towards the end fewer, down
        to `least_given`, so that none is left with much when the others have nothing more."""
        self._waiting, self._suspects = deque(tasks), deque[Task]()
        self._workers: dict[int, _Hand] = {}
        self._most_given, self._least_given = most_given, most_given if least_given is None else least_given
        self._kills: dict[str, int] = {}

    @property
    def done(self) -> bool:
        return not self._waiting and not self._suspects and not any(worker.given for worker in self._workers.values())

    @property
    def idle(self) -> bool:
        """Return whether nothing waits to be given to anybody."""
        return not self._waiting and not self._suspects

    def join(self, worker: int) -> None:
        self._workers[worker] = _Hand()

    def next_work(self, worker: int) -> Work | None:
        """Return what to send a worker now, None for nothing."""
        state = self._workers[worker]
        if state.alone and state.given:
            return None
        if self._suspects and not state.given:
            state.alone = True
            return self._give(state, [self._suspects.popleft()])
        state.alone = False
        tasks: list[Task] = []
        while self._waiting and self._has_room(state, tasks):
            tasks.append(self._waiting.popleft())
        return self._give(state, tasks) if tasks else None

    def _has_room(self, state: _Hand, tasks: Sequence[Task]) -> bool:
        given = [*state.given.values(), *tasks]
        most = max(self._least_given, min(self._most_given, len(self._waiting) // len(self._workers)))
        return len(given) < MIN_GIVEN or (len(given) < most and sum(task.duration_ms for task in given) < GIVEN_MS)

    def _give(self, state: _Hand, tasks: Sequence[Task]) -> Work:
        state.given |= {task.id: task for task in tasks}
        return Work(tuple(tasks), state.alone)

    def begun(self, worker: int, recording: str) -> None:
        state = self._workers[worker]
        state.begun.add(recording)
        state.given[recording] = replace(state.given[recording], attempts=state.given[recording].attempts + 1)

    def ended(self, worker: int, recording: str) -> Task:
        state = self._workers[worker]
        state.begun.discard(recording)
        return state.given.pop(recording)

    def failed(self, worker: int, recording: str, reason: str, *, again: bool) -> FailedForGood | None:
        """End a failed recording; None where it is worth another attempt, alone."""
        alone = self._workers[worker].alone
        task = self.ended(worker, recording)
        if again and not alone:
            self._suspects.append(task)
            return None
        return FailedForGood(task, reason)

    def died(
        self, worker: int, reason: str, *, killed: bool, done: Iterable[str] = ()
    ) -> tuple[list[FailedForGood], int]:
        """Take a dead worker off, and return the recordings that are given up and how many are tried again alone.
        `done` have a result all the same; those not begun go to the others."""
        state = self._workers.pop(worker)
        for recording in done:
            state.given.pop(recording, None)
        self._waiting.extendleft(reversed([task for task in state.given.values() if task.id not in state.begun]))
        begun = [task for task in state.given.values() if task.id in state.begun]
        given_up = [one for task in begun if (one := self._suspect(task, state, reason, killed))]
        return given_up, len(begun) - len(given_up)

    def _suspect(self, task: Task, state: _Hand, reason: str, killed: bool) -> FailedForGood | None:
        if state.alone:
            self._kills[task.id] = self._kills.get(task.id, 0) + 1
            if not killed or self._kills[task.id] >= KILLS:
                return FailedForGood(task, reason)
        self._suspects.append(task)
        return None

    def given(self, worker: int) -> Mapping[str, Task]:
        """Return what a worker has not ended yet, by id."""
        return self._workers[worker].given
