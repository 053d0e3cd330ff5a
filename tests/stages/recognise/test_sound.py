from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from pipeline import media
from pipeline.settings import Settings
from stages.recognise.messages import Task
from stages.recognise.sound import Ahead, Channel, Heard, Listener
from stages.transcript import Span, Window
from tests.conftest import ROOT
from tests.make_media import cut, ffmpeg, wav
from tests.stages.recognise.support import task

SAMPLE = ROOT / "samples" / "dialogue.mp4"
HALF_HOUR_MS = 1_800_000


def listen(folder: Path, *paths: str, **settings: object) -> Heard:
    return Listener(folder, Settings(**settings)).listen(Task(id="a", paths=paths, duration_ms=1000))  # type: ignore[arg-type]


# --- Listener


def test_hears_the_speech_of_a_recording_where_it_is() -> None:
    heard = listen(SAMPLE.parent, SAMPLE.name)
    (channel,) = heard.channels
    (window,) = channel.windows
    assert (heard.reason, heard.again, heard.degraded, heard.duration_ms, channel.speaker) == ("", False, (), 27_520, "")
    assert window.start_ms == pytest.approx(700, abs=300)
    assert window.end_ms == pytest.approx(26_740, abs=400)
    assert channel.samples.dtype == np.int16
    audio = channel.audio(window)
    assert audio.dtype == np.float32
    assert len(audio) == 16 * (window.end_ms - window.start_ms)
    assert audio[:100].tolist() == (channel.samples[16 * window.start_ms :][:100] / np.float32(32_768)).tolist()


def test_the_sides_of_a_call_are_heard_apart(tmp_path: Path) -> None:
    """The left one speaks in the first half, the right one in the second."""
    parts = "[0:a]aresample=16000,pan=mono|c0=c0,asplit[a][b];[a]volume=0:enable='gt(t,13.7)'[l];[b]volume=0:enable='lt(t,16.9)'[r]"
    call = ffmpeg(tmp_path / "call.wav", "-i", f"file:{SAMPLE}", "-filter_complex", f"{parts};[l][r]join=inputs=2:channel_layout=stereo", "-vn")
    left, right = listen(tmp_path, call.name, CORPUS_CHANNELS="split").channels
    assert (left.speaker, right.speaker) == ("1", "2")
    assert [(window.start_ms // 5000, window.end_ms // 5000) for window in (*left.windows, *right.windows)] == [(0, 2), (3, 5)]
    assert not left.samples[16 * 14_000 :].any()
    assert not right.samples[: 16 * 16_500].any()
    (mixed,) = listen(tmp_path, call.name).channels
    assert (mixed.speaker, [(window.start_ms // 5000, window.end_ms // 5000) for window in mixed.windows]) == ("", [(0, 5)])


def test_a_call_with_the_same_on_both_sides_is_one_voice(tmp_path: Path) -> None:
    ffmpeg(tmp_path / "call.wav", "-i", f"file:{SAMPLE}", "-ac", "2", "-vn")
    heard = listen(tmp_path, "call.wav", CORPUS_CHANNELS="split")
    assert [channel.speaker for channel in heard.channels] == [""]
    assert heard.degraded == ("both channels hold the same: taken as one speaker",)


@pytest.mark.parametrize("channels", [1, 6])
def test_what_is_not_stereo_is_one_voice(channels: int, tmp_path: Path) -> None:
    wav(tmp_path / "a.wav", bytes(32_000 * channels), channels=channels)
    heard = listen(tmp_path, "a.wav", CORPUS_CHANNELS="split")
    assert [(channel.speaker, channel.windows) for channel in heard.channels] == [("", ())]
    assert heard.duration_ms == 1000


def test_a_detector_begins_anew_with_every_recording(tmp_path: Path) -> None:
    listener = Listener(tmp_path, Settings())
    wav(tmp_path / "silence.wav", bytes(64_000))
    (tmp_path / "a.mp4").symlink_to(SAMPLE)
    alone = listen(tmp_path, "a.mp4").channels[0].windows
    for name in ("a.mp4", "silence.wav", "a.mp4"):
        assert listener.listen(task(name)).channels[0].windows == (() if name == "silence.wav" else alone)


def test_takes_the_first_of_its_names_that_is_still_there(tmp_path: Path) -> None:
    wav(tmp_path / "b.wav", bytes(16_000))
    assert listen(tmp_path, "a.wav", "b.wav").duration_ms == 500
    gone = listen(tmp_path, "c.wav", "d.wav")
    assert (gone.reason, gone.put_off) == ("not there, or changed since the scan", True)


def test_a_recording_that_is_not_as_the_scan_saw_it_is_put_off_and_a_copy_takes_its_place(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        wav(tmp_path / name, bytes(16_000))
    stamps = tuple((status.st_size, status.st_mtime_ns) for status in ((tmp_path / name).stat() for name in ("a.wav", "b.wav")))
    wav(tmp_path / "a.wav", bytes(32_000))
    listener = Listener(tmp_path, Settings())
    assert listener.listen(Task(id="1", paths=("a.wav", "b.wav"), stamps=stamps, duration_ms=500)).duration_ms == 500
    assert listener.listen(Task(id="1", paths=("a.wav",), stamps=stamps[:1], duration_ms=500)).put_off


def test_what_is_foreseen_is_told_and_not_tried_again(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("this is no sound")
    ffmpeg(tmp_path / "short.flac", "-i", f"file:{SAMPLE}", "-vn")
    cut(tmp_path / "short.flac")
    for name, reason in (("text.wav", "text.wav"), ("short.flac", "short.flac")):
        heard = listen(tmp_path, name)
        assert reason in heard.reason
        assert (heard.again, heard.channels) == (False, ())
    allowed = listen(tmp_path, "short.flac", ALLOW_TRUNCATED=True)
    assert allowed.reason == ""
    assert 10_000 < allowed.duration_ms < 20_000
    assert allowed.degraded


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(5, "Input/output error"), "cannot be read: Input/output error"),
        (IndexError("index 1"), "IndexError: index 1"),
        (MemoryError(), "MemoryError: "),
    ],
)
def test_what_is_not_foreseen_is_worth_another_attempt(error: Exception, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    wav(tmp_path / "a.wav", bytes(16_000))
    monkeypatch.setattr(media, "decode", fail)
    heard = listen(tmp_path, "a.wav")
    assert (heard.reason, heard.again) == (reason, True)


def test_a_channel_gives_what_a_window_spans() -> None:
    channel = Channel("", np.arange(16 * 10, dtype=np.int16), ())
    assert (channel.audio(Window(0, 3, 5, (Span(3, 5),))) * 32_768).tolist() == list(range(48, 80))


# --- Ahead


class Slow:
    """Recordings that are listened to one by one, when they are let."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.let = threading.Event()
        self.changed = threading.Condition()

    def listen(self, task: Task) -> Heard:
        with self.changed:
            self.begun.append(task.paths[0])
            self.changed.notify_all()
        self.let.wait(20)
        return Heard(task)


def ahead_of(durations_ms: list[int], most: int) -> int:
    """How many recordings are taken before the first is asked for a second time."""
    tasks = iter([task(str(number), duration) for number, duration in enumerate(durations_ms)])
    taken: list[Task] = []

    def take() -> Task | None:
        taken.extend(one := [task for task in [next(tasks, None)] if task])
        return one[0] if one else None

    running = Ahead(Heard, 2, most).run(take)
    next(running)
    return len(taken)


def test_recordings_come_in_their_order_whoever_is_ready_first() -> None:
    let = threading.Event()

    def listen(task: Task) -> Heard:
        if task.paths == ("a",):
            assert let.wait(20)
        else:
            let.set()
        return Heard(task)

    tasks = iter([task(name) for name in "abc"])
    assert [heard.task.paths[0] for heard in Ahead(listen, 2, 3).run(lambda: next(tasks, None))] == ["a", "b", "c"]


def test_looks_so_many_recordings_ahead_and_no_more() -> None:
    assert ahead_of([1000] * 50, most=8) == 8
    assert ahead_of([1000] * 5, most=8) == 5


def test_looks_half_an_hour_ahead_and_no_more_but_two_at_least() -> None:
    assert ahead_of([HALF_HOUR_MS // 3] * 50, most=8) == 3
    assert ahead_of([HALF_HOUR_MS * 3] * 50, most=8) == 2


def test_listens_on_so_many_threads_while_nobody_asks() -> None:
    slow = Slow()
    tasks = iter([task(name) for name in "abcdef"])
    running = Ahead(slow.listen, 2, 4).run(lambda: next(tasks, None))
    first = threading.Thread(target=next, args=(running,), daemon=True)
    first.start()
    with slow.changed:
        assert slow.changed.wait_for(lambda: len(slow.begun) == 2, 20)
    assert slow.begun == ["a", "b"]
    slow.let.set()
    first.join(20)
    with slow.changed:
        assert slow.changed.wait_for(lambda: len(slow.begun) == 4, 20)
    assert [heard.task.paths[0] for heard in running] == ["b", "c", "d", "e", "f"]


def test_goes_on_with_what_comes_later() -> None:
    tasks = [task("a")]
    ahead = Ahead(Heard, 1, 4)
    assert len(list(ahead.run(lambda: tasks.pop() if tasks else None))) == 1
    tasks.append(task("b"))
    assert [heard.task.paths[0] for heard in ahead.run(lambda: tasks.pop() if tasks else None)] == ["b"]
