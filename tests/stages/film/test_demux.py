from __future__ import annotations

import re
import shutil
import wave
from pathlib import Path

import numpy as np
import pytest

from sutradhar.pipeline.errors import StageFailed, UsageError
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.stages.film.demux import STAGE
from sutradhar.stages.transcript import Audio, load
from tests.make_media import TONE, cut, ffmpeg, film
from tests.stages.faulty_sound import Wave, integers, noise, silence, speech, turned_down
from tests.stages.run_stage import StageRun

HIGH = ("-f", "lavfi", "-i", "sine=frequency=2000:sample_rate=48000:duration=4")


def two_tracks(folder: Path) -> Path:
    """Track 0 is a low tone, in English; track 1 a high one, in Hindi, that begins at 1 s."""
    tags = ("-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=hin")
    return ffmpeg(folder / "film.mkv", *TONE, "-itsoffset", "1", *HIGH, "-map", "0", "-map", "1", "-c:a", "flac", *tags)


def sound_of(run: StageRun) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    with wave.open(str(run.scratch / "demux" / "audio.wav")) as file:
        assert file.getparams()[:3] == (1, 2, 16_000)
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


def pitch(samples: np.ndarray[tuple[int], np.dtype[np.int16]]) -> int:
    return int(np.argmax(np.abs(np.fft.rfft(samples)))) * 16_000 // len(samples)


def test_the_track_asked_for_is_written_with_what_it_is(tmp_path: Path) -> None:
    run = StageRun(STAGE, two_tracks(tmp_path), tmp_path, AUDIO_TRACK=1)
    outcome = run.run()
    samples = sound_of(run)
    assert load(run.scratch / "demux" / "audio.json", Audio) == Audio(0, 5000, 16_000, 1, "hin")
    assert np.abs(samples[:15_900]).max() == 0
    assert pitch(samples[16_000:]) == 2000
    assert outcome.summary == "Audio extracted: 00:00:05.000 of track 1, hin (flac, 1 channel)"
    assert (outcome.degraded, outcome.seconds_of_media) == ((), 5.0)


def test_a_clip_begins_at_its_own_time(tmp_path: Path) -> None:
    run = StageRun(STAGE, two_tracks(tmp_path), tmp_path, MEDIA_START_TIME="0:01.5", MEDIA_END_TIME="00:00:03,250")
    run.run()
    assert load(run.scratch / "demux" / "audio.json", Audio) == Audio(1500, 1750, 16_000, 0, "eng")
    assert pitch(sound_of(run)) == 440


def test_progress_is_seconds_of_the_film(tmp_path: Path) -> None:
    run = StageRun(STAGE, two_tracks(tmp_path), tmp_path)
    run.run()
    done = [done for done, _ in run.progress]
    assert done == sorted(done)
    assert run.progress[-1] == (4.0, 5.0)  # this track ends before the other one
    assert {total for _, total in run.progress} == {5.0}


def test_a_cut_film_fails_unless_it_is_allowed_and_then_says_so(tmp_path: Path) -> None:
    path = cut(film(tmp_path / "film.mkv", "-c:a", "flac"))
    with pytest.raises(
        StageFailed, match=r"film\.mkv: decoded [12]\.\d s, but the container says 4\.0 s: the file is cut short"
    ):
        StageRun(STAGE, path, tmp_path).run()
    run = StageRun(STAGE, path, tmp_path, ALLOW_TRUNCATED=True)
    (degraded,) = run.run().degraded
    assert "the container says 4.0 s" in degraded
    assert len(sound_of(run)) > 16_000


def test_a_little_damage_is_told_of_and_the_rest_is_written(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mkv", "-c:a", "flac")
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 10] = bytes(10)
    path.write_bytes(data)
    run = StageRun(STAGE, path, tmp_path)
    (degraded,) = run.run().degraded
    assert re.fullmatch(r"film\.mkv is damaged at 00:00:0[12]\.\d{3} \(.+\): 0\.\d\d s could not be read", degraded)
    assert len(sound_of(run)) == pytest.approx(4 * 16_000, abs=800)


def test_an_end_beyond_the_film_means_its_end(tmp_path: Path) -> None:
    run = StageRun(STAGE, two_tracks(tmp_path), tmp_path, MEDIA_END_TIME="2:00")
    assert run.run().seconds_of_media == 4.0


def test_settings_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    path = two_tracks(tmp_path)
    for settings, reason in (
        ({"AUDIO_TRACK": 7}, "no audio track 7"),
        ({"MEDIA_START_TIME": "1h"}, "is not a time"),
        ({"MEDIA_START_TIME": "9"}, "no sound"),
    ):
        with pytest.raises(UsageError, match=reason):
            StageRun(STAGE, path, tmp_path, **settings).run()


def test_a_disk_without_room_is_told_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = StageRun(STAGE, two_tracks(tmp_path), tmp_path, MEDIA_START_TIME="1")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9 - 127_000, 127_000))
    with pytest.raises(
        StageFailed, match=r"^No space left on device: audio.wav needs about 0.1 MB, 0.1 MB are free; make room and"
    ):
        run.run()
    assert list((run.scratch / "demux").iterdir()) == []
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9 - 128_000, 128_000))
    assert run.run().seconds_of_media == 3.0


def stereo(folder: Path, left: str, right: str) -> Path:
    """4 s of a film whose channels are these of ffmpeg's expressions of `t`."""
    sound = ("-f", "lavfi", "-i", f"aevalsrc='{left}|{right}':sample_rate=48000:duration=4")
    return ffmpeg(folder / "film.mkv", *sound, "-c:a", "flac")


def test_channels_that_are_split_follow_each_other_in_the_file(tmp_path: Path) -> None:
    run = StageRun(
        STAGE,
        stereo(tmp_path, "sin(440*2*PI*t)/8", "sin(2000*2*PI*t)/8"),
        tmp_path,
        AUDIO_CHANNELS="split",
        MEDIA_START_TIME="1",
    )
    outcome = run.run()
    samples = sound_of(run)
    assert load(run.scratch / "demux" / "audio.json", Audio) == Audio(1000, 3000, 16_000, 0, "", voices=("1", "2"))
    assert [pitch(part) for part in np.split(samples, 2)] == [440, 2000]
    assert outcome.summary.startswith("Audio extracted: 00:00:03.000 of each channel of track 0")
    assert outcome.degraded == ()


@pytest.mark.parametrize("right", ["sin(440*2*PI*t)/8", "-sin(440*2*PI*t)/8"])
def test_channels_that_hold_the_same_are_one_speaker(tmp_path: Path, right: str) -> None:
    run = StageRun(STAGE, stereo(tmp_path, "sin(440*2*PI*t)/8", right), tmp_path, AUDIO_CHANNELS="split")
    outcome = run.run()
    assert (len(sound_of(run)), load(run.scratch / "demux" / "audio.json", Audio).voices) == (64_000, ("",))
    assert outcome.degraded == ()
    assert outcome.summary.count("both channels hold the same") == 1


@pytest.mark.parametrize("channels", ["mix", "split"])
def test_a_silent_track_before_the_one_that_is_taken_is_told(channels: str, tmp_path: Path) -> None:
    tags = ("-metadata:s:a:1", "language=eng", "-disposition:a:1", "default")
    silence = ("-f", "lavfi", "-i", "anullsrc=r=48000:cl=mono:d=4")
    sounds = (*silence, *TONE, *HIGH, "-filter_complex", "[1][2]join=inputs=2:channel_layout=stereo[b]")
    path = ffmpeg(tmp_path / "film.mkv", *sounds, "-map", "0", "-map", "[b]", "-c:a", "flac", *tags)
    outcome = StageRun(STAGE, path, tmp_path, AUDIO_TRACK=1, AUDIO_CHANNELS=channels).run()
    assert outcome.degraded == ("film.mkv: audio track 0 is silent: track 1 was taken",)


def test_a_commentary_before_the_track_that_is_taken_is_a_note(tmp_path: Path) -> None:
    tags = ("-metadata:s:a:0", "title=Director's commentary")
    path = ffmpeg(tmp_path / "film.mkv", *TONE, *HIGH, "-map", "0", "-map", "1", "-c:a", "flac", *tags)
    outcome = StageRun(STAGE, path, tmp_path, AUDIO_TRACK=1).run()
    assert outcome.degraded == ()
    assert outcome.summary.endswith("(audio track 0 is tagged comment or titled so: track 1 was taken)")


def test_what_has_no_two_channels_is_one_speaker(tmp_path: Path) -> None:
    run = StageRun(STAGE, ffmpeg(tmp_path / "film.wav", *TONE), tmp_path, AUDIO_CHANNELS="split")
    assert run.run().degraded == ("AUDIO_CHANNELS=split: audio track 0 has 1 channel, so it is one speaker",)


@pytest.mark.parametrize(
    ("channels", "voices", "remark"),
    [
        ((speech(), speech() / 2), ("",), "both channels hold the same: taken as one speaker"),
        ((speech(), speech() + noise(-40)), ("",), "both channels hold the same: taken as one speaker"),
        ((speech(), silence()), ("1",), "channel 2 is silent"),
        ((turned_down(speech(), 45), turned_down(speech()[::-1], 45)), ("1", "2"), "very quiet"),
        ((speech(), speech()[::-1], silence(), silence()), ("1", "2"), "channels 3, 4 are silent"),
        (
            (speech(), np.where(np.arange(len(speech())) < 4800, speech()[::-1], 0)),
            ("1", "2"),
            "of each channel of track 0",
        ),
    ],
)
def test_split_channels_of_a_film_are_judged_as_those_of_a_folder(
    tmp_path: Path, channels: tuple[Wave, ...], voices: tuple[str, ...], remark: str
) -> None:
    run = StageRun(STAGE, integers(tmp_path / "film.wav", *channels), tmp_path, AUDIO_CHANNELS="split")
    outcome = run.run()
    assert load(run.scratch / "demux" / "audio.json", Audio).voices == voices
    assert remark in "; ".join((*outcome.degraded, outcome.summary))


def test_split_channels_are_not_translated() -> None:
    with pytest.raises(
        UsageError,
        match=r"^AUDIO_CHANNELS=split: sentences of two speakers at a time are not translated; set it to mix",
    ):
        STAGE.check(Settings(WORKFLOW="translate", AUDIO_CHANNELS="split"))
