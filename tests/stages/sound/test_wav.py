from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from sutradhar.stages.sound.wav import Sound


def wav(path: Path, *samples: int, channels: int = 1, width: int = 2, rate: int = 16_000) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(np.array(samples, "<i2").tobytes())
    return path


def test_samples_lie_between_minus_1_and_1(tmp_path: Path) -> None:
    with Sound(wav(tmp_path / "a.wav", 0, 16_384, -32_768, 32_767)) as sound:
        assert sound.read(0, 4).tolist() == [0.0, 0.5, -1.0, 32_767 / 32_768]
        assert sound.read(0, 4).dtype == np.float32


def test_any_stretch_can_be_read_in_any_order(tmp_path: Path) -> None:
    with Sound(wav(tmp_path / "a.wav", *range(64))) as sound:
        for start, count, expected in (
            (60, 2, [60, 61]),
            (0, 3, [0, 1, 2]),
            (62, 9, [62, 63]),
            (64, 1, []),
            (99, 1, []),
        ):
            assert (sound.read(start, count) * 32_768).tolist() == expected


def test_a_millisecond_is_16_samples(tmp_path: Path) -> None:
    with Sound(wav(tmp_path / "a.wav", *range(50))) as sound:
        assert (sound.samples, sound.duration_ms) == (50, 3)
        assert (sound.read_ms(1, 3) * 32_768).tolist() == list(range(16, 48))


@pytest.mark.parametrize("form", [{"channels": 2}, {"width": 1}, {"rate": 8000}], ids=["stereo", "8 bit", "8 kHz"])
def test_refuses_sound_of_another_kind(form: dict[str, int], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^a\.wav is not 16 kHz, mono, 16 bit$"):
        Sound(wav(tmp_path / "a.wav", 1, 2, **form))


def test_is_closed_at_the_end_of_its_block(tmp_path: Path) -> None:
    with Sound(wav(tmp_path / "a.wav", 1)) as sound:
        pass
    with pytest.raises((ValueError, AttributeError)):
        sound.read(0, 1)
