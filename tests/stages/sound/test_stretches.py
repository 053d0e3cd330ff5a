"""Recordings with something wrong for a part of the time: what is taken of them, and what is said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from sutradhar.pipeline import media
from sutradhar.pipeline.media import SAMPLE_RATE
from tests.stages.faulty_sound import Wave, floats, hum, integers, noise, speech, turned_down
from tests.stages.sound.test_account import extract, heard_ms, load

HALF = len(speech())


def twice(sound: Wave) -> Wave:
    return np.concatenate([sound, sound])


def flipped(sound: Wave) -> Wave:
    """Inverted from 00:00:08 on."""
    return np.concatenate([sound[:HALF], -sound[HALF:]])


def after(first: Wave, second: Wave) -> Wave:
    return np.concatenate([first, second])


CANCEL = "its channels cancel each other in the mix from 00:00:08 to 00:00:16 (one is inverted there): "
ALONE = CANCEL + "channel 1 alone was taken"
INVERTED: dict[str, Callable[[], Sequence[Wave]]] = {
    "from the middle on": lambda: (twice(speech()), flipped(twice(speech()))),
    "with noise": lambda: (twice(speech()) + twice(noise(-55)), flipped(twice(speech())) + twice(noise(-55, 1))),
    "softer": lambda: (twice(speech()), 0.9 * flipped(twice(speech()))),
}


@pytest.mark.parametrize("kind", INVERTED)
def test_where_channels_cancel_for_a_part_of_the_time_one_that_holds_all_is_taken(kind: str, tmp_path: Path) -> None:
    path = integers(tmp_path / "a.wav", *INVERTED[kind]())
    degraded, samples, _ = extract(path, tmp_path)
    assert degraded == (f"a.wav: {ALONE}",)
    assert np.array_equal(samples, np.round(INVERTED[kind]()[0] * 32768).astype(np.int16))
    found = load(path)
    assert found.degraded == (ALONE,)
    assert heard_ms(found)[0] > 10_000


def test_where_channels_differ_elsewhere_the_mix_stays_and_the_remedy_is_told(tmp_path: Path) -> None:
    left, right = speech().copy(), speech().copy()
    left[: HALF // 2] = right[HALF // 2 :] = 0  # a call, before both are on each channel and one of them inverted
    path = integers(tmp_path / "a.wav", after(left, speech()), after(right, -speech()))
    remedy = "what is said there may be missing; --channels split takes each channel as a speaker"
    assert load(path).degraded == (CANCEL + remedy,)
    assert extract(path, tmp_path)[0] == (f"a.wav: {CANCEL}{remedy}",)


@pytest.mark.parametrize(("by_db", "form"), [(50, integers), (66, floats), (90, floats)])
def test_a_part_that_is_far_quieter_than_the_rest_is_raised(
    by_db: int, form: Callable[..., Path], tmp_path: Path
) -> None:
    path = form(tmp_path / "a.wav", after(turned_down(speech(), by_db), speech()))
    degraded, samples, _ = extract(path, tmp_path)
    (line,) = degraded
    assert line.startswith("a.wav: very quiet from 00:00:00 to 00:00:08: raised there by up to ")
    assert np.corrcoef(samples[: HALF - 5000], speech()[: HALF - 5000])[0, 1] > 0.99
    assert np.array_equal(samples[HALF + 5000 :], np.round(speech()[5000:] * 32768).astype(np.int16))
    found = load(path)
    assert found.degraded == (line.removeprefix("a.wav: "),)
    assert heard_ms(found)[0] > 10_000


def test_a_part_is_raised_also_of_a_channel_that_is_taken_alone_and_of_each_speaker(tmp_path: Path) -> None:
    sound = after(speech(), turned_down(speech(), 50))
    inverted = load(integers(tmp_path / "a.wav", sound, -sound))
    assert heard_ms(inverted)[0] > 10_000
    assert [line[:10] for line in inverted.degraded] == ["its channe", "very quiet"]
    sides = load(integers(tmp_path / "b.wav", sound, np.roll(twice(speech()), SAMPLE_RATE)), CORPUS_CHANNELS="split")
    assert min(heard_ms(sides)) > 10_000


def test_a_part_is_raised_also_where_nobody_is_heard_in_the_rest(tmp_path: Path) -> None:
    quiet, music = twice(turned_down(speech(), 50)), twice(chords())
    found = load(integers(tmp_path / "a.wav", after(quiet, music), after(quiet, 0.5 * music)))
    assert [line[:39] for line in found.degraded] == ["very quiet from 00:00:00 to 00:00:16: r"]
    assert heard_ms(found)[0] > 10_000


IN_ORDER: dict[str, Callable[[], Sequence[Wave]]] = {
    "room tone": lambda: (after(speech(), noise(-60)),),
    "the last bit": lambda: (after(speech(), np.sign(noise(0)) / 32768),),
    "hum": lambda: (after(speech(), turned_down(hum(), 50)),),
    "music that fades": lambda: (after(speech(), chords() * np.linspace(0.01, 0, HALF)),),
    "inverted hum": lambda: (after(speech(), 0.02 * hum()), after(speech(), -0.02 * hum())),
    "a part inverted for 3 s": lambda: (
        twice(speech()),
        np.where(np.arange(2 * HALF) < 2 * HALF - 48_000, 1, -1) * twice(speech()),
    ),
}


def chords() -> Wave:
    time = np.arange(HALF) / SAMPLE_RATE
    return np.asarray(
        sum(np.sin(2 * np.pi * tone * time) / number for number, tone in enumerate([220, 277, 330, 440], 1)) / 4
    )


@pytest.mark.parametrize("kind", IN_ORDER)
def test_noise_and_music_are_never_raised_and_the_mix_stays_as_it_is(kind: str, tmp_path: Path) -> None:
    path = floats(tmp_path / "a.wav", *IN_ORDER[kind]())
    degraded, samples, _ = extract(path, tmp_path)
    assert (degraded, load(path).degraded) == ((), ())
    assert np.array_equal(samples, np.concatenate(list(media.decode(path))))
