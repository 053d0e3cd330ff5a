"""YAMNet: its converter on random variables, and the network itself where it is in models/."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sutradhar.pipeline.errors import SutradharError, UsageError
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.stages.sound import convert_yamnet
from sutradhar.stages.sound.wav import Samples
from sutradhar.stages.sound.yamnet import PATCH, Yamnet, models_of
from tests.conftest import ROOT

NUMBERS = 3_751_371  # of the whole network, and the two before it
MODEL = ROOT / "models" / "yamnet"


def variables(folder: Path, count: int) -> Path:
    path = folder / "variables.data-00000-of-00001"
    np.random.default_rng(0).uniform(0.1, 0.2, count).astype("<f4").tofile(path)
    return path


def test_a_network_of_these_variables_is_written_and_another_than_yamnet_refused(tmp_path: Path) -> None:
    with pytest.raises(SutradharError, match="does not compute what the original does: a score is"):
        convert_yamnet.convert(variables(tmp_path, NUMBERS), tmp_path)
    scores = Yamnet(tmp_path).scores(Samples(np.zeros(3 * PATCH, np.int16)), [True, False, True])
    assert scores.shape == (3, 2)
    assert np.isnan(scores).tolist() == [[False, False], [True, True], [False, False]]


def test_too_few_variables_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"variables\.data-00000-of-00001 holds another network than YAMNet"):
        convert_yamnet.convert(variables(tmp_path, NUMBERS - 1), tmp_path)


def test_the_bands_are_those_of_tensorflow() -> None:
    bands = convert_yamnet.bands()
    assert bands.shape == (257, 64)
    assert np.allclose(bands[5, :3], [0.948, 0.052, 0.0], atol=0.001)
    assert np.allclose(bands[239, 62:], [0.0, 0.108], atol=0.001)
    assert not bands[[0, 4, 240]].any()


def test_it_is_needed_where_music_is_looked_for() -> None:
    assert models_of(Settings()) == ()
    assert [need.name for need in models_of(Settings(MUSIC="mark"))] == ["yamnet"]


@pytest.mark.skipif(not MODEL.is_dir(), reason="needs models/yamnet")
def test_a_chord_is_music_and_noise_is_neither() -> None:
    times = np.arange(4 * PATCH) / 16_000
    decay = np.exp(-3 * (times % 0.5))
    chord = sum(np.sin(2 * np.pi * hertz * times) for hertz in (220, 277, 330, 440, 554, 660)) * decay * 2000
    noise = np.random.default_rng(0).normal(0, 1000, len(times))
    network = Yamnet(MODEL)
    music, speech = network.scores(Samples(chord.astype(np.int16)), [True] * 4).T
    assert music.min() > 0.5
    assert speech.max() < 0.01
    assert network.scores(Samples(noise.astype(np.int16)), [True] * 4).max() < 0.1
