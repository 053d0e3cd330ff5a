from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faster_whisper.feature_extractor import FeatureExtractor

from sutradhar.pipeline import media
from sutradhar.pipeline.errors import StageFailed
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.stages.corpus.recognise.loading import Loaded, Loader
from sutradhar.stages.corpus.recognise.messages import Deferred, Failed, Task
from sutradhar.stages.recognisers.whisper.spectrogram import extractor, log_mel, preparation
from sutradhar.stages.sound import voices
from sutradhar.stages.sound.voices import LONG_MS
from tests.conftest import ROOT
from tests.make_media import cut, ffmpeg, wav
from tests.stages.corpus.recognise.support import task
from tests.stages.faulty_sound import floats, integers, silence, speech, turned_down

SAMPLE = ROOT / "samples" / "dialogue.mp4"
MELS = 80
PREPARATION = preparation(MELS)


def word_of(folder: Path, *paths: str, duration_ms: int = 1000, **settings: object) -> Loaded | Failed | Deferred:
    loader = Loader(folder, folder, Settings(**settings))  # type: ignore[arg-type]
    return loader.load(Task(id="a", paths=paths, duration_ms=duration_ms), PREPARATION)


def load(folder: Path, *paths: str, duration_ms: int = 1000, **settings: object) -> Loaded:
    return loaded(word_of(folder, *paths, duration_ms=duration_ms, **settings))


def loaded(word: Loaded | Failed | Deferred) -> Loaded:
    assert isinstance(word, Loaded), word
    return word


def test_hears_the_speech_of_a_recording_where_it_is() -> None:
    dialogue = load(SAMPLE.parent, SAMPLE.name)
    (channel,) = dialogue.channels
    (window,) = channel.windows
    assert (dialogue.degraded, dialogue.duration_ms, channel.speaker) == ((), 27_520, "")
    assert window.start_ms == pytest.approx(700, abs=300)
    assert window.end_ms == pytest.approx(27_000, abs=400)
    ((same, audio, prepared),) = channel.read()
    assert same is window
    assert audio.dtype == np.float32
    assert len(audio) == 16 * (window.end_ms - window.start_ms)
    whole = np.concatenate(list(media.decode(SAMPLE))) / np.float32(32_768)
    assert audio.tolist() == whole[16 * window.start_ms : 16 * window.end_ms].tolist()
    assert prepared.mel.tolist() == log_mel(extractor(MELS), audio).tolist()


def test_an_engine_that_prepares_nothing_costs_no_spectrogram(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FeatureExtractor, "__call__", None)
    found = loaded(
        Loader(SAMPLE.parent, SAMPLE.parent, Settings()).load(
            Task(id="a", paths=(SAMPLE.name,), duration_ms=1000), None
        )
    )
    ((_, audio, prepared),) = found.channels[0].read()
    assert len(audio) > 16_000
    assert prepared is None


def test_a_long_one_is_read_from_a_file_that_is_gone_afterwards(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").symlink_to(SAMPLE)
    (short,), (long,) = (
        load(tmp_path, "a.mp4", duration_ms=duration_ms).channels for duration_ms in (LONG_MS, LONG_MS + 1)
    )
    assert long.file
    assert long.file.parent == tmp_path
    assert (long.windows, long.sounds) == (short.windows, ())
    ((_, expected, _),) = short.read()
    ((_, audio, prepared),) = long.read()
    assert audio.tolist() == expected.tolist()
    assert prepared is None
    assert not long.file.exists()


def test_the_sides_of_a_call_are_heard_apart(tmp_path: Path) -> None:
    """The left one speaks in the first half, the right one in the second."""
    parts = "[0:a]aresample=16000,pan=mono|c0=c0,asplit[a][b];[a]volume=0:enable='gt(t,13.7)'[l];[b]volume=0:enable='lt(t,16.9)'[r]"
    call = ffmpeg(
        tmp_path / "call.wav",
        "-i",
        f"file:{SAMPLE}",
        "-filter_complex",
        f"{parts};[l][r]join=inputs=2:channel_layout=stereo",
        "-vn",
    )
    left, right = load(tmp_path, call.name, CORPUS_CHANNELS="split").channels
    assert (left.speaker, right.speaker) == ("1", "2")
    assert [(window.start_ms // 5000, window.end_ms // 5000) for window in (*left.windows, *right.windows)] == [
        (0, 2),
        (3, 5),
    ]
    (mixed,) = load(tmp_path, call.name).channels
    assert (mixed.speaker, [(window.start_ms // 5000, window.end_ms // 5000) for window in mixed.windows]) == (
        "",
        [(0, 5)],
    )


def test_a_call_with_the_same_on_both_sides_is_one_voice(tmp_path: Path) -> None:
    ffmpeg(tmp_path / "call.wav", "-i", f"file:{SAMPLE}", "-ac", "2", "-vn")
    found = load(tmp_path, "call.wav", CORPUS_CHANNELS="split")
    assert [channel.speaker for channel in found.channels] == [""]
    assert (found.degraded, found.notes) == ((), ("both channels hold the same: taken as one speaker",))


def test_a_track_that_was_passed_over_is_told(tmp_path: Path) -> None:
    """A silent one is a remark, one that its tags set aside a note."""
    silence = ("-f", "lavfi", "-i", "anullsrc=r=16000:cl=mono:d=10")
    maps = ("-map", "0:a", "-map", "1:a", "-c:a", "flac", "-metadata:s:a:1", "language=eng")
    ffmpeg(tmp_path / "silent.mkv", *silence, "-i", f"file:{SAMPLE}", *maps)
    ffmpeg(
        tmp_path / "aside.mkv",
        "-i",
        f"file:{SAMPLE}",
        "-i",
        f"file:{SAMPLE}",
        *maps,
        "-metadata:s:a:0",
        "title=Audio description",
    )
    for channels in ("mix", "split"):
        silent, aside = (
            load(tmp_path, name, CORPUS_CHANNELS=channels, SOURCE_LANGUAGE="en") for name in ("silent.mkv", "aside.mkv")
        )
        assert silent.degraded == ("audio track 0 is silent: track 1 was taken",)
        assert aside.degraded == ()
        assert aside.notes[0] == "audio track 0 is tagged visual_impaired or titled so: track 1 was taken"


@pytest.mark.parametrize("channels", [1, 6])
def test_mono_and_silence_in_every_channel_are_one_voice(channels: int, tmp_path: Path) -> None:
    wav(tmp_path / "a.wav", bytes(32_000 * channels), channels=channels)
    found = load(tmp_path, "a.wav", CORPUS_CHANNELS="split")
    assert [(channel.speaker, channel.windows) for channel in found.channels] == [("", ())]
    assert found.duration_ms == 1000


def test_each_of_four_channels_is_a_speaker_and_a_silent_one_is_told(tmp_path: Path) -> None:
    when = np.arange(len(speech())) // 32_000
    integers(tmp_path / "a.wav", *(np.where(when == number, speech(), 0) for number in range(3)), silence())
    found = load(tmp_path, "a.wav", CORPUS_CHANNELS="split")
    assert [(channel.speaker, len(channel.windows)) for channel in found.channels] == [("1", 1), ("2", 1), ("3", 1)]
    assert (found.degraded, found.notes) == ((), ("channel 4 is silent",))


@pytest.mark.parametrize(
    ("factors", "speakers", "remark"),
    [
        ((1, -1), [""], "both channels hold the same, one of them inverted: taken as one speaker"),
        ((0.8, 1), [""], "both channels hold the same: taken as one speaker"),
        ((1, -0.5, 1), [""], "channels 1, 2, 3 hold the same, one of them inverted: taken as one speaker"),
        ((0.7, 0, 1, 0), [""], "channels 2, 4 are silent; channels 1, 3 hold the same: taken as one speaker"),
    ],
)
def test_what_several_channels_hold_comes_once(
    factors: tuple[float, ...], speakers: list[str], remark: str, tmp_path: Path
) -> None:
    integers(tmp_path / "a.wav", *(factor * speech() for factor in factors))
    found = load(tmp_path, "a.wav", CORPUS_CHANNELS="split")
    assert [channel.speaker for channel in found.channels] == speakers
    assert "; ".join((*found.degraded, *found.notes)) == remark


def test_a_side_of_a_call_that_is_far_too_quiet_is_raised(tmp_path: Path) -> None:
    first = np.arange(len(speech())) < 64_000
    floats(tmp_path / "a.wav", np.where(first, speech(), 0), turned_down(np.where(first, 0, speech()), 60))
    found = load(tmp_path, "a.wav", CORPUS_CHANNELS="split")
    assert [(channel.speaker, len(channel.windows)) for channel in found.channels] == [("1", 1), ("2", 1)]
    assert found.degraded[0].startswith("channel 2 is very quiet (-")


def test_a_detector_begins_anew_with_every_recording(tmp_path: Path) -> None:
    loader = Loader(tmp_path, tmp_path, Settings())
    wav(tmp_path / "silence.wav", bytes(64_000))
    (tmp_path / "a.mp4").symlink_to(SAMPLE)
    alone = load(tmp_path, "a.mp4").channels[0].windows
    for name in ("a.mp4", "silence.wav", "a.mp4"):
        assert loaded(loader.load(task(name), PREPARATION)).channels[0].windows == (
            () if name == "silence.wav" else alone
        )


def test_takes_the_first_of_its_names_that_is_still_there(tmp_path: Path) -> None:
    wav(tmp_path / "b.wav", bytes(16_000))
    assert load(tmp_path, "a.wav", "b.wav").duration_ms == 500
    assert word_of(tmp_path, "c.wav", "d.wav") == Deferred("a", "not there, or changed since the scan")


def test_a_recording_that_is_not_as_the_scan_saw_it_is_put_off_and_a_copy_takes_its_place(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        wav(tmp_path / name, bytes(16_000))
    stamps = tuple(
        (status.st_size, status.st_mtime_ns) for status in ((tmp_path / name).stat() for name in ("a.wav", "b.wav"))
    )
    wav(tmp_path / "a.wav", bytes(32_000))
    loader = Loader(tmp_path, tmp_path, Settings())
    assert (
        loaded(
            loader.load(Task(id="1", paths=("a.wav", "b.wav"), stamps=stamps, duration_ms=500), PREPARATION)
        ).duration_ms
        == 500
    )
    assert isinstance(
        loader.load(Task(id="1", paths=("a.wav",), stamps=stamps[:1], duration_ms=500), PREPARATION), Deferred
    )


def test_what_is_foreseen_is_told_and_not_tried_again(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("this is no sound")
    ffmpeg(tmp_path / "short.flac", "-i", f"file:{SAMPLE}", "-vn")
    cut(tmp_path / "short.flac")
    for name, reason in (("text.wav", "is not a media file"), ("short.flac", "decoded ")):
        failed = word_of(tmp_path, name)
        assert isinstance(failed, Failed)
        assert failed.reason.startswith(reason)
        assert not failed.again
    allowed = load(tmp_path, "short.flac", ALLOW_TRUNCATED=True)
    assert 10_000 < allowed.duration_ms < 20_000
    assert allowed.degraded
    assert not any("short.flac" in line for line in allowed.degraded)


def test_what_is_odd_and_costs_nothing_is_a_note(tmp_path: Path) -> None:
    wav(tmp_path / "short-header.wav", bytes(16_000) + b"\1\0" * 8000, declared=16_000)
    told = load(tmp_path, "short-header.wav")
    assert (told.duration_ms, told.degraded) == (1000, ())
    assert told.notes == ("its header tells of 16,000 bytes of sound, and 32,000 are there: all of it was taken",)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(5, "Input/output error"), "cannot be read: Input/output error"),
        (IndexError("index 1"), "IndexError: index 1"),
        (MemoryError(), "MemoryError: "),
    ],
)
def test_what_is_not_foreseen_is_worth_another_attempt(
    error: Exception, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    wav(tmp_path / "a.wav", bytes(16_000))
    monkeypatch.setattr(media, "decode", fail)
    assert word_of(tmp_path, "a.wav") == Failed("a", reason, again=True)


def test_what_was_decoded_into_files_for_nothing_is_removed(tmp_path: Path) -> None:
    ffmpeg(tmp_path / "call.wav", "-i", f"file:{SAMPLE}", "-ac", "2", "-vn")
    ffmpeg(tmp_path / "short.flac", "-i", f"file:{SAMPLE}", "-vn")
    cut(tmp_path / "short.flac")
    (channel,) = load(tmp_path, "call.wav", duration_ms=LONG_MS + 1, CORPUS_CHANNELS="split").channels
    assert isinstance(word_of(tmp_path, "short.flac", duration_ms=LONG_MS + 1), Failed)
    assert not list(tmp_path.glob("a-*.wav"))  # both are task a: the second took what the first had left
    assert channel.file == tmp_path / "a-0.wav"


def test_a_full_disk_is_not_the_recordings_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "a.mp4").symlink_to(SAMPLE)
    monkeypatch.setattr(voices, "write_block", full)
    with pytest.raises(OSError, match="No space left"):
        word_of(tmp_path, "a.mp4", duration_ms=LONG_MS + 1)
    assert not list(tmp_path.glob("*.wav"))


@pytest.mark.parametrize("damage", [False, True])
def test_one_that_is_exchanged_while_it_is_read_is_put_off_also_under_its_old_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: bool
) -> None:
    path = wav(tmp_path / "a.wav", bytes(32_000))
    load, before = Loader._load, path.stat()

    def exchange(self: Loader, *arguments: Any) -> Loaded:
        found = load(self, *arguments)
        wav(path, b"\1" * 32_000)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        if damage:
            raise StageFailed("a.wav is cut short")
        return found

    monkeypatch.setattr(Loader, "_load", exchange)
    stamps = ((before.st_size, before.st_mtime_ns),)
    found = Loader(tmp_path, tmp_path, Settings()).load(
        Task(id="1", paths=("a.wav",), stamps=stamps, duration_ms=500), PREPARATION
    )
    assert found == Deferred("1", "changed while it was read")
