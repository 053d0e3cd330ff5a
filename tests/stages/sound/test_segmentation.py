"""Segmentation with random weights in the real geometry."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from sutradhar.stages.sound import convert, pyannet
from sutradhar.stages.sound.about import FILE
from sutradhar.stages.sound.segmentation import CHUNK, MARGIN, Segmentation, chunks_around
from sutradhar.stages.sound.silero import FRAME
from sutradhar.stages.sound.wav import Samples

SECOND = 31  # frames, rounded down


@pytest.fixture(scope="module")
def network() -> pyannet.PyanNet:
    torch.manual_seed(0)
    return pyannet.load(pyannet.PyanNet().state_dict())


@pytest.fixture(scope="module")
def folder(network: pyannet.PyanNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("onnx", reason="onnx is not installed; scripts/bootstrap.sh")
    path = tmp_path_factory.mktemp("segmentation")
    convert.write(network, path / FILE)
    return path


def noise(seconds: float) -> NDArray[np.int16]:
    return np.random.default_rng(1).normal(0, 1000, int(seconds * 16_000)).astype(np.int16)


def test_a_frame_has_the_probability_of_the_moment_in_its_middle(network: pyannet.PyanNet, folder: Path) -> None:
    sound = Samples(noise(10))
    found = Segmentation(folder).speech_probabilities(sound, [True] * 313, lambda done, total: None)
    with torch.inference_mode():
        classes = network(torch.from_numpy(sound.read(0, CHUNK))[None])[0].numpy()
    middles = (np.arange(589) * 270 + 495.5) / FRAME - 0.5  # in frames of Silero's
    np.testing.assert_allclose(found, np.interp(range(313), middles, 1 - np.exp(classes[:, 0])), atol=1e-4)


def test_only_undecided_frames_get_a_probability(folder: Path) -> None:
    told: list[tuple[float, float]] = []
    undecided = [False] * 1000
    undecided[100] = undecided[700] = True
    found = Segmentation(folder).speech_probabilities(
        Samples(noise(32)), undecided, lambda done, total: told.append((done, total))
    )
    assert [number for number, probability in enumerate(found) if not np.isnan(probability)] == [100, 700]
    assert told == [(11.696, 32.0), (30.896, 32.0)]


def test_threads_do_not_change_what_is_heard(folder: Path) -> None:
    sound, undecided = Samples(noise(40)), [True] * 1250
    one, two = (Segmentation(folder, threads).speech_probabilities(sound, undecided, print) for threads in (1, 2))
    assert one == two


def test_no_sound_is_not_heard(folder: Path) -> None:
    assert len(Segmentation(folder).speech_probabilities(Samples(noise(0)), [], print)) == 0


def test_a_chunk_begins_before_the_first_undecided_frame_and_the_next_where_it_ends() -> None:
    minute = 60 * 16_000
    undecided = [False] * 1875
    assert list(chunks_around(undecided, minute)) == []
    undecided[100] = undecided[300] = True
    assert list(chunks_around(undecided, minute)) == [100 * FRAME - MARGIN]
    undecided[320] = True  # 1.1 s before the end of that chunk
    assert list(chunks_around(undecided, minute)) == [100 * FRAME - MARGIN, 320 * FRAME - MARGIN]
    undecided[1874] = True
    assert list(chunks_around(undecided, minute))[2:] == [minute - CHUNK]
    assert list(chunks_around([True] * 20, 20 * FRAME)) == [0]
