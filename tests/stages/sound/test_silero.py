from __future__ import annotations

import importlib.util
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest

from sutradhar.pipeline.errors import UsageError
from sutradhar.stages.sound import silero
from sutradhar.stages.sound.silero import FRAME, Detector, model_path, speech_probabilities
from sutradhar.stages.sound.wav import Sound


def probabilities(path: Path, block: int = silero.BLOCK) -> list[float]:
    with Sound(path) as sound:
        return list(speech_probabilities(sound, block=block))


def test_says_what_faster_whisper_says_with_the_same_network(sound: Path) -> None:
    from faster_whisper.vad import SileroVADModel

    with Sound(sound) as whole:
        samples = whole.read(0, whole.samples)
    theirs = SileroVADModel(str(model_path()))(np.pad(samples, (0, -len(samples) % FRAME)))
    # All but the last: theirs writes the zeros of its first context over the end of the sound.
    np.testing.assert_allclose(probabilities(sound)[:-1], theirs.ravel()[:-1], atol=1e-5)


def test_blocks_do_not_change_the_result(sound: Path) -> None:
    whole = probabilities(sound, 10_000)
    assert len(whole) == 860  # 27.52 s, in frames of 32 ms
    for block in (1, 7, 256):
        np.testing.assert_allclose(probabilities(sound, block), whole, atol=1e-5)


def test_speech_is_probable_and_silence_is_not(sound: Path) -> None:
    assert np.mean(probabilities(sound)) > 0.5
    assert max(Detector().feed(np.zeros(100 * FRAME, np.float32))) < 0.1


def test_progress_ends_at_the_end_of_the_sound(sound: Path) -> None:
    told: list[tuple[float, float]] = []
    with Sound(sound) as whole:
        speech_probabilities(whole, lambda done, total: told.append((done, total)), block=500)
    assert told == [(16.0, 27.52), (27.52, 27.52)]


@pytest.mark.parametrize("origin", [None, "nowhere/faster_whisper/__init__.py"], ids=["no package", "no file in it"])
def test_without_the_network_it_is_said_what_to_do(origin: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: ModuleSpec(name, None, origin=origin) if origin else None
    )
    with pytest.raises(UsageError, match=r"faster.whisper.*/scripts/bootstrap\.sh$"):
        model_path()
