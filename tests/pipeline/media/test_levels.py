from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sutradhar.pipeline import media
from sutradhar.pipeline.media import Correction, Levels
from sutradhar.pipeline.media.levels import FLOOR_DB, mix_weights
from tests.make_media import ffmpeg, wav

FLOAT, RATE = 3, 16_000
SINE = np.sin(np.arange(2 * RATE) * 2 * np.pi * 440 / RATE)  # 2 s, -3 dB


def floats(path: Path, *channels: NDArray[np.float64]) -> Path:
    return wav(path, np.stack(channels, axis=1).astype("<f4").tobytes(), channels=len(channels), bits=32, code=FLOAT)


def levels_of(path: Path, **options: object) -> Levels:
    sound = media.decode(path, **options)  # type: ignore[arg-type]
    assert list(sound)
    assert sound.levels
    return sound.levels


def weight(path: Path, channel: int) -> float:
    """As the measurement of a file has it in which all other channels are silent."""
    found = levels_of(path)
    return float(10 ** ((found.unrelated_db - found.channels[channel].mean_db) / 20))


def test_each_channel_and_the_mix_with_what_cancels_in_it(tmp_path: Path) -> None:
    found = levels_of(floats(tmp_path / "a.wav", 0.1 * SINE, -0.1 * SINE))
    assert [round(level.mean_db) for level in found.channels] == [-23, -23]
    assert found.mix.mean_db == FLOOR_DB
    assert found.unrelated_db == pytest.approx(-26, abs=0.1)


@pytest.mark.parametrize(
    "form", ["pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f64le", "pcm_mulaw", "flac", "ac3"]
)
def test_every_sample_format_has_the_same_full_scale(form: str, tmp_path: Path) -> None:
    path = ffmpeg(tmp_path / "a.mka", "-i", f"file:{floats(tmp_path / 'b.wav', 0.5 * SINE, 0.25 * SINE)}", "-c:a", form)
    found = levels_of(path)
    assert [level.mean_db for level in found.channels] == pytest.approx([-9, -15], abs=0.3)
    assert [level.peak for level in found.channels] == pytest.approx([0.5, 0.25], abs=0.03)
    assert found.mix.loud_db == pytest.approx(-11.5, abs=0.6)


def test_what_floats_hold_above_full_scale_an_offset_and_no_numbers(tmp_path: Path) -> None:
    odd = 0.1 * SINE + 0.25
    odd[[100, 200]] = np.nan, np.inf
    loud, offset = levels_of(floats(tmp_path / "a.wav", 2 * SINE, odd)).channels
    assert (round(loud.peak, 2), round(loud.over, 2), loud.broken) == (2.0, 0.67, 0)
    assert (round(offset.offset, 2), round(offset.mean_db), offset.clipped, offset.broken) == (0.25, -23, 0, 2)


def test_a_click_does_not_make_a_quiet_recording_loud(tmp_path: Path) -> None:
    quiet = np.tile(0.001 * SINE, 5)
    quiet[1000] = 1
    (level,) = levels_of(floats(tmp_path / "a.wav", quiet)).channels
    assert (round(level.loud_db), level.peak) == (-64, 1)


@pytest.mark.parametrize(("seconds", "lead"), [(0.5, 0.0), (0.8, 0.3), (3.0, 1.0), (30.0, 10.0)])
def test_a_word_is_as_loud_however_short_the_recording_around_it(seconds: float, lead: float, tmp_path: Path) -> None:
    sound = np.zeros(int(seconds * RATE), np.float32)
    word = 0.5 * np.sin(np.arange(int(0.4 * RATE)) * 0.3).astype(np.float32)
    sound[int(lead * RATE) :][: len(word)] = word
    (level,) = levels_of(floats(tmp_path / "a.wav", sound)).channels
    assert (level.word_db, level.top_db) == pytest.approx((-9, -9), abs=0.6)
    assert seconds > 1 or level.loud_db == pytest.approx(-9, abs=0.6)


def test_a_long_one_is_measured_in_samples_of_it(tmp_path: Path) -> None:
    (level,) = levels_of(floats(tmp_path / "a.wav", np.tile(0.1 * SINE, 45))).channels
    assert level.mean_db == pytest.approx(-23, abs=0.1)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 6, 8, 9])
def test_the_weights_are_those_of_the_mix(channels: int, tmp_path: Path) -> None:
    for number in range(channels):
        path = floats(tmp_path / "a.wav", *(0.5 * SINE * (channel == number) for channel in range(channels)))
        mixed = np.concatenate(list(media.decode(path)))[1000:-1000] / 32768
        assert np.abs(mixed).max() == pytest.approx(0.5 * weight(path, number), abs=0.001)


def test_no_channel_of_three_without_names_is_taken_for_a_subwoofer(tmp_path: Path) -> None:
    assert weight(floats(tmp_path / "a.wav", 0 * SINE, 0 * SINE, SINE), 2) == pytest.approx(1 / 3, abs=0.001)
    assert mix_weights("2.1", 3) == (0.5, 0.5, 0)


def test_a_correction_is_made_in_floats(tmp_path: Path) -> None:
    """At -100 dB 16 bits would hold nothing."""
    path = floats(tmp_path / "a.wav", 1e-5 * SINE + 0.1, 1e-5 * SINE - 0.2)
    raised = np.concatenate(list(media.decode(path, correction=Correction(5e4, (0.1, -0.2))))) / 32768
    assert np.abs(raised - 0.5 * SINE).max() < 0.001
    assert (
        np.abs(
            np.concatenate(list(media.decode(path, channel=1, correction=Correction(5e4, (0.1, -0.2))))) / 32768
            - 0.5 * SINE
        ).max()
        < 0.001
    )
