"""Measure how loud each channel of a track is, and their mix, while the track is decoded.

Full scale is 1. Levels need no more than some 16,000 samples a second, and after the first minute every fourth
frame: so measuring costs 0.1 s where decoding ten minutes of stereo costs 1.3 s.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import numpy as np
    from av.audio.frame import AudioFrame
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

FULL = 0.98  # of full scale: where clipped samples stand, also those of 8 bits, of mu-law, and of MP3 made of them
FLOOR_DB = -200.0  # stands for minus infinity
_LOOKED_AT = 16_000  # samples a second, at least
_BLOCKS_A_SECOND = 10
_WORD = 3  # blocks that a short word takes
_WHOLE_SECONDS, _ONE_IN = 60.0, 4  # after so long one frame in so many is looked at
_STRETCH = 10  # blocks
_MEASURED_ANEW = 4.0  # s, after which what was decoded is measured
_DB = 0.5  # a bin of the histogram
_BINS = int(-FLOOR_DB / _DB) + 400  # up to 200 dB above full scale: floats may hold anything
# Where a file does not name loudspeakers, libav assumes the usual ones up to 7.1. Of three channels the last would
# be a subwoofer, which is in no mix: but three without names are three microphones.
_WITH_DEFAULT_LAYOUT = (1, 2, 4, 5, 6, 7, 8)
_UNIT_FRAME = 64  # samples
_KINDS = {"u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8", "flt": "f4", "dbl": "f8"}  # libav's names and NumPy's


class Level(msgspec.Struct, frozen=True):
    """The level of one channel or of the mix. Levels are RMS without the offset, in dB of full scale, of blocks of 100
    ms."""

    mean_db: float  # of all
    # Reached for a second in all, or for a quarter of a sound shorter than 4 s: the level of speech, without clicks.
    loud_db: float
    word_db: float  # reached for 0.3 s in all: a short word somewhere
    top_db: float  # of the loudest block
    peak: float
    offset: float  # the mean of all samples (DC)
    clipped: float  # share of samples at full scale or above
    over: float  # share above
    broken: int  # samples that are no finite number, of those looked at

    @property
    def silent(self) -> bool:
        """Tell whether there is nothing at all."""
        return self.peak == 0 and not self.broken


@dataclass(frozen=True)
class Stretches:
    """The power (mean square) over time: of each second that was looked at, which is one of four after the first
    minute."""

    edges_ms: NDArray[np.int64]  # begin of each on the film's clock, and last the end: shape (stretches + 1,)
    # Power of each channel, and last of the mix: shape (channels + 1, stretches), or (1, stretches) of one channel.
    power: NDArray[np.float64]
    # Power that the mix would have if no channel had anything in common with another: shape (stretches,).
    unrelated: NDArray[np.float64]


class Levels(msgspec.Struct, frozen=True):
    channels: tuple[Level, ...]
    mix: Level
    unrelated_db: float  # the mean that the mix would have if no channel had anything in common with another
    stretches: Stretches


class Meter:
    """Meter for the frames of one track. Where their number of channels changes, the most frequent one counts."""

    def __init__(self) -> None:
        self._tallies: dict[str, _Tally] = {}
        self._frames = 0
        self._seconds = 0.0

    def feed(self, frame: AudioFrame, end_us: int) -> None:
        """Take in a frame that ends at this time on the film's clock."""
        self._frames += 1
        self._seconds += frame.samples / frame.sample_rate
        if self._seconds > _WHOLE_SECONDS and self._frames % _ONE_IN:
            return
        key = f"{frame.layout.name} {frame.format.name} {frame.sample_rate}"
        if key not in self._tallies:
            self._tallies[key] = _Tally(frame)
        self._tallies[key].feed(frame, end_us)

    def levels(self) -> Levels | None:
        """Return the levels; None where nothing came."""
        tallies = [tally for tally in self._tallies.values() if tally.finish()]
        return max(tallies, key=lambda tally: tally.seconds).levels() if tallies else None


class _Tally:
    """Sums over frames of one form: a row for each channel, and where there are several the last for the mix."""

    def __init__(self, first: AudioFrame) -> None:
        import numpy as np

        self._channels = first.layout.nb_channels
        self._step = max(1, first.sample_rate // _LOOKED_AT)
        self._rate = first.sample_rate / self._step
        self._block = max(1, int(self._rate / _BLOCKS_A_SECOND))
        self._weights = np.array(mix_weights(first.layout.name, self._channels), np.float32)
        rows = self._channels + (self._channels > 1)
        self._held: list[list[NDArray[np.generic]]] = [[] for _ in range(self._channels)]
        self._held_samples = 0
        self._samples = 0
        self._blocks = np.zeros((rows, _BINS), np.int64)
        self._squares, self._sums, self._peaks = np.zeros(rows), np.zeros(rows), np.zeros(rows)
        self._full, self._over, self._broken = (np.zeros(rows, np.int64) for _ in range(3))
        self._held_from_us = self._held_to_us = 0
        self._edges_us: list[NDArray[np.float64]] = []  # of each piece that was measured
        self._power: list[NDArray[np.float64]] = []

    @property
    def seconds(self) -> float:
        return self._samples / self._rate

    def feed(self, frame: AudioFrame, end_us: int) -> None:
        if not self._held_samples:
            self._held_from_us = end_us - frame.samples * 1_000_000 // frame.sample_rate
        self._held_to_us = end_us
        for row, samples in zip(self._held, samples_of(frame), strict=True):
            row.append(samples[:: self._step])
        self._held_samples += len(self._held[0][-1])
        if self._held_samples >= self._rate * _MEASURED_ANEW:
            self._measure(whole_blocks=True)

    def finish(self) -> int:
        """Measure what is held. Returns the number of samples in all."""
        if self._held_samples:
            self._measure(whole_blocks=False)
        return self._samples

    def _measure(self, *, whole_blocks: bool) -> None:
        import numpy as np

        held = np.stack([np.concatenate(row) for row in self._held])
        rest = held.shape[1] % (self._block * _STRETCH) if whole_blocks else 0
        count = held.shape[1] - rest
        self._place(count, held.shape[1])
        self._held, self._held_samples = [[row[count:]] for row in held], rest
        sound = _as_floats(held[:, :count])
        self._add(np.concatenate([sound, self._weights[np.newaxis] @ sound]) if self._channels > 1 else sound)

    def _place(self, count: int, held: int) -> None:
        """Note when the stretches begin that so many of the held samples make."""
        import numpy as np

        starts = np.arange(0, count // self._block * self._block or count, self._block * _STRETCH)
        span_us = self._held_to_us - self._held_from_us
        self._edges_us.append(self._held_from_us + starts.astype(np.float64) * span_us / held)
        self._held_from_us += span_us * count // held

    def _add(self, sound: Floats) -> None:
        import numpy as np

        peaks = np.maximum(sound.max(axis=1), -sound.min(axis=1))
        if not np.isfinite(peaks).all():
            self._broken += (~np.isfinite(sound)).sum(axis=1)
            sound = np.nan_to_num(sound, nan=0.0, posinf=0.0, neginf=0.0)
            peaks = np.abs(sound).max(axis=1)
        self._peaks = np.maximum(self._peaks, peaks)
        if peaks.max() >= FULL:
            self._full += (np.abs(sound) >= FULL).sum(axis=1)
            self._over += (np.abs(sound) > 1).sum(axis=1)
        self._samples += sound.shape[1]
        whole = sound.shape[1] // self._block * self._block
        parts = [
            part
            for part in (sound[:, :whole].reshape(len(sound), -1, self._block), sound[:, np.newaxis, whole:])
            if part.size
        ]
        powers = [self._add_blocks(part) for part in parts]
        starts = np.arange(0, powers[0].shape[1], _STRETCH)
        self._power.append(np.add.reduceat(powers[0], starts, axis=1) / np.diff(starts, append=powers[0].shape[1]))

    def _add_blocks(self, blocks: Floats) -> NDArray[np.float64]:
        """Add blocks of shape (rows, blocks, samples) to the sums. Returns the power of each block."""
        import numpy as np

        sums = blocks.sum(axis=2, dtype=np.float64)
        squares = np.einsum("rbs,rbs->rb", blocks, blocks, dtype=np.float64)
        self._sums += sums.sum(axis=1)
        self._squares += squares.sum(axis=1)
        count = blocks.shape[2]
        power: NDArray[np.float64] = np.maximum(squares / count - (sums / count) ** 2, 0)
        bins = np.clip((10 * np.log10(power + 1e-20) - FLOOR_DB) / _DB, 0, _BINS - 1).astype(np.int64)
        np.add.at(self._blocks, (np.arange(len(bins))[:, np.newaxis], bins), 1)
        return power

    def levels(self) -> Levels:
        rows = [self._level(row) for row in range(len(self._squares))]
        power = sum(
            weight**2 * 10 ** (level.mean_db / 10) for weight, level in zip(self._weights.tolist(), rows, strict=False)
        )
        return Levels(tuple(rows[: self._channels]), rows[-1], _db(power), self._stretches())

    def _stretches(self) -> Stretches:
        import numpy as np

        edges = np.concatenate([*self._edges_us, np.array([self._held_to_us])])
        power = np.concatenate(self._power, axis=1)
        return Stretches(
            (edges / 1000).astype(np.int64),
            power,
            np.square(self._weights.astype(np.float64)) @ power[: self._channels],
        )

    def _level(self, row: int) -> Level:
        offset = self._sums[row] / self._samples
        blocks = int(self._blocks[row].sum())
        return Level(
            mean_db=_db(self._squares[row] / self._samples - offset**2),
            loud_db=self._reached(row, max(min(blocks, _WORD), min(blocks // 4, _BLOCKS_A_SECOND))),
            word_db=self._reached(row, min(blocks, _WORD)),
            top_db=self._reached(row, 1),
            peak=float(self._peaks[row]),
            offset=float(offset),
            clipped=float(self._full[row] / self._samples),
            over=float(self._over[row] / self._samples),
            broken=int(self._broken[row]),
        )

    def _reached(self, row: int, blocks: int) -> float:
        """Return the level that so many blocks reach."""
        reached = self._blocks[row, ::-1].cumsum()
        return FLOOR_DB + _DB * (_BINS - 1 - int((reached >= blocks).argmax()))


def samples_of(frame: AudioFrame) -> list[NDArray[np.generic]]:
    """Return the samples of each channel, as they lie in the frame. (`to_ndarray` takes as long as decoding.)"""
    import numpy as np

    name, channels = frame.format.name, frame.layout.nb_channels
    kind: np.dtype[np.generic] = np.dtype(_KINDS[name.removesuffix("p")])
    if name.endswith("p") or channels == 1:
        planes = frame.planes[:channels]  # with 8 PyAV finds one too many
        return [np.frombuffer(memoryview(plane), kind)[: frame.samples] for plane in planes]
    return list(np.frombuffer(memoryview(frame.planes[0]), kind)[: frame.samples * channels].reshape(-1, channels).T)


@lru_cache
def mix_weights(layout: str, channels: int) -> tuple[float, ...]:
    """Measure how much of each channel is in the mix that `Resampler` makes."""
    import numpy as np
    from av.audio.frame import AudioFrame
    from av.audio.resampler import AudioResampler

    if not has_places(layout, channels):
        return (1 / channels,) * channels
    weights = []
    for channel in range(channels):
        unit = np.zeros((_UNIT_FRAME, channels), np.float32)
        unit[:, channel] = 0.5
        frame = AudioFrame.from_ndarray(unit.reshape(1, -1), format="flt", layout=layout)
        frame.sample_rate = 48_000
        # Floats would be mixed with other weights.
        (mixed,) = AudioResampler(format="s16", layout="mono").resample(frame)
        weights.append(float(samples_of(mixed)[0][-1]) / 16384)
    return tuple(weights)


def has_places(layout: str, channels: int) -> bool:
    """Tell whether libav knows, or assumes, which loudspeaker each channel is for."""
    return channels in _WITH_DEFAULT_LAYOUT or layout != f"{channels} channels"


def _as_floats(samples: NDArray[np.generic]) -> Floats:
    """Turn integers of 8 (unsigned), 16 or 32 bits, or floats, into floats whose full scale is 1."""
    import numpy as np

    floats: Floats = samples.astype(np.float32)
    if samples.dtype.kind == "u":
        floats -= 128
        floats /= 128
    elif samples.dtype.kind == "i":
        floats /= 2 ** (8 * samples.dtype.itemsize - 1)
    return floats


def _db(power: float) -> float:
    return max(FLOOR_DB, 10 * math.log10(power)) if power > 0 else FLOOR_DB
