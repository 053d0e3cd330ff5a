"""How much of a folder of recordings is done, and how fast it goes, counted in their sound."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Collection

from sutradhar.pipeline.console import clock

PRESENT = 60.0  # seconds over which the present speed is taken
WINDOW_MS = 30_000
WINDOW_COSTS_MS = 10_000  # of sound, for its encoding: base on two cores took 0.19 s for a window and 0.017 s for a second of sound in it


class Pace:
    """Of a run. `done`, `failed` and `done_ms` are what it did itself."""

    def __init__(self, all_ms: Collection[int], before: Counter[str], before_ms: Collection[int]) -> None:
        """The durations of all recordings, and of those that had ended before; these by status, too."""
        self.done = self.failed = self.done_ms = self._failed_ms = 0
        self._files, self._total_ms, self.before, self._before_ms = len(all_ms), sum(all_ms), before, sum(before_ms)
        self._work, self._work_to_do = 0, sum(map(_work, all_ms)) - sum(map(_work, before_ms))
        self._in_hand_ms: dict[str, int] = {}  # how far long recordings have come
        self._began = time.monotonic()
        self._recent = deque([(self._began, 0)])  # when how much sound of this run was behind us

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
        """It is not for this run."""
        self._total_ms -= duration_ms
        self._work_to_do -= _work(duration_ms)

    def come(self, recording: str, done_ms: int) -> None:
        """So far, with a recording that takes its time."""
        self._in_hand_ms[recording] = done_ms
        self._mark()

    def begin_anew(self, recording: str) -> None:
        self._in_hand_ms.pop(recording, None)

    @property
    def seconds(self) -> tuple[float, float, float]:
        """Of sound: that is behind us, in all, and that was before the run."""
        return (self._before_ms + self._own_ms) / 1000, self._total_ms / 1000, self._before_ms / 1000

    @property
    def left(self) -> float | None:
        """Seconds to go; None before anything has come of the run. A second of sound costs more in a short recording than in a long one."""
        work = self._work + sum(map(_work, self._in_hand_ms.values()))
        return (self._work_to_do - work) * (time.monotonic() - self._began) / work if work else None

    def standing(self) -> str:
        """ "12 of 500 files, 2 failed, 0:40 of 1:20:00"."""
        ended, failed = self.before.total() + self.done + self.failed, self.before["failed"] + self.failed
        behind, total, _ = self.seconds
        return f"{ended:,} of {self._files:,} files{f', {failed} failed' if failed else ''}, {clock(behind)} of {clock(total)}"

    def present(self) -> str:
        """ "now 8.7x", once there is something to say."""
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
        """ "1:20:00 of sound in 9:10, 8.7x real time"."""
        if not self.done:
            return "nothing new"
        sound, seconds = self.done_ms / 1000, time.monotonic() - self._began
        return f"{clock(sound)} of sound in {clock(seconds)}, {sound / seconds if seconds else 0:.1f}x real time"


def _work(duration_ms: int) -> int:
    """What recognising costs, in ms of sound within a window."""
    return duration_ms + WINDOW_COSTS_MS * -(-duration_ms // WINDOW_MS)
