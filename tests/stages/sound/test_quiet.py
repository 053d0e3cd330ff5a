from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sutradhar.stages.sound import quiet
from sutradhar.stages.sound.quiet import quiet_spans
from sutradhar.stages.sound.wav import Samples, Sound, new_wav, write_block
from sutradhar.stages.transcript import Span

RATE = 16_000


def tone(seconds: float, amplitude: int = 8000) -> np.ndarray:
    return (amplitude * np.sin(np.arange(round(seconds * RATE)) * 0.6)).astype(np.int16)


def noise(samples: int, amplitude: float) -> np.ndarray:
    return amplitude * np.random.default_rng(1).standard_normal(samples)


SPEECH = np.concatenate([tone(1), tone(0.5, 0), tone(1), tone(0.1, 0), tone(1)])


def test_pauses_are_quiet_and_the_closure_of_a_plosive_is_not_a_pause() -> None:
    assert quiet_spans(Samples(SPEECH)) == (Span(1000, 1500),)
    assert quiet_spans(Samples(SPEECH), start_ms=5000) == (Span(6000, 6500),)


@pytest.mark.parametrize("amplitude", [1, 30, 200])
def test_room_tone_under_a_pause_is_quiet(amplitude: float) -> None:
    noisy = (SPEECH + noise(len(SPEECH), amplitude)).astype(np.int16)
    assert quiet_spans(Samples(noisy)) == (Span(1000, 1500),)


def test_wind_is_quiet_although_it_is_loud() -> None:
    wind = 4000 * np.sin(np.arange(len(SPEECH)) * 0.005)
    assert quiet_spans(Samples((SPEECH + wind).astype(np.int16))) == (Span(1000, 1500),)


def test_nothing_is_quiet_in_noise_near_the_level_of_speech() -> None:
    noisy = (SPEECH + noise(len(SPEECH), 3000)).clip(-32768, 32767).astype(np.int16)
    assert quiet_spans(Samples(noisy)) == ()


def test_sound_shorter_than_a_frame_has_no_quiet() -> None:
    assert quiet_spans(Samples(np.zeros(0, np.int16))) == ()
    assert quiet_spans(Samples(np.zeros(100, np.int16))) == ()


def test_a_file_read_in_blocks_is_as_quiet_as_sound_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quiet, "BLOCK", 77 * quiet.FRAME)
    with new_wav(tmp_path / "a.wav") as file:
        write_block(file, np.tile(SPEECH, 3))
    with Sound(tmp_path / "a.wav") as sound:
        found = quiet_spans(sound)
    monkeypatch.undo()
    assert found == quiet_spans(Samples(np.tile(SPEECH, 3)))
    assert len(found) == 3
