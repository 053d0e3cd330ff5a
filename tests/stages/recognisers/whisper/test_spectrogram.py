from __future__ import annotations

import numpy as np
import pytest
from faster_whisper.feature_extractor import FeatureExtractor
from threadpoolctl import threadpool_limits

from sutradhar.stages.recognisers.whisper.spectrogram import SAMPLES, extractor, log_mel, whole_windows


@pytest.mark.parametrize("mels", [80, 128])
@pytest.mark.parametrize("length", [0, 1, 161, 16_000, 33_333, SAMPLES - 399, SAMPLES - 1, SAMPLES])
@pytest.mark.parametrize("loudness", [0.1, 1e-5, 0.0])
def test_what_is_not_computed_is_what_would_be_computed(mels: int, length: int, loudness: float) -> None:
    extract = extractor(mels)
    audio = (np.random.default_rng(length).normal(size=length) * loudness).astype(np.float32)
    whole = FeatureExtractor(feature_size=mels)(np.pad(audio, (0, SAMPLES - length)), padding=0)
    np.testing.assert_allclose(
        whole_windows([log_mel(extract, audio)])[0], whole, atol=1e-6
    )  # the matrix product rounds by its size


def test_it_does_not_depend_on_the_number_of_threads() -> None:
    audio = np.random.default_rng(1).normal(size=SAMPLES).astype(np.float32)
    found = []
    for threads in (1, 2, 4):
        with threadpool_limits(threads, "blas"):
            found.append(log_mel(extractor(80), audio).tobytes())
    assert found[1:] == found[:1] * 2
