"""The quiet stretches of sound: those whose level stays far under that of the loud frames around them.

The level is that of frames of 10 ms, with low frequencies taken down as in speech coding (pre-emphasis): wind and hum
then hide no pause, and a hiss that begins a word counts as sound. In noise or music near the level of speech nothing
is quiet.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sutradhar.stages.sound.wav import SAMPLES_PER_MS, Samples, Sound
from sutradhar.stages.transcript import Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Levels = NDArray[np.float32]

FRAME_MS = 10
FRAME = FRAME_MS * SAMPLES_PER_MS  # samples
BLOCK = 6000 * FRAME  # samples read at a time: a minute
EMPHASIS = 0.95
SILENCE = 1e-10  # power, -100 dB
QUIET_MS = 120  # at least; the closure of a plosive is shorter
# Chosen on one voice of three, judged on the others: `python -m bench.word_times`
LOUD_PERCENTILE, LOUD_FRAMES = 90, 300
FLOOR_PERCENTILE, FLOOR_FRAMES = 10, 1000
UNDER_DB = 25  # quiet is so far under the loud frames,
OVER_DB = 5  # or so little over the floor of noise,
LEAST_UNDER_DB = 10  # but never nearer than this to the loud ones
STEP = 50  # frames between two looks around, whose levels are joined by lines
ROWS = 600  # looks at a time, so that memory does not grow with the film


def quiet_spans(sound: Sound | Samples, start_ms: int = 0) -> tuple[Span, ...]:
    """Return the stretches of quiet, in order, in sound that begins at `start_ms`."""
    import numpy as np

    level = levels(sound)
    if not len(level):
        return ()
    loud = _around(level, LOUD_PERCENTILE, LOUD_FRAMES)
    floor = _around(level, FLOOR_PERCENTILE, FLOOR_FRAMES)
    quiet = level < np.minimum(np.maximum(loud - UNDER_DB, floor + OVER_DB), loud - LEAST_UNDER_DB)
    turns = start_ms + np.flatnonzero(np.diff(quiet, prepend=False, append=False)) * FRAME_MS
    pairs = turns.reshape(-1, 2)
    long = pairs[pairs[:, 1] - pairs[:, 0] >= QUIET_MS]
    return tuple(Span(start, end) for start, end in long.tolist())


def levels(sound: Sound | Samples) -> Levels:
    """Return the level of each whole frame in dB of full scale, shape (frames,)."""
    import numpy as np

    return np.concatenate([np.zeros(0, np.float32), *_levels(sound)])


def _levels(sound: Sound | Samples) -> Iterator[Levels]:
    import numpy as np

    last = np.zeros(1, np.float32)
    for start in range(0, sound.samples - FRAME + 1, BLOCK):
        block = sound.read(start, BLOCK)
        block = block[: len(block) // FRAME * FRAME]
        emphasised = block - EMPHASIS * np.concatenate([last, block[:-1]])
        last = block[-1:]
        power = np.square(emphasised).reshape(-1, FRAME).mean(axis=1)
        yield (10 * np.log10(power + SILENCE)).astype(np.float32)


def _around(level: Levels, percentile: int, frames: int) -> Levels:
    """Return a percentile of so many frames around each, shape (frames,)."""
    import numpy as np

    padded = np.pad(level, (frames // 2, frames // 2 + STEP), mode="edge")
    looks = np.lib.stride_tricks.sliding_window_view(padded, frames)[::STEP]
    found = [np.percentile(looks[row : row + ROWS], percentile, axis=1) for row in range(0, len(looks), ROWS)]
    places = np.arange(len(looks)) * STEP
    joined: Levels = np.interp(np.arange(len(level)), places, np.concatenate(found)).astype(np.float32)
    return joined
