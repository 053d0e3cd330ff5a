from __future__ import annotations

from collections.abc import Sequence
from math import nan
from pathlib import Path

import numpy as np
import pytest

from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.stages.sound import hearing
from sutradhar.stages.sound.hearing import EVERY, WARM_UP, Ears, models_of, open_frames, probabilities_begun_anew
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
        def __init__(self, folder: Path) -> None:
            assert folder == Path("segmentation")

        def speech_probabilities(self, sound: Sound, open_frames: Sequence[bool]) -> list[float]:
            return [0.5 if one else nan for one in open_frames]

    monkeypatch.setattr(hearing, "Segmentation", Voices)
    with Sound(sound) as whole:
        alone = Ears(Detector(), None).hear(whole)
        both = Ears(Detector(), Path("segmentation")).hear(whole, sure=alone.sure)
    sure = np.array(alone.sure)
    others = np.where(open_frames(alone.sure), 0.5, sure)
    np.testing.assert_allclose(both.gate, (sure + others) / 2, atol=1e-6)
    np.testing.assert_allclose(both.look, (np.array(alone.look) + others) / 2, atol=1e-6)
    assert both.both
    assert both.sure is alone.sure


def test_others_listen_where_silero_hears_nobody_for_most_of_a_second() -> None:
    loud, quiet = [0.5], [0.49]
    assert open_frames(quiet * 25) == [True] * 25
    assert open_frames(loud * 3 + quiet * 24 + loud * 3) == [False] * 30
    assert open_frames(loud * 3 + quiet * 25 + loud) == [False] * 3 + [True] * 25 + [False]
    assert open_frames([]) == []


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
