"""Recordings to windows of speech, ahead of the recogniser, on threads of their own."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import media
from pipeline.errors import StageFailed, UsageError
from pipeline.media import SAMPLE_RATE
from pipeline.settings import Settings
from stages.recognise.messages import Task
from stages.silero import Detector, speech_probabilities
from stages.sound import SAMPLES_PER_MS, Samples
from stages.speech import find_windows
from stages.transcript import Window

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

AHEAD_MS = 1_800_000  # of sound that lies decoded
LEAST_AHEAD = 2  # recordings, however long


@dataclass(frozen=True)
class Channel:
    """One voice of a recording: all of it, or one side of a call."""

    speaker: str  # "" where there is only one
    samples: NDArray[np.int16]
    windows: tuple[Window, ...]

    def audio(self, window: Window) -> NDArray[np.float32]:
        return Samples(self.samples).read(window.start_ms * SAMPLES_PER_MS, (window.end_ms - window.start_ms) * SAMPLES_PER_MS)


@dataclass(frozen=True)
class Heard:
    """A recording that was listened to, or why it could not be."""

    task: Task
    channels: tuple[Channel, ...] = ()
    duration_ms: int = 0
    degraded: tuple[str, ...] = ()
    reason: str = ""
    again: bool = False  # nobody foresaw what happened
    put_off: bool = False  # the recording is not there, or not as the scan saw it


class Listener:
    """Decodes a recording and finds the speech in it."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._folder, self._settings = folder, settings
        self._local = threading.local()

    def listen(self, task: Task) -> Heard:
        try:
            path = self._path(task)
            if path is None:
                return Heard(task, reason="not there, or changed since the scan", put_off=True)
            heard = self._listen(task, path)
            return heard if path == self._path(task) else Heard(task, reason="changed while it was read", put_off=True)
        except (UsageError, StageFailed) as error:
            return Heard(task, reason=str(error))
        except OSError as error:
            return Heard(task, reason=f"cannot be read: {error.strerror or error}", again=True)
        except Exception as error:  # noqa: BLE001 - one recording must not cost the others
            return Heard(task, reason=f"{type(error).__name__}: {error}", again=True)

    def _listen(self, task: Task, path: Path) -> Heard:
        sides = self._sides(path)
        channels, degraded, duration_ms = [], list[str](), 0
        decoded = [self._decode(path, side) for side in sides]
        if len(decoded) == 2 and _alike(decoded[0][0], decoded[1][0]):
            decoded, sides = decoded[:1], (None,)
            degraded.append("both channels hold the same: taken as one speaker")
        for side, (samples, complaints) in zip(sides, decoded, strict=True):
            length_ms = len(samples) * 1000 // SAMPLE_RATE
            channels.append(Channel("" if side is None else str(side + 1), samples, self._windows(samples, length_ms)))
            degraded += [line for line in complaints if line not in degraded]
            duration_ms = max(duration_ms, length_ms)
        return Heard(task, tuple(channels), duration_ms, tuple(degraded))

    def _path(self, task: Task) -> Path | None:
        """The first of its names that holds what the scan saw."""
        for number, name in enumerate(task.paths):
            with contextlib.suppress(OSError):
                status = (self._folder / name).stat()
                if not task.stamps or task.stamps[number] == (status.st_size, status.st_mtime_ns):
                    return self._folder / name
        return None

    def _sides(self, path: Path) -> tuple[int | None, ...]:
        if self._settings.CORPUS_CHANNELS == "split" and media.probe(path).audio[0].channels == 2:
            return 0, 1
        return (None,)

    def _decode(self, path: Path, side: int | None) -> tuple[NDArray[np.int16], list[str]]:
        import numpy as np

        sound = media.decode(path, allow_truncated=self._settings.ALLOW_TRUNCATED, channel=side)
        blocks = list(sound)
        return np.concatenate(blocks) if blocks else np.zeros(0, np.int16), sound.degraded

    def _windows(self, samples: NDArray[np.int16], length_ms: int) -> tuple[Window, ...]:
        if not hasattr(self._local, "detector"):
            self._local.detector = Detector(threads=1)
        probabilities = speech_probabilities(Samples(samples), detector=self._local.detector)
        return find_windows(probabilities, length_ms, self._settings)


def _alike(left: NDArray[np.int16], right: NDArray[np.int16]) -> bool:
    """Whether two channels differ by less than a hundredth of what is in them."""
    import numpy as np

    if len(left) != len(right):
        return False
    difference = np.abs(left.astype(np.int32) - right).mean() if len(left) else 0.0
    return bool(difference <= 0.01 * np.abs(left.astype(np.int32)).mean()) if len(left) else True


class Ahead:
    """Listens to recordings before they are asked for, in bounded memory."""

    def __init__(self, listen: Callable[[Task], Heard], threads: int, most: int) -> None:
        self._listen, self._most = listen, most
        self._pool = ThreadPoolExecutor(threads)
        self._pending: deque[tuple[Task, Future[Heard]]] = deque()

    def run(self, take: Callable[[], Task | None]) -> Iterator[Heard]:
        """Until nothing is left that `take` gives, in the order in which it gives it."""
        while True:
            while self._has_room() and (task := take()):
                self._pending.append((task, self._pool.submit(self._listen, task)))
            if not self._pending:
                return
            yield self._pending.popleft()[1].result()

    def _has_room(self) -> bool:
        count = len(self._pending)
        return count < LEAST_AHEAD or (count < self._most and sum(task.duration_ms for task, _ in self._pending) < AHEAD_MS)
