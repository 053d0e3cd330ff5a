"""Turn decoded audio of any form into 16 kHz mono, in 32 bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from sutradhar.pipeline.media.levels import has_places, samples_of
from sutradhar.pipeline.media.timeline import SAMPLE_RATE

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame

    from sutradhar.pipeline.media.levels import Floats
    from sutradhar.pipeline.media.timeline import WideSamples


_FAR_BEYOND = 4.0  # times full scale


@dataclass(frozen=True)
class RaisedPart:
    """A part of a recording that is far quieter than the rest."""

    start_ms: int  # on the film's clock
    end_ms: int
    gain: float


@dataclass(frozen=True)
class Correction:
    """Correction in floats of each channel, before anything is rounded to 16 bits. A value that is not finite
    becomes silence."""

    gain: float = 1.0
    offsets: tuple[float, ...] = ()  # of each channel, subtracted; () for none
    parts: tuple[RaisedPart, ...] = ()  # in order

    def apply(self, samples: Floats) -> Floats:
        """Correct samples of shape (samples, channels)."""
        import numpy as np

        centred = samples - np.array(self.offsets, np.float32) if len(self.offsets) == samples.shape[1] else samples
        corrected: Floats = np.nan_to_num(centred, nan=0.0, posinf=0.0, neginf=0.0) * np.float32(self.gain)
        return corrected

    def raise_parts(self, start: int, samples: WideSamples) -> WideSamples:
        """Raise a frame that begins at this sample of the film. One that would go far beyond full scale is not
        quiet, and stays as it is."""
        import numpy as np

        middle_ms = (start + len(samples) / 2) * 1000 / SAMPLE_RATE
        gain = next((part.gain for part in self.parts if part.start_ms <= middle_ms < part.end_ms), 1.0)
        if gain == 1 or not len(samples) or np.abs(samples.astype(np.float64)).max() * gain > _FAR_BEYOND * 2**31:
            return samples
        raised: WideSamples = np.clip(np.rint(samples * gain), -(2**31), 2**31 - 1).astype(np.int32)
        return raised


class Resampler:
    """Resampler for frames of one form. libswresample mixes the channels with weights that add up to 1, so that it
    cannot clip, the largest on the centre, where films have their dialogue. Channels without a place, as in a
    multitrack recording, are averaged."""

    def __init__(self, first: AudioFrame, channel: int | None = None, correction: Correction | None = None) -> None:
        from av.audio.resampler import AudioResampler

        self._placed = has_places(first.layout.name, first.layout.nb_channels)
        self.form = form_of(first)
        self._channel = channel  # None mixes all
        self._correction = correction
        self._to_float = None if self._placed and channel is None and not correction else AudioResampler(format="flt")
        # To 32 bits, for which libswresample sums in floats: sums of 16-bit integers wrap around where rounding takes
        # them past full scale. It mixes to floats with other weights.
        self._to_mono = AudioResampler(format="s32", layout="mono", rate=SAMPLE_RATE)

    def feed(self, frame: AudioFrame) -> list[WideSamples]:
        frame.pts = None  # times are the caller's matter
        parts = [frame] if self._to_float is None else [self._prepared(part) for part in self._to_float.resample(frame)]
        return [samples for part in parts for samples in self._resampled(part)]

    def _prepared(self, frame: AudioFrame) -> AudioFrame:
        """Correct the frame, and take one channel, or the mean of all where they have no places."""
        # `_to_float` makes floats.
        samples: Floats = frame.to_ndarray().reshape(-1, frame.layout.nb_channels)  # type: ignore[assignment]
        if self._correction:
            samples = self._correction.apply(samples)
        if self._channel is not None:
            return _frame(samples[:, self._channel], "mono", frame.sample_rate)
        if self._placed:
            return _frame(samples.ravel(), frame.layout.name, frame.sample_rate)
        return _frame(samples.mean(axis=1), "mono", frame.sample_rate)

    def finish(self) -> list[WideSamples]:
        """Return the samples that are still inside the filter."""
        return self._resampled(None)

    def _resampled(self, frame: AudioFrame | None) -> list[WideSamples]:
        return [cast("WideSamples", samples_of(piece)[0]) for piece in self._to_mono.resample(frame)]


def form_of(frame: AudioFrame) -> tuple[str, str, int]:
    """Return what must stay the same for one resampler: sample format, channel layout, rate."""
    return frame.format.name, frame.layout.name, frame.sample_rate


def _frame(samples: Floats, layout: str, rate: int) -> AudioFrame:
    """Make a frame from samples that hold all channels in turn."""
    from av.audio.frame import AudioFrame

    frame = AudioFrame.from_ndarray(samples.reshape(1, -1).copy(), format="flt", layout=layout)
    frame.sample_rate = rate
    return frame
