"""Recognise recordings, the windows of many together, and put each result into the store the moment its last
window is done."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import msgspec
from msgspec.structs import replace

from sutradhar.pipeline import languages
from sutradhar.pipeline.errors import is_unwritable
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.stages.alignment.bias import early_ms
from sutradhar.stages.alignment.edges import on_edges
from sutradhar.stages.corpus.recognise.files import Files
from sutradhar.stages.corpus.recognise.loading import Loaded, wants_edges
from sutradhar.stages.corpus.recognise.messages import Begun, Done, Event, Failed, Task, WindowsDone
from sutradhar.stages.corpus.recognise.prefetch import Prefetcher
from sutradhar.stages.corpus.results import Result, Store
from sutradhar.stages.recognisers.contract import AudioWindow, Recogniser, Recognition
from sutradhar.stages.recognisers.doubts import UNHEARD
from sutradhar.stages.recognisers.gaps import is_much, total_ms, unheard
from sutradhar.stages.recognisers.joins import segments_of_windows
from sutradhar.stages.recognisers.lyrics import without_lyrics
from sutradhar.stages.recognisers.phrases import mean_logprob
from sutradhar.stages.text.own_script import Letters, wrong_script_because
from sutradhar.stages.text.scripts import script_name
from sutradhar.stages.transcript import Likely, Music, Segment, Span, Transcript, Window

ALIVE_EVERY = 2.0  # seconds between two signs of life
WRITERS = 4  # threads, which wait for the disk more than they work: the recogniser must not wait with them
MAX_UNWRITTEN = 64  # recordings


@dataclass
class _Recording:
    """A recording without its sound, which only the windows in hand need."""

    task: Task
    duration_ms: int
    speech_ms: int
    degraded: tuple[str, ...]
    cause: str  # why nobody is heard in it
    notes: tuple[str, ...]
    windows: tuple[Window, ...]
    quiet: Mapping[str, Sequence[Span]]  # by speaker
    music: tuple[Music, ...]
    waiting: int  # windows that are not recognised yet
    recognitions: list[tuple[Window, Recognition]] = field(default_factory=list)
    seconds: float = 0.0  # share of the time that its windows took beside others


@dataclass(frozen=True)
class _InHand:
    """A window that is being recognised."""

    recording: _Recording
    window: Window
    length_ms: int
    began: float  # a value of `_SharedTime.begin`


class _SharedTime:
    """A clock that shares time out to the windows in hand, by their lengths: the shares add up to the time that went
    by, in whatever order windows end."""

    def __init__(self) -> None:
        self._in_hand = 0  # ms of sound
        self._seconds_a_ms = 0.0  # the share of anything in hand from the beginning
        self._last = time.monotonic()

    def begin(self, length_ms: int) -> float:
        """Begin a window, and return what to give back to `end`."""
        self._pass()
        self._in_hand += length_ms
        return self._seconds_a_ms

    def end(self, began: float, length_ms: int) -> float:
        """End a window, and return its seconds."""
        self._pass()
        self._in_hand -= length_ms
        return (self._seconds_a_ms - began) * length_ms

    def _pass(self) -> None:
        now = time.monotonic()
        if self._in_hand:
            self._seconds_a_ms += (now - self._last) / self._in_hand
        self._last = now


class Transcriber:
    def __init__(
        self,
        recogniser: Recogniser,
        settings: Settings,
        prefetcher: Prefetcher,
        store: Store,
        files: Files,
        tell: Callable[[Event], None],
    ) -> None:
        """Set up; `tell` is called from several threads."""
        self._recogniser, self._settings, self._prefetcher = recogniser, settings, prefetcher
        self._store, self._files, self._tell = store, files, tell
        self._in_hand: dict[int, _InHand] = {}
        self._windows_so_far = 0
        self._time = _SharedTime()
        self._writers, self._unwritten = ThreadPoolExecutor(WRITERS), deque[Future[None]]()

    def run(self, take: Callable[[], Task | None]) -> None:
        """Recognise everything that `take` gives, until it gives None. Raises what the recogniser raises, and
        OSError where nothing can be written."""

        def begin() -> Task | None:
            task = take()
            if task:
                self._tell(Begun(task.id))
            return task

        told = time.monotonic()
        try:
            for recognition in self._recogniser.recognise(self._windows(begin)):
                recording = self._take_in(recognition)
                if not recording.waiting:
                    self._finish(recording)
                elif time.monotonic() - told > ALIVE_EVERY:
                    told = time.monotonic()
                    done = len(recording.recognitions)
                    self._tell(WindowsDone(recording.task.id, done / (done + recording.waiting)))
        finally:
            self._wait_for_writers()

    def _windows(self, take: Callable[[], Task | None]) -> Iterator[AudioWindow]:
        language = None if self._settings.SOURCE_LANGUAGE == "auto" else languages.parse(self._settings.SOURCE_LANGUAGE)
        for loaded in self._prefetcher.run(take):
            if not isinstance(loaded, Loaded):
                self._tell(loaded)
                continue
            recording = _recording(loaded)
            if not recording.waiting:
                self._finish(recording)
            for channel in loaded.channels:
                for window, audio, prepared in channel.read():
                    number = self._windows_so_far = self._windows_so_far + 1
                    length_ms = max(1, window.end_ms - window.start_ms)
                    self._in_hand[number] = _InHand(recording, window, length_ms, self._time.begin(length_ms))
                    numbered = replace(window, id=number)
                    prompt = self._settings.WHISPER_INITIAL_PROMPT
                    yield AudioWindow.of(numbered, audio, language, prompt, prepared=prepared)

    def _take_in(self, recognition: Recognition) -> _Recording:
        window = self._in_hand.pop(recognition.window)
        recording = window.recording
        recording.seconds += self._time.end(window.began, window.length_ms)
        recording.recognitions.append((window.window, recognition))
        recording.waiting -= 1
        return recording

    # --- Results

    def _finish(self, recording: _Recording) -> None:
        """Have a recording written by a thread. Raises what writing an earlier one has raised."""
        self._unwritten.append(self._writers.submit(self._write, recording))
        while self._unwritten and (len(self._unwritten) > MAX_UNWRITTEN or self._unwritten[0].done()):
            self._unwritten.popleft().result()

    def _wait_for_writers(self) -> None:
        """Wait until all is written, even where some of it fails. Raises the worst error: that the disk is full."""
        errors = [error for future in self._unwritten if (error := future.exception())]
        self._unwritten.clear()
        if errors:
            raise next(filter(is_unwritable, errors), errors[0])

    def _on_edges(self, segments: tuple[Segment, ...], recording: _Recording) -> tuple[Segment, ...]:
        if not wants_edges(self._settings):
            return segments
        early = early_ms(self._settings.WHISPER_BACKEND, self._settings.WHISPER_MODEL)
        return on_edges(segments, recording.quiet, Span(0, recording.duration_ms), early)

    def _write(self, recording: _Recording) -> None:
        recognised = segments_of_windows(recording.recognitions)
        segments = self._on_edges(recognised, recording)
        language = _language(segments)
        lost = unheard(recording.windows, recognised)
        whole = Transcript(language, 0, recording.duration_ms, segments, music=recording.music)
        transcript, left_out = without_lyrics(whole, self._settings)
        result = Result(
            id=recording.task.id,
            status="done",
            attempts=recording.task.attempts + 1,
            duration_ms=recording.duration_ms,
            speech_ms=recording.speech_ms,
            language=language,
            avg_logprob=_avg_logprob([recognition for _, recognition in recording.recognitions]),
            segments=transcript.segments,
            music=transcript.music,
            seconds=round(recording.seconds, 4),
            degraded=(*recording.degraded, *_echoes(recording.recognitions), *_doubts(segments, recording)),
            notes=(*recording.notes, *left_out, *_omissions(segments, lost, recording)),
            unheard=lost,
        )
        try:
            self._store.write(result)
        except OSError as error:
            if is_unwritable(error):
                raise
            self._tell(Failed(result.id, f"its result could not be written ({error.strerror})"))
            return
        except msgspec.ValidationError:
            self._tell(Failed(result.id, "the model gave numbers for it that are none (NaN)", again=True))
            return
        remarks = self._files.write(result, recording.task.paths)
        self._tell(
            Done(
                result.id,
                attempts=result.attempts,
                degraded=result.degraded,
                notes=result.notes,
                remarks=tuple(remarks),
            )
        )


def _recording(loaded: Loaded) -> _Recording:
    windows = tuple(window for channel in loaded.channels for window in channel.windows)
    return _Recording(
        task=loaded.task,
        duration_ms=loaded.duration_ms,
        speech_ms=sum(total_ms(window.speech) for window in windows),
        degraded=loaded.degraded,
        cause=loaded.cause,
        notes=loaded.notes,
        windows=windows,
        quiet={channel.speaker: channel.quiet for channel in loaded.channels},
        music=loaded.music,
        waiting=len(windows),
    )


def _omissions(segments: tuple[Segment, ...], lost: Sequence[Likely], recording: _Recording) -> list[str]:
    return [UNHEARD] if segments and is_much(lost, recording.windows) else []


def _language(segments: tuple[Segment, ...]) -> str:
    speech = Counter[str]()
    for segment in segments:
        speech[segment.language] += segment.end_ms - segment.start_ms
    return speech.most_common(1)[0][0] if speech else ""


def _echoes(recognitions: list[tuple[Window, Recognition]]) -> list[str]:
    echoed = any(recognition.lost_its_prompt for _, recognition in recognitions)
    return ["the prompt (WHISPER_INITIAL_PROMPT, GLOSSARY) came back as text: heard again without it"] if echoed else []


def _doubts(segments: tuple[Segment, ...], recording: _Recording) -> list[str]:
    """Return what a person should know of a text before they trust it: the same line for each, so that they can be
    counted."""
    if not segments:
        return [
            f"no speech was found: {recording.cause}"
            if recording.cause
            else "no words were made out where speech was found"
        ]
    letters = Letters(segments)
    if not letters.doubt:
        return []
    return [f"much of its text is not in {script_name(letters.language)}: {wrong_script_because(letters.language)}"]


def _avg_logprob(recognitions: list[Recognition]) -> float:
    weights = [(recognition, _pieces(recognition)) for recognition in recognitions if recognition.text]
    total = sum(pieces for _, pieces in weights)
    return round(sum(mean_logprob(one) * pieces for one, pieces in weights) / total, 4) if total else 0.0


def _pieces(recognition: Recognition) -> int:
    """Count what the text is made of, and its end: Whisper's tokens, or words."""
    return 1 + (len(recognition.whisper.tokens) if recognition.whisper else sum(map(len, recognition.phrases)))
