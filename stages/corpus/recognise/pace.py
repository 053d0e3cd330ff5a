"""The share of a folder of recordings that is done, and the speed, counted in their sound."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Collection

from sutradhar.pipeline.console import clock

PRESENT = 60.0  # seconds over which the present speed is taken
WINDOW_MS = 30_000
# Cost of encoding a window, in ms of sound: base on two cores took 0.19 s for a window and 0.017 s for a second of
# sound in it.
WINDOW_COSTS_MS = 10_000


class Pace:
    """The pace of a run. `done`, `failed` and `done_ms` are of this run alone."""

    def __init__(self, all_ms: Collection[int], before: Counter[str], before_ms: Collection[int]) -> None:
        """Take the durations of all recordings, and of those that had ended before; these by status, too."""
        self.done = self.failed = self.done_ms = self._failed_ms = 0
        self._files, self._total_ms, self.before, self._before_ms = len(all_ms), sum(all_ms), before, sum(before_ms)
        self._work, self._work_to_do = 0, sum(map(_work, all_ms)) - sum(map(_work, before_ms))
        self._in_hand_ms: dict[str, int] = {}  # how far long recordings have come
        self._began = time.monotonic()
        self._recent = deque([(self._began, 0)])  # times, each with the sound of this run behind us

    def end(self, recording: str, duration_ms: int, *, failed: bool = False) -> None:
        self._in_hand_ms.pop(recording, None)
        self._work += _work(duration_ms)
        if failed:
            self.failed += 1
            self._failed_ms += duration_ms
        else:
            self.done += 1
            self.done_ms += duration_ms
        self._mark()

    def put_off(self, duration_ms: int) -> None:
        """Leave a recording to a later run."""
        self._total_ms -= duration_ms
        self._work_to_do -= _work(duration_ms)

    def come(self, recording: str, done_ms: int) -> None:
        """Note how far a recording has come that takes its time."""
        self._in_hand_ms[recording] = done_ms
        self._mark()

    def begin_anew(self, recording: str) -> None:
        self._in_hand_ms.pop(recording, None)

    @property
    def seconds(self) -> tuple[float, float, float]:
        """Return seconds of sound: behind us, in all, and behind us before the run."""
        return (self._before_ms + self._own_ms) / 1000, self._total_ms / 1000, self._before_ms / 1000

    @property
    def left(self) -> float | None:
        """Return the seconds to go; None before anything has come of the run. A second of sound costs more in a
        short recording than in a long one."""
        work = self._work + sum(map(_work, self._in_hand_ms.values()))
        return (self._work_to_do - work) * (time.monotonic() - self._began) / work if work else None

    def standing(self) -> str:
        """Say how far it is: "12 of 500 files, 2 failed, 0:40 of 1:20:00"."""
        ended, failed = self.before.total() + self.done + self.failed, self.before["failed"] + self.failed
        behind, total, _ = self.seconds
        return (
            f"{ended:,} of {self._files:,} files{f', {failed} failed' if failed else ''}, "
            f"{clock(behind)} of {clock(total)}"
        )

    def present(self) -> str:
        """Say the present speed: "now 8.7x"; "" before there is one."""
        now = time.monotonic()
        while len(self._recent) > 1 and now - self._recent[1][0] > PRESENT:
            self._recent.popleft()
        since, had_ms = self._recent[0]
        speed = (self._own_ms - had_ms) / 1000 / (now - since) if now - since > 1 else 0.0
        return f"now {speed:.1f}x" if speed > 0 else ""

    @property
    def _own_ms(self) -> int:
        return self.done_ms + self._failed_ms + sum(self._in_hand_ms.values())

    def _mark(self) -> None:
        self._recent.append((time.monotonic(), self._own_ms))

    def overall(self) -> str:
        """Say the sound, time and speed of the run: "1:20:00 of sound in 9:10, 8.7x real time"."""
        if not self.done:
            return "nothing new"
        sound, seconds = self.done_ms / 1000, time.monotonic() - self._began
        return f"{clock(sound)} of sound in {clock(seconds)}, {sound / seconds if seconds else 0:.1f}x real time"


def _work(duration_ms: int) -> int:
    """Return the cost of recognising, in ms of sound within a window."""
    return duration_ms + WINDOW_COSTS_MS * -(-duration_ms // WINDOW_MS)
