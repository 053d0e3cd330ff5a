"""Log-mel spectrograms of whole windows, of which only the part that has sound is computed."""

from __future__ import annotations

import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor
from numpy.typing import NDArray

from stages.recogniser.requests import HOP

SAMPLES = 480_000  # of a window
FRAMES = SAMPLES // HOP
REACH = 400  # samples that a frame sees: so far behind the sound a frame is silent

Array = NDArray[np.float32]


def spectrogram(extract: FeatureExtractor, audio: Array) -> Array:
    """Up to `SAMPLES` samples, followed by silence to a full window, as OpenAI's Whisper and WhisperX see them. Shape (mels, 3000).

    Short recordings are mostly that silence, whose frames are all alike: computing them would take longer than decoding does on a GPU."""
    length = min(SAMPLES, -(-(len(audio) + REACH) // HOP) * HOP)
    seen: Array = extract(np.pad(audio, (0, length - len(audio))), padding=0)
    return np.pad(seen, ((0, 0), (0, FRAMES - seen.shape[1])), mode="edge")
