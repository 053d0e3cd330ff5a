"""Part a stream of windows into groups, and have threads recognise them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue

from sutradhar.stages.recognisers.contract import NOTHING_YET, AudioWindow, Recognition, Waiting

Group = Sequence[AudioWindow]


class _Source:
    def __init__(self, windows: Iterable[AudioWindow | Waiting]) -> None:
        self._windows = iter(windows)
        self.ended = False

    def take(self, count: int) -> list[AudioWindow]:
        """Return so many windows, or those before the end, before the source has nothing yet, and up to an urgent
        one."""
        taken: list[AudioWindow] = []
        while len(taken) < count:
            window = next(self._windows, None)
            if window is None or window is NOTHING_YET:
                self.ended = window is None
                break
            taken.append(window)
            if window.urgent:
                break
        return taken


def batches(windows: Iterable[AudioWindow | Waiting], size: int, workers: int) -> Iterator[Group | Waiting]:
    """Yield batches of the stream, shared out evenly to the workers. Known windows are left out, except where
    their mates need them to come to the same result."""
    source = _Source(windows)
    while not source.ended:
        batch = source.take(size)
        if not batch and not source.ended:
            yield NOTHING_YET
        if batch and batch[-1].urgent:
            yield [batch.pop()]
        share = max(1, math.ceil(len(batch) / workers))
        groups = (batch[start : start + share] for start in range(0, len(batch), share))
        yield from (group for group in groups if not all(window.known for window in group))


def free_groups(
    windows: Iterable[AudioWindow | Waiting], size: int, workers: int, fitting: Callable[[], int]
) -> Iterator[Group | Waiting]:
    """Yield groups of any size, for windows that do not depend on their mates: no more than `fitting`, and fewer
    towards the end, so that no worker waits long for another. Up to `size` windows are read ahead."""
    source = _Source(window for window in windows if window is NOTHING_YET or not window.known)
    ahead: list[AudioWindow] = []
    while True:
        ahead += source.take(size - len(ahead))
        if not ahead:
            if source.ended:
                return
            yield NOTHING_YET
        elif ahead[-1].urgent:
            yield [ahead.pop()]
        else:
            count = min(math.ceil(len(ahead) / workers), fitting())
            yield ahead[:count]
            ahead = ahead[count:]


class Crew:
    """Threads that recognise groups, and their results. An urgent group has a separate thread: the model answers
    its requests between those of the others, which may be half a minute from their end."""

    def __init__(self, threads: int, recognise: Callable[[Group, Callable[[Recognition], None]], None]) -> None:
        self._recognise = recognise
        self._told: SimpleQueue[Recognition | Future[None]] = SimpleQueue()
        self._threads, self._express = ThreadPoolExecutor(threads), ThreadPoolExecutor(1)
        self._in_hand: dict[Future[None], bool] = {}  # true for an urgent one

    @property
    def in_hand(self) -> int:
        """Count the groups that are not done."""
        return len(self._in_hand)

    @property
    def busy(self) -> int:
        """Count the groups of them that are not urgent."""
        return list(self._in_hand.values()).count(False)

    def begin(self, group: Group) -> None:
        urgent = group[0].urgent
        future = (self._express if urgent else self._threads).submit(self._recognise, group, self._told.put)
        self._in_hand[future] = urgent
        future.add_done_callback(self._told.put)

    def next_told(self, seconds: float | None = None) -> Iterator[Recognition]:
        """Yield the next recognition, if any comes within so many seconds and before a group ends. Raises the
        error that a group has ended with."""
        try:
            found = self._told.get(timeout=seconds)
        except Empty:
            return
        if isinstance(found, Recognition):
            yield found
        else:
            del self._in_hand[found]
            found.result()

    def dismiss(self) -> None:
        for pool in (self._threads, self._express):
            pool.shutdown(cancel_futures=True)
