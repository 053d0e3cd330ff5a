"""`load` and `Model`: a recogniser in this process, and the files that go through it."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal

from msgspec.structs import replace as replaced

from sutradhar.choice import Wishes, choose
from sutradhar.pipeline import languages
from sutradhar.pipeline.errors import SutradharError, UsageError
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.jobs.stage import ModelNeed
from sutradhar.pipeline.machine import engines
from sutradhar.pipeline.models import library
from sutradhar.pipeline.workspace import Workspace
from sutradhar.recording import Excerpt, OpenRecording, floats_of, open_recording, part
from sutradhar.result import Transcript
from sutradhar.stages import transcript as table
from sutradhar.stages.alignment import edges
from sutradhar.stages.alignment.bias import early_ms
from sutradhar.stages.recognisers.contract import AudioWindow, Recogniser, Recognition, Waiting
from sutradhar.stages.recognisers.doubts import doubts, echoes, omissions
from sutradhar.stages.recognisers.gaps import unheard
from sutradhar.stages.recognisers.joins import segments_of_windows
from sutradhar.stages.recognisers.lyrics import without_lyrics
from sutradhar.stages.recognisers.opening import open_recogniser
from sutradhar.stages.recognisers.voting import FilmLanguage, language_of
from sutradhar.stages.sound import hearing, yamnet
from sutradhar.stages.sound.hearing import Ears
from sutradhar.stages.sound.silero import Detector
from sutradhar.stages.sound.windows import WINDOW_MS
from sutradhar.stages.transcript import Span

if TYPE_CHECKING:
    from sutradhar.recording import Array, Media

log = logging.getLogger("sutradhar")
Progress = Callable[[float, float], object]
SAMPLES_PER_MS = 16
MIN_ROUND = 32  # windows that vote before they are recognised together, where the language is to be found


def load(
    model: str = "auto",
    *,
    backend: str = "auto",
    device: str = "auto",
    compute_type: str = "auto",
    batch_size: int | Literal["auto"] = "auto",
    max_memory_gb: float | None = None,
    models_dir: str | Path | None = None,
    offline: bool = False,
    settings: Mapping[str, object] | None = None,
) -> Model:
    """Load a recogniser, once, and return it.

    `model` is a size ("base", "large-v3"), a hub id, a folder, or "auto": the best one for this machine that is
    here. It is looked for in `models_dir` (default: models/ of SUTRADHAR_HOME) and in the hub's cache, then
    fetched, unless `offline`. `backend` ("whisperx", "mlx"), `device` ("cpu", "cuda", "mps"), `compute_type`
    ("int8", "float16" ...) and `batch_size` (windows of 30 s decoded at once) are chosen for this machine where
    they are "auto". `max_memory_gb` bounds what the model and its batch may take of the device's memory, in GB of
    2**30 bytes. `settings` has any other setting of docs/settings.md by its name, such as {"WHISPER_BEAM_SIZE": 1};
    SOURCE_LANGUAGE and WHISPER_INITIAL_PROMPT are the language and the prompt of calls that name none.

    Raises UsageError where the machine, a name or a model will not do, and says what does.
    """
    asked = Wishes(model, backend, device, compute_type, batch_size, max_memory_gb, offline)
    folder = Path(models_dir).expanduser().resolve() if models_dir else Workspace.find().models
    return Model(choose(asked, folder, {name: str(value) for name, value in (settings or {}).items()}), folder)


@dataclass
class _Heard:
    """A recording, its language, and what was recognised of it so far."""

    recording: OpenRecording
    language: FilmLanguage
    done: dict[int, Recognition] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        return len(self.done) == len(self.recording.windows)


class _InUse:
    """The recordings that a call has opened and not finished; they are closed when it ends."""

    def __init__(self) -> None:
        self._recordings: list[OpenRecording] = []

    def take(self, recording: OpenRecording) -> OpenRecording:
        self._recordings = [*(one for one in self._recordings if one.sounds), recording]
        return recording

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for recording in self._recordings:
            recording.close()


@dataclass(frozen=True)
class _Job:
    """The wishes of one call."""

    language: str | None  # None: found by a vote of each recording's windows
    prompt: str
    translate: bool
    part: Excerpt
    progress: Progress = lambda done, total: None


class Model:
    """A recogniser that is loaded. `load` makes it; use it in a `with` block, or call `close`, to give its memory back.

    One call at a time uses it: calls from other threads wait. It takes no signals and needs no event loop, so it
    works in notebooks, in threads, and inside `asyncio.to_thread`.
    """

    def __init__(self, settings: Settings, models_dir: Path) -> None:
        edges.check(settings.ALIGNMENT_MODEL)
        self.settings = settings
        self._models = models_dir
        self._lock = threading.Lock()
        self._user = 0  # the thread that holds the lock
        self._ears: Ears | None = None
        self._translates = False
        self._recogniser: Recogniser | None = None
        self._opened(translate=False)
        self._ears = self._listening()  # its library takes a second to import, which no call shall wait for

    def __repr__(self) -> str:
        engine = self._recogniser.engine if self._recogniser else {"model": f"{self.settings.WHISPER_MODEL}, closed"}
        return f"<sutradhar.Model {', '.join(engine.values())}>"

    def __enter__(self) -> Model:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the model and its memory. A call after it loads the model again."""
        self._recogniser = self._ears = None

    # --- Calls

    def transcribe(
        self,
        media: Media,
        *,
        language: str | None = None,
        prompt: str | None = None,
        translate: bool = False,
        start: str | float = 0,
        end: str | float | None = None,
        track: int | str | None = None,
        channels: Literal["mix", "split"] = "mix",
        progress: Progress | None = None,
    ) -> Transcript:
        """Transcribe one film or recording.

        `media` is a path, or an array of sound: shape (samples,), 16 kHz, mono, floats from -1 to 1 or int16.
        `language` is the one spoken ("hi", "Hindi"); with "auto", or None where no setting names it, windows from all
        over the file vote. `prompt` steers spelling: names, terms. With `translate` the result's `translation` is in
        English.
        `start` and `end` (seconds, or "HH:MM:SS.mmm") bound the part that is worked on; times stay the file's. Of a
        file, `track` is the number or the language of the audio track, `channels="split"` takes each channel as a
        speaker. `progress(done_seconds, total_seconds)` is called in this thread, in seconds of the file; the first
        call comes when the sound has been taken out. Sound of any length is read a window at a time.

        Raises UsageError and StageFailed for media that cannot be read, CannotTranslate where the model cannot,
        SutradharError where recognition fails, and KeyboardInterrupt.
        """
        job = self._job(language, prompt, translate, start, end, track, channels, progress)
        (result,) = self._results([media], job, "raise")
        return result

    def transcribe_many(
        self,
        media: Iterable[Media],
        *,
        language: str | None = None,
        prompt: str | None = None,
        translate: bool = False,
        track: int | str | None = None,
        channels: Literal["mix", "split"] = "mix",
        on_error: Literal["raise", "return"] = "raise",
    ) -> Generator[Transcript, None, None]:
        """Transcribe many files, and yield each transcript as it is done, in any order; its `path` says which it is.

        Windows of several files are decoded together, and the next file is read while one is recognised. With
        `on_error="return"` a file that cannot be read gives a transcript with an `error` and without segments, and
        costs no other; "raise" ends with the first. Everything else is as in `transcribe`.
        """
        if isinstance(media, (str, os.PathLike)):
            raise UsageError(f"transcribe_many takes a list: give [{str(media)!r}]; for one file there is transcribe")
        if on_error not in ("raise", "return"):
            raise UsageError(f"on_error={on_error!r}: it is 'raise' or 'return'")
        return self._results(media, self._job(language, prompt, translate, 0, None, track, channels, None), on_error)

    def recognise(
        self,
        windows: Iterable[AudioWindow | Array],
        *,
        language: str | None = None,
        prompt: str | None = None,
    ) -> Iterator[Recognition]:
        """Recognise windows of sound, and yield each result as it is done, in any order; its `window` is the
        window's id.

        A window is an array of at most 30 s, shape (samples,), 16 kHz, mono, floats from -1 to 1 or int16, whose id
        is its place from 0 on; or an `AudioWindow`, which has an id, an offset, a language and a prompt of its own. The
        iterator is read only as far as is needed to keep the recogniser busy; where it yields `NOTHING_YET`, what is
        done is given back and what is there is begun. Raises UsageError for sound that is too long, holds no numbers or
        is of another shape or type, and for an unknown language, and SutradharError where recognition fails.
        """
        code, names = self._spoken(language), self._steering(prompt)
        with self._alone():
            recogniser = self._opened(translate=False, language=code)
            ids = itertools.count()
            yield from recogniser.recognise(
                window if isinstance(window, Waiting) else self._window(next(ids), window, code, names, recogniser)
                for window in windows
            )

    def _window(
        self,
        number: int,
        window: AudioWindow | Array,
        language: str | None,
        prompt: str,
        recogniser: Recogniser,
    ) -> AudioWindow:
        audio = floats_of(window.audio if isinstance(window, AudioWindow) else window)
        length_ms = len(audio) // SAMPLES_PER_MS
        if not isinstance(window, AudioWindow):
            window = AudioWindow(number, 0, audio, (Span(0, length_ms),), language, prompt)
        if length_ms > WINDOW_MS:
            raise UsageError(
                f"Window {window.id} lasts {length_ms / 1000:.1f} s; "
                "recognise takes 30 s at most, transcribe takes any sound"
            )
        spoken = self._spoken(window.language or "auto")
        self._check_known(spoken, recogniser)
        return replace(window, audio=audio, language=spoken, translated=False)

    # --- From files to transcripts

    def _spoken(self, language: str | None) -> str | None:
        """Return the code of the language that a call or else a setting names; None for one that is to be found."""
        name = self.settings.SOURCE_LANGUAGE if language is None else str(language)
        return None if name in ("", "auto") else languages.parse(name)

    def _steering(self, prompt: str | None) -> str:
        return self.settings.WHISPER_INITIAL_PROMPT if prompt is None else prompt

    def _job(
        self,
        language: str | None,
        prompt: str | None,
        translate: bool,
        start: str | float,
        end: str | float | None,
        track: int | str | None,
        channels: str,
        progress: Progress | None,
    ) -> _Job:
        code = self._spoken(language)
        return _Job(
            code,
            self._steering(prompt),
            translate,
            part(start, end, track, channels, code or "auto"),
            progress or (lambda done, total: None),
        )

    def _results(self, sources: Iterable[Media], job: _Job, on_error: str) -> Generator[Transcript, None, None]:
        opened = _InUse()
        with self._alone(), opened, contextlib.closing(self._recordings(sources, job.part, opened)) as recordings:
            recogniser = self._opened(translate=job.translate, language=job.language)
            ended: deque[OpenRecording] = deque()  # recordings without anything to recognise
            readable = _readable(recordings, ended, on_error)
            for heard in self._rounds(readable, job, recogniser):
                for item in self._recognised(heard, job, recogniser):
                    yield self._transcript(item, job, recogniser)
                yield from _without_speech(ended, job)
            yield from _without_speech(ended, job)

    def _recordings(
        self, sources: Iterable[Media], wanted: Excerpt, in_use: _InUse
    ) -> Generator[OpenRecording, None, None]:
        """Yield each file, opened; the next one is opened in a thread meanwhile."""
        self._ears = self._ears or self._listening()
        opened = partial(open_recording, wanted=wanted, settings=self.settings, ears=self._ears)
        left = iter(sources)
        later: Future[OpenRecording] | None = None
        with ThreadPoolExecutor(1, thread_name_prefix="sutradhar") as pool:
            try:
                # Only the first: it is opened in this thread, so that Ctrl-C need not wait for it.
                for source in left:
                    recording: OpenRecording | None = opened(source)
                    while recording:
                        later = next((pool.submit(opened, following) for following in left), None)
                        yield in_use.take(recording)
                        recording = later.result() if later else None
            finally:
                if later:
                    in_use.take(later.result())

    def _rounds(
        self, recordings: Iterator[OpenRecording], job: _Job, recogniser: Recogniser
    ) -> Iterator[Iterable[_Heard]]:
        """Yield the recordings of each stream: all, where the language is known; else as many as have a batch of
        windows, which vote first."""
        if job.language:
            yield (_Heard(recording, FilmLanguage(job.language, 1.0)) for recording in recordings)
            return
        size = max(MIN_ROUND, 2 * (self.settings.BATCH_SIZE if isinstance(self.settings.BATCH_SIZE, int) else 0))
        held: list[_Heard] = []
        for recording in recordings:
            held.append(
                _Heard(recording, language_of(recording.windows, recording.cut_out, recogniser.detect_languages).found)
            )
            if sum(len(heard.recording.windows) for heard in held) >= size:
                yield held
                held = []
        if held:
            yield held

    def _recognised(self, items: Iterable[_Heard], job: _Job, recogniser: Recogniser) -> Iterator[_Heard]:
        """Yield each recording when its last window is done."""
        places: dict[int, tuple[_Heard, int]] = {}

        def windows() -> Iterator[AudioWindow]:
            number = 0
            for heard in items:
                for window in heard.recording.windows:
                    places[number] = heard, window.id
                    cut = heard.recording.cut_out(window, heard.language.language, job.prompt)
                    yield replace(cut, id=number, translated=job.translate)
                    number += 1

        for recognition in recogniser.recognise(windows()):
            heard, window = places.pop(recognition.window)
            heard.done[window] = replace(recognition, window=window, language_probability=heard.language.probability)
            job.progress(*_progress(heard))
            if heard.is_complete:
                yield heard

    def _transcript(self, heard: _Heard, job: _Job, recogniser: Recogniser) -> Transcript:
        recording = heard.recording
        found = [heard.done[window.id] for window in recording.windows]
        recognised = segments_of_windows((window, heard.done[window.id]) for window in recording.windows)
        lost = unheard(recording.windows, recognised)
        segments = self._on_edges(recognised, recording, spoken=True)
        whole = table.Transcript(
            heard.language.language,
            recording.start_ms,
            recording.duration_ms,
            segments,
            unheard=lost,
            music=recording.found.music,
        )
        transcript, left_out = without_lyrics(whole, self.settings)
        told = (*echoes(found), *doubts(whole, recording.found), *omissions(whole, recording.windows), *left_out)
        warnings = (*recording.remarks, *recogniser.degraded, *told)
        result = _result(recording, heard.language, transcript, warnings)
        translations = ((window, heard.done[window.id].translation) for window in recording.windows)
        phrases = segments_of_windows((window, one) for window, one in translations if one)
        phrases = self._on_edges(phrases, recording, spoken=False)
        recording.close()
        if not job.translate:
            return result
        if heard.language.language == "en":
            return replace(result, translation=result)
        english, _ = without_lyrics(replaced(whole, language="en", segments=phrases, unheard=()), self.settings)
        return replace(result, translation=_result(recording, FilmLanguage("en", 1.0), english, warnings))

    def _on_edges(
        self, segments: tuple[table.Segment, ...], recording: OpenRecording, *, spoken: bool
    ) -> tuple[table.Segment, ...]:
        """Return segments with better word times; those of a translation, which is not spoken, have no bias."""
        if self.settings.ALIGNMENT_MODEL == "none" or not segments:
            return segments
        early = early_ms(self.settings.WHISPER_BACKEND, self.settings.WHISPER_MODEL) if spoken else 0
        return recording.on_edges(segments, early)

    # --- The recogniser

    def _opened(self, *, translate: bool, language: str | None = None) -> Recogniser:
        """Return the recogniser. The first translation loads it anew, since an engine is told beforehand; then it
        does both.

        Raises UsageError for a language that the model does not know."""
        if self._recogniser is None or (translate and not self._translates):
            self._recogniser, self._translates = None, self._translates or translate
            engine = engines.engine_of(self.settings.WHISPER_BACKEND)
            found = library.resolve(
                self.settings.WHISPER_MODEL,
                engine.form,
                models_dir=self._models,
                offline=self.settings.OFFLINE,
                say=log.info,
            )
            try:
                self._recogniser = open_recogniser(self.settings, found, translate=self._translates, log=log)
            except SutradharError:
                self._translates = False
                raise
        self._check_known(language, self._recogniser)
        return self._recogniser

    def _check_known(self, language: str | None, recogniser: Recogniser) -> None:
        if language and not recogniser.knows(language):
            raise UsageError(
                f"Model {self.settings.WHISPER_MODEL} does not know {languages.name(language)} ({language}); "
                "large-v3 knows most"
            )

    def _listening(self) -> Ears:
        """Return the detectors of speech. Raises UsageError where one is missing."""
        segmentation = self._folder_of(hearing.models_of(self.settings))
        return Ears(Detector(), segmentation, self._folder_of(yamnet.models_of(self.settings)))

    def _folder_of(self, needs: Sequence[ModelNeed]) -> Path | None:
        """Return the folder of a detector, None where none is needed. Raises UsageError where it is missing."""
        found = (library.resolve(one.name, one.form, models_dir=self._models, offline=True) for one in needs)
        return next((model.path for model in found), None)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the model for this thread. Raises UsageError where the thread waits for itself: a call inside the
        loop over another call's results."""
        if self._user == threading.get_ident():
            raise UsageError(
                "This model is in the middle of another call: "
                "end the loop over its results first, or load a second model"
            )
        with self._lock:
            self._user = threading.get_ident()
            try:
                yield
            finally:
                self._user = 0


def _readable(
    recordings: Iterator[OpenRecording], ended: deque[OpenRecording], on_error: str
) -> Iterator[OpenRecording]:
    """Yield the recordings with speech in them; the others go into `ended`. Raises the error of one where that is
    asked for."""
    for recording in recordings:
        if recording.error and on_error == "raise":
            raise recording.error
        if recording.windows:
            yield recording
        else:
            ended.append(recording)


def _without_speech(ended: deque[OpenRecording], job: _Job) -> Iterator[Transcript]:
    while ended:
        recording = ended.popleft()
        language = FilmLanguage(job.language or "und", 1.0 if job.language else 0.0)
        whole = table.Transcript(language.language, recording.start_ms, recording.duration_ms, ())
        warnings = () if recording.error else (*recording.remarks, *doubts(whole, recording.found))
        result = _result(recording, language, whole, warnings)
        recording.close()
        job.progress(recording.duration_ms / 1000, recording.duration_ms / 1000)
        yield replace(result, translation=result) if job.translate else result


def _result(
    recording: OpenRecording, language: FilmLanguage, found: table.Transcript, warnings: Sequence[str]
) -> Transcript:
    return Transcript(
        path=recording.path,
        language=language.language,
        language_probability=language.probability,
        start_ms=recording.start_ms,
        duration_ms=recording.duration_ms,
        segments=found.segments,
        unheard=found.unheard,
        music=found.music,
        warnings=tuple(warnings),
        error=recording.error,
        fps=recording.fps or Settings().SUBTITLE_FPS,
    )


def _progress(heard: _Heard) -> tuple[float, float]:
    """Return the seconds of the file that are done and in all, in proportion to the speech that is recognised."""
    total = heard.recording.duration_ms / 1000
    lengths = {window.id: window.end_ms - window.start_ms for window in heard.recording.windows}
    return total * sum(lengths[window] for window in heard.done) / sum(lengths.values()), total
