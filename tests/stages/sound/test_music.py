"""Music in which nobody speaks, told by scores that a stand-in for the network gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import pytest

from sutradhar.stages.sound.music import FRAMES, find_music
from sutradhar.stages.sound.wav import Samples
from sutradhar.stages.sound.yamnet import PATCH, Yamnet
from sutradhar.stages.transcript import Span

NOBODY, SOMEBODY = [0.0] * FRAMES, [0.9] * FRAMES  # Silero's, for the time of a patch
MUSIC, SPEECH, BOTH = (0.9, 0.0), (0.0, 0.9), (0.9, 0.04)  # YAMNet's


class Listener:
    def __init__(self, scores: Sequence[tuple[float, float]]) -> None:
        self._scores = np.array(scores)
        self.wanted: Sequence[bool] = ()

    def scores(self, sound: object, wanted: Sequence[bool]) -> object:
        self.wanted = wanted
        return np.where(np.array(wanted)[:, None], self._scores, np.nan)


def found(scores: Sequence[tuple[float, float]], sure: Sequence[float] = ()) -> tuple[Span, ...]:
    sound = Samples(np.zeros(len(scores) * PATCH, np.int16))
    return find_music(sound, sure or [0.0] * (len(scores) * FRAMES), cast("Yamnet", Listener(scores)))


def test_music_alone_is_found_and_speech_beside_it_is_not_in_it() -> None:
    assert found([MUSIC] * 10) == (Span(0, 9600),)
    assert found([SPEECH] * 4 + [MUSIC] * 6) == (Span(5 * 960, 9600),)


def test_music_shorter_than_a_phrase_is_none() -> None:
    assert found([SPEECH] * 4 + [MUSIC] * 4 + [SPEECH] * 4) == ()


@pytest.mark.parametrize(("heard", "music"), [(0, True), (2, False), (10, False)])
def test_the_more_silero_hears_the_less_speech_yamnet_may(heard: int, music: bool) -> None:
    sure = [*[0.9] * 3 * heard, *[0.0] * (30 - 3 * heard)] * 10
    assert bool(found([BOTH] * 10, sure)) is music
    assert bool(found([MUSIC] * 10, sure)) is (heard < 9)


def test_the_network_is_not_asked_where_somebody_speaks_all_the_time() -> None:
    listener = Listener([SPEECH] * 10)
    sound = Samples(np.zeros(10 * PATCH, np.int16))
    assert find_music(sound, SOMEBODY * 8 + NOBODY * 2, cast("Yamnet", listener)) == ()
    assert listener.wanted == [False] * 6 + [True] * 4


def test_sound_that_ends_inside_a_patch_or_is_empty() -> None:
    listener = cast("Yamnet", Listener([MUSIC] * 4))
    assert find_music(Samples(np.zeros(3 * PATCH + 160, np.int16)), [0.0] * 91, listener) == (Span(0, 2890),)
    assert find_music(Samples(np.zeros(0, np.int16)), [], cast("Yamnet", Listener([]))) == ()


def test_sound_shorter_than_a_phrase_is_no_music() -> None:
    assert (found([MUSIC]), found([MUSIC] * 2)) == ((), ())
