from __future__ import annotations

from collections.abc import Callable, Sequence
from math import nan
from pathlib import Path

import numpy as np
import pytest

from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.stages.sound import hearing
from sutradhar.stages.sound.hearing import (
    EVERY,
    WARM_UP,
    Ears,
    models_of,
    probabilities_begun_anew,
    undecided_frames,
)
from sutradhar.stages.sound.silero import FRAME, Detector, speech_probabilities
from sutradhar.stages.sound.wav import Samples, Sound


def test_silero_that_begins_anew_has_heard_a_second_before_each_stretch(sound: Path) -> None:
    with Sound(sound) as whole:
        found = probabilities_begun_anew(whole, [True] * 860, lambda done, total: None, Detector())
        detector = Detector()
        stretch = list(detector.feed(whole.read((2 * EVERY - WARM_UP) * FRAME, (WARM_UP + EVERY) * FRAME)))
        assert len(found) == -(-whole.samples // FRAME)
    np.testing.assert_allclose(found[2 * EVERY : 3 * EVERY], stretch[WARM_UP:], atol=1e-6)


def test_with_silero_alone_it_is_the_gate(sound: Path) -> None:
    told: list[tuple[float, float]] = []
    with Sound(sound) as whole:
        heard = Ears(Detector(), None).hear(whole, lambda done, total: told.append((done, total)))
        np.testing.assert_allclose(heard.sure, speech_probabilities(whole), atol=1e-6)
    assert heard.gate is heard.sure
    assert (heard.both, len(heard.look)) == (False, len(heard.sure))
    assert told == sorted(told)
    assert told[-1] == (27.52, 27.52)


def test_with_both_the_gate_and_the_look_are_means(sound: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Voices:
        def __init__(self, folder: Path, threads: int) -> None:
            assert (folder, threads) == (Path("segmentation"), 1)

        def speech_probabilities(
            self, sound: Sound, undecided: Sequence[bool], progress: Callable[[float, float], None]
        ) -> list[float]:
            return [0.5 if one else nan for one in undecided]

    monkeypatch.setattr(hearing, "Segmentation", Voices)
    with Sound(sound) as whole:
        alone = Ears(Detector(), None).hear(whole)
        both = Ears(Detector(), Path("segmentation"), threads=1).hear(whole, sure=alone.sure)
    sure = np.array(alone.sure)
    others = np.where(undecided_frames(alone.sure), 0.5, sure)
    np.testing.assert_allclose(both.gate, (sure + others) / 2, atol=1e-6)
    np.testing.assert_allclose(both.look, (np.array(alone.look) + others) / 2, atol=1e-6)
    assert both.both
    assert both.sure is alone.sure


def test_silero_does_not_begin_anew_where_segmentation_hears_nobody(
    sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Nobody:
        def __init__(self, folder: Path, threads: int) -> None:
            pass

        def speech_probabilities(
            self, sound: Sound, undecided: Sequence[bool], progress: Callable[[float, float], None]
        ) -> list[float]:
            return [0.09 if one else nan for one in undecided]

    monkeypatch.setattr(hearing, "Segmentation", Nobody)
    with Sound(sound) as whole:
        heard = Ears(Detector(), Path("segmentation")).hear(whole)
    np.testing.assert_allclose(heard.look, heard.gate, atol=1e-6)


LOUD, UNCERTAIN, CERTAIN = [0.5], [0.05], [0.04]


@pytest.mark.parametrize(
    ("sure", "undecided"),
    [
        (UNCERTAIN * 25, range(25)),
        (CERTAIN * 92, range(0)),
        (CERTAIN * 93, range(93)),  # 3 s
        (LOUD * 3 + UNCERTAIN * 24 + LOUD, range(0)),  # shorter than 0.8 s
        (LOUD * 3 + UNCERTAIN * 25 + LOUD, range(9, 22)),
        (LOUD * 3 + [0.4] * 6 + CERTAIN * 30 + [0.4] * 6 + LOUD, range(0)),  # words that fade at its edges
        (LOUD * 3 + CERTAIN * 20 + UNCERTAIN + CERTAIN * 20, range(9, 44)),
        ([], range(0)),
    ],
)
def test_others_listen_in_the_middle_of_pauses_of_which_silero_is_not_certain(
    sure: list[float], undecided: range
) -> None:
    found = undecided_frames(sure)
    assert len(found) == len(sure)
    assert [frame for frame, is_undecided in enumerate(found) if is_undecided] == list(undecided)


def test_where_nothing_is_open_nobody_else_listens() -> None:
    sound = Samples(np.zeros(FRAME * 200, np.int16))
    heard = Ears(Detector(), None).hear(sound, sure=[0.9] * 200)
    np.testing.assert_allclose(heard.look, 0.9, atol=1e-6)


def test_no_sound_has_no_frames() -> None:
    heard = Ears(Detector(), None).hear(Samples(np.zeros(0, np.int16)))
    assert (list(heard.gate), list(heard.look)) == ([], [])


def test_segmentation_is_needed_where_it_is_to_listen() -> None:
    assert models_of(Settings(SPEECH_DETECTOR="silero")) == ()
    assert [need.name for need in models_of(Settings(SPEECH_DETECTOR="silero+segmentation"))] == ["segmentation-3.0"]
