"""Log-mel spectrograms of whole windows; only the part that has sound is computed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor
from numpy.typing import NDArray

from sutradhar.stages.recognisers.contract import Preparation
from sutradhar.stages.recognisers.whisper.requests import HOP, LogMel

SAMPLES = 480_000  # samples of a window
FRAMES = SAMPLES // HOP
REACH = 400  # samples that a frame sees: a frame so far behind the sound is silent

Array = NDArray[np.float32]


def preparation(mels: int) -> Preparation:
    """Return the preparation of windows for a model that takes so many frequency bands."""
    return Preparation(__name__, mels)


def preparer(mels: int) -> Callable[[Array], LogMel]:
    extract = extractor(mels)
    return lambda audio: LogMel(log_mel(extract, audio))


def extractor(mels: int) -> FeatureExtractor:
    """Return an extractor of so many frequency bands, in double precision: in single precision the last digits
    depend on how many threads NumPy multiplies matrices with, and a text now and then with them (4 of 60
    recordings, between one thread and two)."""
    extract = FeatureExtractor(feature_size=mels)
    extract.mel_filters = extract.mel_filters.astype(np.float64)
    return extract


def log_mel(extract: FeatureExtractor, audio: Array) -> Array:
    """Compute the spectrogram of up to `SAMPLES` samples, as OpenAI's Whisper and WhisperX see them, and of the
    silence that the last ones reach into. Shape (mels, frames).

    Short recordings are mostly silence, whose frames are all alike: computing them would take longer than decoding
    does on a GPU."""
    length = min(SAMPLES, -(-(len(audio) + REACH) // HOP) * HOP)
    return np.asarray(extract(np.pad(audio, (0, length - len(audio))), padding=0), np.float32)


def whole_windows(mels: list[Array]) -> Array:
    """Pad each spectrogram of `log_mel` with silence to a full window. Shape (windows, mels, 3000)."""
    filled = np.empty((len(mels), len(mels[0]), FRAMES), np.float32)
    for row, mel in zip(filled, mels, strict=True):
        row[:, : mel.shape[1]] = mel
        row[:, mel.shape[1] :] = mel[:, -1:]
    return filled
