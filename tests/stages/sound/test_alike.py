from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pytest

from sutradhar.stages.sound.alike import likeness
from sutradhar.stages.sound.silero import Detector
from sutradhar.stages.sound.wav import Samples
from tests.stages.faulty_sound import Wave, hum, noise, silence, speech


@lru_cache
def detector() -> Detector:
    return Detector(threads=1)


def samples(sound: Wave) -> Samples:
    return Samples(np.clip(np.round(sound * 32768), -32768, 32767).astype(np.int16))


def half(first: bool) -> Wave:
    return np.asarray(np.where((np.arange(len(speech())) < len(speech()) // 2) == first, speech(), 0))


@pytest.mark.parametrize(
    ("other", "like"),
    [
        (lambda: speech(), 1),
        (lambda: 0.6 * speech(), 1),
        (lambda: np.roll(speech(), 1), 1),
        (lambda: np.roll(speech(), -100), 1),
        (lambda: speech() + noise(-35), 1),
        (lambda: -speech(), -1),
        (lambda: -0.8 * np.roll(speech(), 3) + noise(-50), -1),
        (lambda: speech()[::-1], 0),
        (lambda: half(True), 0),
        (lambda: speech() + 0.3 * speech()[::-1], 0),
        (hum, 0),
        (silence, 0),
        (lambda: speech()[:-1], 0),
    ],
)
def test_the_same_voices_whatever_their_level_sign_noise_and_delay(other: Callable[[], Wave], like: int) -> None:
    assert likeness(samples(speech()), samples(other()), detector()) == like


def test_silence_is_like_silence() -> None:
    assert likeness(samples(silence()), samples(silence()), detector()) == 1


def test_the_two_sides_of_a_call_with_crosstalk_differ() -> None:
    left, right = half(True) + 0.1 * half(False), half(False) + 0.1 * half(True)
    assert likeness(samples(left), samples(right), detector()) == 0
