"""Decoded audio of any form to 16 kHz mono."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.media.timeline import SAMPLE_RATE

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame

    from pipeline.media.timeline import Samples

_MOST_WITH_DEFAULT_LAYOUT = 8  # channels: up to 7.1 libav assumes the usual loudspeakers where a file does not name them


class Resampler:
    """For frames of one form. Channels are mixed by libswresample: weights that add up to 1, so that it cannot clip, with the
    largest one on the centre, where films have their dialogue. Channels without a place, as in a multitrack recording, are averaged."""

    def __init__(self, first: AudioFrame, channel: int | None = None) -> None:
        from av.audio.resampler import AudioResampler

        channels = first.layout.nb_channels
        placed = channels <= _MOST_WITH_DEFAULT_LAYOUT or first.layout.name != f"{channels} channels"
        self.form = form_of(first)
        self._channel = channel  # None mixes all
        self._to_float = None if placed and channel is None else AudioResampler(format="flt")
        # In floats inside: sums of 16-bit integers wrap around where rounding takes them past full scale.
        self._to_mono = AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE, options={"internal_sample_fmt": "fltp"})

    def feed(self, frame: AudioFrame) -> list[Samples]:
        frame.pts = None  # times are the caller's matter
        parts = [frame] if self._to_float is None else [_mono(part, self._channel) for part in self._to_float.resample(frame)]
        return [samples for part in parts for samples in self._resampled(part)]

    def finish(self) -> list[Samples]:
        """What is still inside the filter."""
        return self._resampled(None)

    def _resampled(self, frame: AudioFrame | None) -> list[Samples]:
        return [piece.to_ndarray()[0] for piece in self._to_mono.resample(frame)]


def form_of(frame: AudioFrame) -> tuple[str, str, int]:
    """What must stay the same for one resampler: sample format, channel layout, rate."""
    return frame.format.name, frame.layout.name, frame.sample_rate


def _mono(frame: AudioFrame, channel: int | None) -> AudioFrame:
    """One channel, or the mean of all."""
    from av.audio.frame import AudioFrame

    channels = frame.to_ndarray().reshape(-1, frame.layout.nb_channels)
    samples = channels.mean(axis=1) if channel is None else channels[:, channel].copy()
    mono = AudioFrame.from_ndarray(samples.reshape(1, -1), format="flt", layout="mono")
    mono.sample_rate = frame.sample_rate
    return mono
