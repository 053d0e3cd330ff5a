"""Sound at 16 kHz, mono, 16 bit: in a file, read a stretch at a time so that a film of any length fits into
memory, or in memory."""

from __future__ import annotations

import threading
import wave
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from sutradhar.pipeline.media import SAMPLE_RATE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAMPLES_PER_MS = SAMPLE_RATE // 1000


SAMPLE_BYTES = 2
BLOCK = 60 * SAMPLE_RATE  # samples copied at a time


def new_wav(path: Path) -> wave.Wave_write:
    """Open a new WAV file of 16 kHz, mono, 16 bit, to be filled with `write_block`."""
    file = wave.open(str(path), "wb")  # noqa: SIM115 - the caller closes it
    file.setparams((1, SAMPLE_BYTES, SAMPLE_RATE, 0, "NONE", "not compressed"))
    return file


def write_block(file: wave.Wave_write, samples: NDArray[np.int16]) -> None:
    file.writeframesraw(samples.astype("<i2", copy=False).tobytes())


def to_floats(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """Convert samples of 16 bits to floats from -1 to 1."""
    import numpy as np

    floats: NDArray[np.float32] = samples.astype(np.float32)
    floats /= 32768
    return floats


class Sound:
    """An open WAV file of 16 kHz, mono, 16 bit. Raises ValueError for any other."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._wave = wave.open(str(path), "rb")  # noqa: SIM115 - __exit__ closes it
        if self._wave.getparams()[:3] != (1, SAMPLE_BYTES, SAMPLE_RATE):
            self._wave.close()
            raise ValueError(f"{path.name} is not 16 kHz, mono, 16 bit")
        self.samples = self._wave.getnframes()
        self._lock = threading.Lock()  # the file has one place to read at, and several threads read

    def __enter__(self) -> Sound:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wave.close()

    @property
    def duration_ms(self) -> int:
        return self.samples // SAMPLES_PER_MS

    def read(self, start: int, count: int) -> NDArray[np.float32]:
        """Read samples from -1 to 1, shape (count,), or fewer at the end of the file."""
        import numpy as np

        with self._lock:
            self._wave.setpos(min(start, self.samples))
            frames = self._wave.readframes(count)
        return to_floats(np.frombuffer(frames, "<i2"))

    def read_ms(self, start_ms: int, end_ms: int) -> NDArray[np.float32]:
        return self.read(start_ms * SAMPLES_PER_MS, (end_ms - start_ms) * SAMPLES_PER_MS)


class Part(Sound):
    """One of several stretches of equal length that follow each other in an open file: the sound of one speaker."""

    def __init__(self, whole: Sound, number: int, count: int) -> None:
        self.path, self._whole = whole.path, whole
        self.samples = whole.samples // count
        self._start = number * self.samples

    def read(self, start: int, count: int) -> NDArray[np.float32]:
        start = min(start, self.samples)
        return self._whole.read(self._start + start, min(count, self.samples - start))


def spoken_by(sound: Sound, speaker: str, voices: Sequence[str]) -> Sound:
    """Return the part of one of the `voices` that follow one another in the sound."""
    return Part(sound, voices.index(speaker), len(voices))


def write_in_turn(sounds: Sequence[Sound | Samples], path: Path) -> int:
    """Write sounds one after another, each as long as the longest. Returns that in ms."""
    import numpy as np

    longest = max(sound.samples for sound in sounds)
    with new_wav(path) as file:
        for sound in sounds:
            for start in range(0, longest, BLOCK):
                block = np.rint(sound.read(start, BLOCK) * 32768).astype(np.int16)
                write_block(file, np.pad(block, (0, min(BLOCK, longest - start) - len(block))))
    return longest // SAMPLES_PER_MS


class Samples:
    """Sound in memory, 16 kHz, mono, 16 bit: shape (samples,)."""

    def __init__(self, array: NDArray[np.int16]) -> None:
        self._array = array
        self.samples = len(array)

    @property
    def duration_ms(self) -> int:
        return self.samples // SAMPLES_PER_MS

    def read(self, start: int, count: int) -> NDArray[np.float32]:
        """Read samples like `Sound.read`."""
        return to_floats(self._array[start : start + count])

    def read_ms(self, start_ms: int, end_ms: int) -> NDArray[np.float32]:
        return self.read(start_ms * SAMPLES_PER_MS, (end_ms - start_ms) * SAMPLES_PER_MS)

    def cut_ms(self, start_ms: int, end_ms: int) -> NDArray[np.int16]:
        return self._array[start_ms * SAMPLES_PER_MS : end_ms * SAMPLES_PER_MS]
