"""Of each kind of faulty sound a recording: what is taken of it, by the stage for films and by the loader for folders, and what is said."""

from __future__ import annotations

import wave
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.stages.corpus.recognise.loading import Loaded, Loader
from sutradhar.stages.corpus.recognise.messages import Task
from sutradhar.stages.film import demux, vad
from sutradhar.stages.sound.account import Listener, Take, why_nobody
from sutradhar.stages.sound.silero import Detector
from sutradhar.stages.transcript import Windows
from sutradhar.stages.transcript import load as load_artifact
from tests.make_media import ffmpeg
from tests.stages.faulty_sound import Wave, film, floats, hum, integers, noise, silence, speech, turned_down
from tests.stages.run_stage import StageRun

LOUD = 1000  # of 32768


def load(path: Path, **settings: object) -> Loaded:
    found = Loader(path.parent, path.parent, Settings(**settings)).load(
        Task(id="a", paths=(path.name,), duration_ms=8000), None
    )  # type: ignore[arg-type]
    assert isinstance(found, Loaded)
    return found


def heard_ms(found: Loaded) -> list[int]:
    return [
        sum(span.end_ms - span.start_ms for window in channel.windows for span in window.speech)
        for channel in found.channels
    ]


def extract(path: Path, folder: Path) -> tuple[tuple[str, ...], np.ndarray[tuple[int], np.dtype[np.int16]], StageRun]:
    run = StageRun(demux.STAGE, path, folder)
    outcome = run.run()
    with wave.open(str(run.scratch / "demux" / "audio.wav")) as file:
        return outcome.degraded, np.frombuffer(file.readframes(file.getnframes()), np.int16), run


def why_empty(path: Path, folder: Path) -> str:
    """What vad says after demux."""
    _, _, run = extract(path, folder)
    (run.artifacts / "demux").symlink_to(run.scratch / "demux")
    found = StageRun(vad.STAGE, path, folder)
    found.run()
    return load_artifact(found.scratch / "vad" / "windows.json", Windows).cause


CANCEL = "its channels cancel each other in the mix (one is inverted): channel 1 alone was taken"
MUFFLED = "nobody is heard in the mix of its 2 channels: channel 1 alone was taken, where somebody speaks"
ALONE: dict[str, tuple[Callable[[], Sequence[Wave]], str]] = {
    "inverted": (lambda: (speech(), -speech()), CANCEL),
    "inverted and noise": (lambda: (speech() + noise(-55), -speech() + noise(-55, 1)), CANCEL),
    "inverted and softer": (lambda: (speech(), -0.9 * speech()), CANCEL),
    "inverted and later": (lambda: (speech(), -np.roll(speech(), 1)), CANCEL),
    "inverted beside a silent centre": (lambda: (speech(), -speech(), silence()), CANCEL),
    "inverted in 5.1": (lambda: (speech(), -speech(), *[silence()] * 4), CANCEL),
    "hum on the other channel": (lambda: (turned_down(speech(), 26), hum()), MUFFLED),
    "one hum on three other channels": (lambda: (turned_down(speech(), 26), *[hum()] * 3), MUFFLED.replace("2", "4")),
    "one noise on all but the third of 5.1": (
        lambda: (noise(-10), noise(-10), turned_down(speech(), 20), *[noise(-10)] * 3),
        MUFFLED.replace("2", "6").replace("channel 1", "channel 3"),
    ),
}


@pytest.mark.parametrize("kind", ALONE)
def test_where_the_mix_loses_what_is_spoken_a_channel_is_taken_alone(kind: str, tmp_path: Path) -> None:
    make, remark = ALONE[kind]
    path = integers(tmp_path / "a.wav", *make())
    degraded, samples, _ = extract(path, tmp_path)
    assert degraded == (f"a.wav: {remark}",)
    taken = int(remark.partition("channel ")[2][0]) - 1
    assert np.array_equal(samples, np.round(make()[taken] * 32768).astype(np.int16))
    found = load(path)
    assert found.degraded == (remark,)
    assert heard_ms(found)[0] > 5000


def word() -> Wave:
    """What is loudest in the speech, 0.4 s of it."""
    start = max(0, int(np.abs(speech()).argmax()) - 3200)
    return speech()[start : start + 6400]


def word_in(around: Wave) -> Wave:
    sound = around.copy()
    sound[64_000 : 64_000 + len(word())] = word()
    return sound


WHOLE: dict[str, Callable[[], Sequence[Wave]]] = {
    "mono": lambda: (speech(),),
    "stereo": lambda: (speech(), 0.5 * speech() + noise(-50)),
    "one side of stereo silent": lambda: (speech(), silence()),
    "a call": lambda: (
        np.where(np.arange(len(speech())) < 64_000, speech(), 0),
        np.where(np.arange(len(speech())) < 64_000, 0, speech()),
    ),
    "a word": lambda: (word(),),
    "a word and a breath": lambda: (np.concatenate([word(), noise(-80)[:12_800]]),),
    "a word in silence": lambda: (word_in(silence()),),
    "a word in what a microphone makes by itself": lambda: (word_in(noise(-75)),),
    "5.1 with the centre alone": lambda: (noise(-80), noise(-80, 1), speech(), silence(), noise(-80, 2), noise(-80, 3)),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_what_is_in_order_is_mixed_as_ever_and_nothing_is_said(kind: str, tmp_path: Path) -> None:
    path = integers(tmp_path / "a.wav", *WHOLE[kind]())
    degraded, samples, _ = extract(path, tmp_path)
    assert degraded == load(path).degraded == ()
    assert np.abs(samples).max() > LOUD


def test_channels_that_cancel_in_what_is_no_speech_stay_mixed(tmp_path: Path) -> None:
    once = np.where(np.arange(len(speech())) < 28_000, speech(), 0)  # one of them holds a little of what is said
    path = integers(tmp_path / "a.wav", 0.3 * hum() + 0.5 * once, -0.3 * hum() + 0.5 * (speech() - once))
    degraded, samples, _ = extract(path, tmp_path)
    found = load(path)
    assert degraded == found.degraded == ()
    assert np.corrcoef(samples, speech())[0, 1] > 0.99


def test_where_somebody_is_heard_early_nothing_is_decoded_again_and_little_listened_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[Take] = []
    fed: list[int] = []
    decode, feed = Listener.decode, Detector.feed
    monkeypatch.setattr(Listener, "decode", lambda self, take, *part: decoded.append(take) or decode(self, take, *part))
    monkeypatch.setattr(Detector, "feed", lambda self, samples: fed.append(len(samples)) or feed(self, samples))
    extract(integers(tmp_path / "a.wav", speech(), 0.5 * speech()), tmp_path)
    assert decoded == [Take(0)]
    assert 16_000 <= sum(fed) < 64_000  # of 128,000


@pytest.mark.parametrize("by_db", [60, 90])
def test_what_is_far_too_quiet_is_raised_before_it_is_rounded(by_db: int, tmp_path: Path) -> None:
    path = floats(tmp_path / "a.wav", turned_down(speech(), by_db))
    degraded, samples, _ = extract(path, tmp_path)
    (line,) = degraded
    assert line.startswith("a.wav: very quiet (-")
    assert np.corrcoef(samples, speech())[0, 1] > 0.9999
    assert 0.05 < np.abs(samples).max() / 32768 <= 1
    found = load(path)
    assert found.degraded == (line.removeprefix("a.wav: "),)
    assert heard_ms(found)[0] > 5000


def test_one_in_sixteen_bits_with_a_click_and_an_inverted_one_are_raised_too(tmp_path: Path) -> None:
    quiet = turned_down(speech(), 60)
    clicked = quiet.copy()
    clicked[5000] = 1
    for number, channels in enumerate([(quiet,), (clicked,), (quiet, -quiet)]):
        found = load(integers(tmp_path / f"{number}.wav", *channels))
        assert heard_ms(found)[0] > 5000
        assert found.degraded[-1].startswith("very quiet (-")


NOBODY: dict[str, tuple[Callable[[], Sequence[Wave]], str]] = {
    "silence": (lambda: (silence(),), "audio track 0 is digital silence. Give another track"),
    "silent stereo": (lambda: (silence(), silence()), "audio track 0 is digital silence. Give another track"),
    "the last bit": (
        lambda: (np.sign(noise(0)) / 32768,),
        "audio track 0 holds nothing but noise at -90 dB. Give another",
    ),
    "a noise floor": (
        lambda: (noise(-70),),
        "audio track 0 is very quiet (-70 dB), and nobody is heard when it is raised. Give",
    ),
    "hum": (
        lambda: (hum(),),
        "there is sound, but it is not like speech: music or noise. Where somebody does speak, give another track",
    ),
    "inverted hum": (
        lambda: (hum(), -hum()),
        "the channels of audio track 0 cancel each other in the mix, and nobody is heard in any of them. Give",
    ),
}


@pytest.mark.parametrize("kind", NOBODY)
def test_why_nobody_is_heard_is_told_by_its_cause_and_noise_is_not_raised(kind: str, tmp_path: Path) -> None:
    make, cause = NOBODY[kind]
    path = floats(tmp_path / "a.wav", *make())
    found = load(path)
    assert (heard_ms(found), found.degraded) == ([0], ())
    assert found.cause.startswith(cause)
    assert why_empty(path, tmp_path) == found.cause


@pytest.mark.parametrize(
    ("likeliest", "line"),
    [
        (
            0.42,
            "nothing is like speech with more than 42% probability. Where somebody does speak, set SILERO_THRESHOLD to 0.3",
        ),
        (0.9, "what sounds like speech is too short. Where somebody does speak, lower SILERO_MIN_SPEECH_DURATION_MS"),
    ],
)
def test_where_it_is_the_detectors_doubt_its_setting_is_named(likeliest: float, line: str) -> None:
    assert why_nobody("", likeliest, 0.5) == line


def test_what_is_clipped_is_told_and_what_floats_hold_above_full_scale_is_turned_down(tmp_path: Path) -> None:
    clipped, hot = integers(tmp_path / "clipped.wav", 20 * speech()), floats(tmp_path / "hot.wav", 4 * speech())
    (line,) = load(clipped).degraded
    assert line.startswith("clipped: ")
    assert line.endswith(
        "% of its samples are at full scale, so words may be missing or wrong; record it at a lower level"
    )
    degraded, samples, run = extract(hot, tmp_path)
    assert degraded == ()
    assert run.run().summary.endswith(" (its samples go up to 2 times full scale: turned down to fit)")
    assert np.abs(samples / 32768 - 0.99 * 2 * speech()).max() < 0.001


def test_floats_in_the_range_of_integers_are_turned_down(tmp_path: Path) -> None:
    found = load(floats(tmp_path / "a.wav", 32768 * speech()))
    assert (found.degraded, found.notes) == (
        (),
        ("its samples go up to 1.64e+04 times full scale: turned down to fit",),
    )
    assert heard_ms(found)[0] > 5000


def test_an_offset_is_taken_out_and_no_numbers_are_silenced(tmp_path: Path) -> None:
    degraded, samples, run = extract(floats(tmp_path / "dc.wav", 0.5 * speech() + 0.3), tmp_path)
    assert degraded == ()
    assert run.run().summary.endswith(" (its samples are 30% of full scale off centre (DC): centred)")
    assert np.abs(samples / 32768 - 0.5 * speech()).max() < 0.001
    odd = speech().copy()
    odd[[100, 20_000]] = np.nan, np.inf
    degraded, samples, _ = extract(floats(tmp_path / "nan.wav", odd), tmp_path)
    assert degraded == ("nan.wav: it has samples that are no numbers (NaN, infinity): silenced",)
    assert np.abs(samples / 32768 - np.nan_to_num(odd, posinf=0)).max() < 0.001


@pytest.mark.parametrize("first", ["silence", "the last bit", "hum"])
def test_of_a_folder_a_track_is_taken_in_which_somebody_speaks(first: str, tmp_path: Path) -> None:
    sound = {"silence": silence(), "the last bit": np.sign(noise(0)) / 32768, "hum": hum()}[first]
    found = load(film(tmp_path / "a.mkv", {"eng": sound, "": speech()}), SOURCE_LANGUAGE="en")
    assert heard_ms(found)[0] > 5000
    (line,) = found.degraded
    assert line.endswith(": track 1 was taken, where somebody speaks")
    foreign = load(film(tmp_path / "b.mkv", {"eng": sound, "hin": speech()}), SOURCE_LANGUAGE="en")
    assert (heard_ms(foreign), foreign.degraded) == ([0], ())


def test_of_a_folder_the_track_is_chosen_by_its_tags(tmp_path: Path) -> None:
    path = film(
        tmp_path / "a.mkv",
        {"eng": hum(), "eng ": speech()},
        "-disposition:a:0",
        "comment",
        "-disposition:a:1",
        "default",
    )
    found = load(path, SOURCE_LANGUAGE="en")
    assert (found.degraded, found.cause) == ((), "")
    assert heard_ms(found)[0] > 5000


def test_of_a_film_the_track_that_was_chosen_stays_and_the_one_where_somebody_speaks_is_named(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv", {"eng": silence(), "eng ": speech()})
    degraded, samples, _ = extract(path, tmp_path)
    assert degraded == ("a.mkv: audio track 0 is digital silence, but somebody speaks in track 1: set AUDIO_TRACK=1",)
    assert np.abs(samples).max() == 0
    other = StageRun(demux.STAGE, path, tmp_path, AUDIO_TRACK=1)
    assert other.run().degraded == ("a.mkv: audio track 0 is silent: track 1 was taken",)


def test_of_a_folder_a_first_track_that_nothing_decodes_is_passed_over(tmp_path: Path) -> None:
    inputs = [f"file:{integers(tmp_path / f'{number}.wav', sound)}" for number, sound in enumerate((hum(), speech()))]
    path = ffmpeg(
        tmp_path / "a.mov", "-i", inputs[0], "-i", inputs[1], "-map", "0", "-map", "1", "-c:a", "aac", "-c:a:0", "alac"
    )
    path.write_bytes(path.read_bytes().replace(b"alac", b"zzzz"))
    assert heard_ms(load(path))[0] > 5000
