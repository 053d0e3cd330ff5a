from __future__ import annotations

import errno
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path

import msgspec
import numpy as np
import pytest

from sutradhar.pipeline.errors import StoreClosed
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.stages.corpus import results
from sutradhar.stages.corpus.recognise import transcriber
from sutradhar.stages.corpus.recognise.files import Files
from sutradhar.stages.corpus.recognise.loading import Channel, Loaded, WindowSound
from sutradhar.stages.corpus.recognise.messages import Begun, Deferred, Done, Ended, Event, Failed, Task, WindowsDone
from sutradhar.stages.corpus.recognise.prefetch import Prefetcher
from sutradhar.stages.corpus.recognise.transcriber import Transcriber
from sutradhar.stages.corpus.results import Result, Store
from sutradhar.stages.recognisers.contract import AudioWindow, Recognition, WhisperScores
from sutradhar.stages.recognisers.contract import LanguageGuess as Languages
from sutradhar.stages.recognisers.doubts import UNHEARD
from sutradhar.stages.transcript import Likely, Span, Window, Word
from tests.stages.corpus.recognise.support import sha, task


class Fake:
    """Says of a window what its samples are. Takes `batch` windows at a time, and answers the last first."""

    def __init__(self, batch: int) -> None:
        self.batch = batch
        self.engine: dict[str, str] = {}
        self.packages: tuple[str, ...] = ()
        self.preparation = None
        self.degraded: list[str] = []
        self.windows: list[AudioWindow] = []
        self.logprobs = [-0.5]
        self.languages = ["en"]
        self.word = ""  # instead of the samples
        self.echoed = False
        self.is_whisper = True

    def recognise(self, windows: Iterable[AudioWindow]) -> Iterator[Recognition]:
        stream = iter(windows)
        while batch := list(islice(stream, self.batch)):
            self.windows += batch
            yield from (self.answer(window) for window in reversed(batch))

    def answer(self, window: AudioWindow) -> Recognition:
        value = round(float(window.audio[0]) * 32_768)
        if value == 13:
            raise RuntimeError("CUDA error")
        turn = value % len(self.logprobs)
        language = self.languages[turn % len(self.languages)]
        said = self.word or f"{value}."
        words = (Word(said, window.offset_ms, window.end_ms, 0.9),) if value else ()
        text, phrases = said if value else "", (words,) if words else ()
        scores = WhisperScores(tuple(range(value % 10)), self.logprobs[turn], 0.0, 1.0, 0.0)
        return Recognition(
            window.id,
            text,
            language,
            1.0,
            phrases,
            0.5,
            echoed=self.echoed,
            whisper=scores if self.is_whisper else None,
        )

    def knows(self, language: str) -> bool:
        return True

    def detect_languages(self, windows: Sequence[AudioWindow]) -> list[Languages]:
        raise NotImplementedError


def channel(*values: int, speaker: str = "", start_ms: int = 0, step_ms: int = 1000) -> Channel:
    """Sound of a second for each value, a window each."""
    begins = [start_ms + step_ms * number for number in range(len(values))]
    windows = tuple(
        Window(number, begin, begin + 1000, (Span(begin, begin + 1000),), speaker=speaker)
        for number, begin in enumerate(begins)
    )
    return Channel(speaker, windows, tuple(WindowSound(np.full(16_000, value, np.int16), value) for value in values))


class Room:
    """A transcriber, what it is given to hear, and what it tells."""

    def __init__(
        self,
        tmp_path: Path,
        recordings: dict[str, Sequence[Channel] | str],
        batch: int = 4,
        attempts: int = 0,
        **settings: str,
    ) -> None:
        everything = Settings(**{"SOURCE_LANGUAGE": "en", "CORPUS_FORMATS": "txt", **settings})  # type: ignore[arg-type]
        self.tasks = [task(name, attempts=attempts) for name in recordings]
        self.recogniser, self.recordings = Fake(batch), recordings
        self.store, self.tree = Store(tmp_path / "results", {}), tmp_path
        self.store.create()
        self.threads = ThreadPoolExecutor(2)
        self.told: list[Event] = []
        self.told_before: dict[str, list[Event]] = {}  # a recording was listened to
        self.there: list[bool] = []  # whether of what was told done result and files were there
        prefetcher = Prefetcher(self, 8)
        self.transcriber = Transcriber(
            self.recogniser, everything, prefetcher, self.store, Files(self.tree, everything), self.tell
        )

    def run(self) -> None:
        tasks = iter(self.tasks)
        self.transcriber.run(lambda: next(tasks, None))

    def submit(self, task: Task) -> Future[Loaded | Failed | Deferred]:
        return self.threads.submit(self.load, task)

    def restart(self) -> None:
        raise NotImplementedError

    def load(self, task: Task) -> Loaded | Failed:
        what = self.recordings[task.paths[0]]
        self.told_before[task.paths[0]] = self.told.copy()
        cause = "" if any(one.windows for one in what if isinstance(one, Channel)) else "digital silence"
        return (
            Failed(task.id, what, again=True)
            if isinstance(what, str)
            else Loaded(task, tuple(what), 9000, ("cut short",), cause)
        )

    def tell(self, event: Event) -> None:
        self.told.append(event)
        if isinstance(event, Done):
            self.there.append(event.id in self.store.ids() and (self.tree / f"{self.ended[-1]}.txt").is_file())

    def text(self, name: str) -> str:
        return (self.tree / f"{name}.txt").read_text().replace("\n", " ").strip()

    def result(self, name: str) -> Result:
        result = self.store.read(sha(name))
        assert result
        return result

    @property
    def ended(self) -> list[str]:
        return [bytes.fromhex(event.id).rstrip(b"\0").decode() for event in self.told if isinstance(event, Ended)]


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_every_word_lands_in_its_own_file_in_order(batch: int, tmp_path: Path) -> None:
    room = Room(tmp_path, {"a": [channel(1, 2)], "b": [channel(3)], "c": [channel(4, 5, 6)], "d": [channel(7)]}, batch)
    room.run()
    assert [room.text(name) for name in "abcd"] == ["1. 2.", "3.", "4. 5. 6.", "7."]
    starts = [segment.start_ms for segment in room.result("c").segments]
    assert starts == [45, 1045, 2045]  # without the bias of the recogniser's times
    assert [segment.id for segment in room.result("c").segments] == [0, 1, 2]


def test_a_result_is_there_the_moment_its_last_window_is_done(tmp_path: Path) -> None:
    room = Room(
        tmp_path, {"a": [channel(1)], "long": [channel(2, 3, 4)], "b": [channel(5)], "c": [channel(6)]}, batch=3
    )
    room.run()
    assert sorted(room.ended) == ["a", "b", "c", "long"]
    assert room.there == [True] * 4


def test_a_recording_is_told_begun_before_it_is_listened_to(tmp_path: Path) -> None:
    room = Room(tmp_path, {"a": [channel(1)]})
    room.run()
    assert room.told_before == {"a": [Begun(sha("a"))]}


def test_where_nobody_speaks_the_result_is_empty(tmp_path: Path) -> None:
    room = Room(tmp_path, {"silence": [channel()], "noise": [channel(0)], "a": [channel(1)]})
    room.run()
    assert sorted(room.ended) == ["a", "noise", "silence"]
    for name in ("silence", "noise"):
        assert (
            room.text(name),
            room.result(name).segments,
            room.result(name).language,
            room.result(name).avg_logprob,
        ) == ("", (), "", 0.0)
    assert (room.result("silence").speech_ms, room.result("noise").speech_ms) == (0, 1000)
    assert room.result("silence").degraded == ("cut short", "no speech was found: digital silence")
    assert room.result("noise").degraded == ("cut short", "no words were made out where speech was found")


def test_a_recording_that_cannot_be_heard_costs_no_other(tmp_path: Path) -> None:
    room = Room(tmp_path, {"a": [channel(1)], "bad": "cut short", "b": [channel(2)]})
    room.run()
    assert Failed(sha("bad"), "cut short", again=True) in room.told
    assert room.store.ids() == {sha("a"), sha("b")}


def test_the_sides_of_a_call_are_told_apart_in_the_order_of_time(tmp_path: Path) -> None:
    left, right = channel(1, 3, speaker="1", step_ms=2000), channel(2, 4, speaker="2", start_ms=1000, step_ms=2000)
    room = Room(tmp_path, {"call": [left, right]})
    room.run()
    assert room.text("call") == "1: 1. 2: 2. 1: 3. 2: 4."
    assert [segment.id for segment in room.result("call").segments] == [0, 1, 2, 3]
    assert room.result("call").speech_ms == 4000


def test_a_recogniser_without_whispers_scores_has_a_result_too(tmp_path: Path) -> None:
    room = Room(tmp_path, {"a": [channel(1, 2)]})
    room.recogniser.is_whisper = False
    room.run()
    assert room.result("a").avg_logprob == -0.6931  # of a confidence of 0.5
    assert [segment.no_speech_prob for segment in room.result("a").segments] == [None, None]


def test_what_is_known_of_a_result(tmp_path: Path) -> None:
    room = Room(tmp_path, {"a": [channel(1, 2, 4)]}, attempts=1)
    room.recogniser.logprobs, room.recogniser.languages = [-1.0, -0.1], ["hi", "en"]
    room.run()
    result = room.result("a")
    assert (result.status, result.attempts, result.duration_ms, result.speech_ms, result.degraded) == (
        "done",
        2,
        9000,
        3000,
        ("cut short",),
    )
    assert result.language == "hi"  # two windows of three
    assert result.avg_logprob == pytest.approx(
        (2 * -0.1 + 3 * -1.0 + 5 * -1.0) / 10
    )  # by tokens, and one more for the end
    assert room.told[-1] == Done(sha("a"), attempts=2, degraded=("cut short",))


def test_who_begins_at_once_with_the_other_comes_in_the_order_of_the_channels(tmp_path: Path) -> None:
    room = Room(tmp_path, {"call": [channel(1, speaker="1"), channel(2, speaker="2")]})
    room.run()
    assert room.text("call") == "1: 1. 2: 2."


@pytest.mark.parametrize(("language", "expected"), [("hi", "hi"), ("auto", None)])
def test_windows_carry_the_language_and_the_prompt(language: str, expected: str | None, tmp_path: Path) -> None:
    room = Room(tmp_path, {"a": [channel(1, 2)]}, SOURCE_LANGUAGE=language, WHISPER_INITIAL_PROMPT="राज")
    room.run()
    assert [
        (window.language, window.prompt, window.offset_ms, len(window.audio)) for window in room.recogniser.windows
    ] == [
        (expected, "राज", 0, 16_000),
        (expected, "राज", 1000, 16_000),
    ]


def test_a_recording_of_many_windows_tells_how_far_it_has_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcriber, "ALIVE_EVERY", -1.0)
    room = Room(tmp_path, {"a": [channel(1, 2, 3, 4)]}, batch=1)
    room.run()
    assert [event for event in room.told if isinstance(event, WindowsDone)] == [
        WindowsDone(sha("a"), share) for share in (0.25, 0.5, 0.75)
    ]


def test_what_the_recogniser_raises_comes_through_and_what_was_done_stays(tmp_path: Path) -> None:
    room = Room(tmp_path, {"a": [channel(1)], "poison": [channel(13)], "b": [channel(2)]}, batch=1)
    with pytest.raises(RuntimeError, match="CUDA error"):
        room.run()
    assert (room.ended, room.store.ids()) == (["a"], {sha("a")})


def test_the_recogniser_does_not_wait_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(tmp_path, {name: [channel(1)] for name in "abcd"}, batch=1)
    all_heard = threading.Event()
    answer, write = room.recogniser.answer, room.store.write

    def answer_and_look(window: AudioWindow) -> Recognition:
        if len(room.recogniser.windows) == 4:
            all_heard.set()
        return answer(window)

    def write_slowly(result: Result) -> None:
        assert all_heard.wait(20)
        write(result)

    monkeypatch.setattr(room.recogniser, "answer", answer_and_look)
    monkeypatch.setattr(room.store, "write", write_slowly)
    room.run()
    assert sorted(room.ended) == ["a", "b", "c", "d"]


def test_no_more_waits_for_a_slow_disk_than_memory_has_room_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcriber, "MAX_UNWRITTEN", 2)
    monkeypatch.setattr(transcriber, "WRITERS", 1)
    room = Room(tmp_path, {name: [channel(1)] for name in "abcdefgh"}, batch=1)
    write, heard_more = room.store.write, []

    def write_slowly(result: Result) -> None:
        time.sleep(0.02)
        heard_more.append(len(room.recogniser.windows) - len(room.store.ids()))
        write(result)

    monkeypatch.setattr(room.store, "write", write_slowly)
    room.run()
    assert max(heard_more) <= 4  # two waiting, one being written, one being heard
    assert len(room.ended) == 8


def test_what_fails_to_be_written_costs_no_other_and_the_full_disk_is_what_is_raised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room(tmp_path, {name: [channel(1)] for name in "abcdefgh"}, batch=8)
    write = room.store.write
    errors = {
        sha("a"): OSError(errno.EACCES, "Permission denied"),
        sha("d"): OSError(errno.ENOSPC, "No space"),
        sha("g"): RuntimeError("odd"),
    }

    def write_or_not(result: Result) -> None:
        if result.id in errors:
            raise errors[result.id]
        time.sleep(0.02)
        write(result)

    monkeypatch.setattr(room.store, "write", write_or_not)
    monkeypatch.setattr(transcriber, "MAX_UNWRITTEN", 100)
    with pytest.raises(OSError, match="No space"):
        room.run()
    assert room.store.ids() == {sha(name) for name in "bcefh"}
    assert [event for event in room.told if isinstance(event, Failed)] == [
        Failed(sha("a"), "its result could not be written (Permission denied)")
    ]
    assert sha("a") not in {event.id for event in room.told if isinstance(event, Done)}


def test_a_store_that_takes_nothing_ends_the_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(tmp_path, {name: [channel(1)] for name in "abcdefgh"}, batch=1)
    monkeypatch.setattr(results, "write_whole", closed)
    with pytest.raises(StoreClosed, match=r"^Results cannot be written any more: .*Stale file handle"):
        room.run()
    assert room.store.ids() == set()


def closed(path: Path, data: bytes, *, sync: bool) -> None:
    raise OSError(errno.ESTALE, "Stale file handle", str(path))


def test_a_result_whose_numbers_are_none_is_a_failure(tmp_path: Path) -> None:
    room = Room(tmp_path, {"a": [channel(1)], "b": [channel(2)]}, batch=1)
    room.recogniser.logprobs = [-0.5, float("nan")]  # by turns
    room.run()
    assert room.store.ids() == {sha("b")}
    assert [event for event in room.told if isinstance(event, Failed)] == [
        Failed(sha("a"), "the model gave numbers for it that are none (NaN)", again=True)
    ]


def test_a_text_in_another_script_than_its_languages_is_doubted(tmp_path: Path) -> None:
    room = Room(tmp_path, {"a": [channel(1)]})
    room.recogniser.languages, room.recogniser.word = ["hi"], "नमस्ते" * 20
    room.run()
    few = Room(tmp_path / "few", {"a": [channel(1)]})
    few.recogniser.languages, few.recogniser.word = ["hi"], "Okay, thank you."
    few.run()
    other = Room(tmp_path / "other", {"a": [channel(1)]})
    other.recogniser.languages, other.recogniser.word = ["hi"], "namaste" * 20
    other.run()
    assert (room.result("a").degraded, few.result("a").degraded) == (("cut short",), ("cut short",))
    urdu = Room(tmp_path / "urdu", {"a": [channel(1)]})
    urdu.recogniser.languages, urdu.recogniser.word = ["hi"], "شکریہ"
    urdu.run()
    assert (
        urdu.result("a").degraded[1:]
        == other.result("a").degraded[1:]
        == ("much of its text is not in Devanagari: the model is too small for the language (hi), or it is another",)
    )


def test_a_prompt_that_came_back_as_text_is_told_of(tmp_path: Path) -> None:
    room = Room(tmp_path, {"a": [channel(1)]})
    room.recogniser.echoed = True
    room.run()
    assert room.result("a").degraded[1:] == (
        "the prompt (WHISPER_INITIAL_PROMPT, GLOSSARY) came back as text: heard again without it",
    )


def test_runs_again_with_what_came_later(tmp_path: Path) -> None:
    room = Room(tmp_path, {"a": [channel(1)], "b": [channel(2)]})
    for one in room.tasks:
        tasks = iter([one])
        room.transcriber.run(lambda tasks=tasks: next(tasks, None))  # type: ignore[misc]
    assert [room.text(name) for name in "ab"] == ["1.", "2."]
    assert len({window.id for window in room.recogniser.windows}) == 2


def test_likely_speech_without_words_is_kept_and_told_where_it_is_much(tmp_path: Path) -> None:
    whole = channel(1)
    (window,) = whole.windows
    missing = replace(whole, windows=(msgspec.structs.replace(window, likely=(Likely(0, 4500, 0.7),)),))
    room = Room(tmp_path, {"much": [missing], "all well": [whole]})
    room.run()
    assert room.result("much").unheard == (Likely(1150, 4500, 0.7),)
    assert room.result("much").notes == (UNHEARD,)
    assert (room.result("all well").unheard, room.result("all well").notes) == ((), ())
