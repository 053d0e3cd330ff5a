"""The way from a recording to the windows of speech in it, with their sound, ready for the recogniser."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sutradhar.pipeline import media
from sutradhar.pipeline.errors import NO_ROOM, StageFailed, UsageError
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.media import AudioTrack, Decoding
from sutradhar.pipeline.media.tracks import aside_before, in_order, silent_before
from sutradhar.pipeline.media.watch import stamp
from sutradhar.stages.corpus.recognise.messages import SILERO_ALONE, Deferred, Failed, Networks, Task
from sutradhar.stages.recognisers.contract import Preparation
from sutradhar.stages.sound.account import Listener, Take
from sutradhar.stages.sound.hearing import Ears
from sutradhar.stages.sound.listening import listen
from sutradhar.stages.sound.quiet import quiet_spans
from sutradhar.stages.sound.silero import Detector, speech_probabilities
from sutradhar.stages.sound.voices import Spool, Voice, Voices, sides, whole
from sutradhar.stages.sound.wav import Samples, Sound
from sutradhar.stages.transcript import Music, Span, Window

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class WindowSound:
    samples: NDArray[np.int16]
    prepared: Any = None  # made by the recogniser's `Preparation`, where it has one


@dataclass(frozen=True)
class Channel:
    """One voice of a recording: all of it, or one side of a call."""

    speaker: str  # "" where there is only one
    windows: tuple[Window, ...]
    sounds: tuple[WindowSound, ...] = ()  # one for each window
    quiet: tuple[Span, ...] = ()  # the stretches where it is quiet, where word times are wanted
    # In place of `sounds` for a long one: a WAV of the channel, which is removed when it was read.
    file: Path | None = None

    def read(self) -> Iterator[tuple[Window, NDArray[np.float32], Any]]:
        """Yield each window with its samples from -1 to 1, and its `AudioWindow.prepared`."""
        if self.file is None:
            for window, sound in zip(self.windows, self.sounds, strict=True):
                yield window, Samples(sound.samples).read(0, len(sound.samples)), sound.prepared
            return
        with Sound(self.file) as wav:
            for window in self.windows:
                yield window, wav.read_ms(window.start_ms, window.end_ms), None
        self.file.unlink()


@dataclass(frozen=True)
class Loaded:
    """A recording's speech."""

    task: Task
    channels: tuple[Channel, ...] = ()
    duration_ms: int = 0
    degraded: tuple[str, ...] = ()
    cause: str = ""  # why nobody is heard in it, and what to do
    notes: tuple[str, ...] = ()  # surprises that are no fault
    music: tuple[Music, ...] = ()


class Loader:
    """A decoder of recordings that finds the speech in them. For one thread."""

    def __init__(self, folder: Path, spool: Path, settings: Settings, networks: Networks = SILERO_ALONE) -> None:
        """Set up; `spool` is where long recordings are decoded to."""
        self._preparer = lru_cache(_preparer)
        self._folder, self._spool, self._settings = folder, spool, settings
        self._detector = Detector(threads=1)
        self._ears = Ears(self._detector, networks.segmentation, networks.yamnet, threads=1)

    def load(self, task: Task, preparation: Preparation | None) -> Loaded | Failed | Deferred:
        """Load a recording. Raises OSError where the disk is full."""
        used: list[Path | None] = []
        try:
            loaded = self._try(task, preparation)
            used = [channel.file for channel in loaded.channels] if isinstance(loaded, Loaded) else []
            return loaded
        finally:
            remove_spooled(self._spool, task.id, but=used)

    def _try(self, task: Task, preparation: Preparation | None) -> Loaded | Failed | Deferred:
        path = self._path(task)
        if path is None:
            return Deferred(task.id, "not there, or changed since the scan")
        before = _stamp(path)
        outcome = self._attempt(task, path, preparation)
        is_same = path == self._path(task) and _stamp(path) == before
        return outcome if is_same else Deferred(task.id, "changed while it was read")

    def _attempt(self, task: Task, path: Path, preparation: Preparation | None) -> Loaded | Failed:
        try:
            return self._load(task, path, preparation)
        except (UsageError, StageFailed) as error:
            return Failed(task.id, media.without_name(str(error), path))
        except OSError as error:
            if error.errno in NO_ROOM:
                raise
            return Failed(task.id, f"cannot be read: {error.strerror or error}", again=True)
        except Exception as error:  # noqa: BLE001 - the boundary of a recording: it must not cost the others
            return Failed(task.id, f"{type(error).__name__}: {error}", again=True)

    def _load(self, task: Task, path: Path, preparation: Preparation | None) -> Loaded:
        listener = Listener(path, allow_truncated=self._settings.ALLOW_TRUNCATED, detector=self._detector)
        first, tracks = self._best_track(listener, path)
        with contextlib.ExitStack() as open_files:
            spool = Spool(task.id, task.duration_ms, self._spool, open_files)
            if self._settings.CORPUS_CHANNELS == "split" and tracks[0].channels > 1:
                voices = sides(listener, tracks[0], spool)
            else:
                voices = whole(
                    listener, first, spool, tracks, lambda sound: speech_probabilities(sound, detector=self._detector)
                )
            silent = silent_before(path, tracks[0], tracks, (0, first.info.duration_ms))
            remarks, notes = (
                [*filter(None, [silent]), *voices.remarks],
                [*filter(None, [aside_before(tracks[0], tracks)]), *voices.notes],
            )
            return self._heard(task, path, replace(voices, remarks=remarks, notes=notes), preparation)

    def _best_track(self, listener: Listener, path: Path) -> tuple[Decoding, Sequence[AudioTrack]]:
        """Return the best track, mixed, and all of them, best first. Raises UsageError where none can be decoded."""
        try:
            first = listener.decode(Take())
            tracks = in_order(first.info.audio, self._settings.SOURCE_LANGUAGE)
            return (listener.decode(Take(tracks[0].index)) if tracks[0].index else first), tracks
        except UsageError:  # nothing decodes the first one
            tracks = in_order(media.probe(path).audio, self._settings.SOURCE_LANGUAGE)
            return listener.decode(Take(tracks[0].index)), tracks

    def _heard(self, task: Task, path: Path, voices: Voices, preparation: Preparation | None) -> Loaded:
        found = listen(voices.voices, self._ears, self._settings, cause=voices.cause)
        channels = (self._channel(voice, found.windows, preparation) for voice in voices.voices)
        return Loaded(
            task,
            tuple(channels),
            max(voice.sound.duration_ms for voice in voices.voices),
            tuple(dict.fromkeys(media.without_name(line, path) for line in voices.remarks)),
            found.cause,
            tuple(dict.fromkeys(media.without_name(line, path) for line in voices.notes)),
            found.music,
        )

    def _path(self, task: Task) -> Path | None:
        """Return the first of its names that holds what the scan saw."""
        for number, name in enumerate(task.paths):
            with contextlib.suppress(OSError):
                status = (self._folder / name).stat()
                if not task.stamps or task.stamps[number] == (status.st_size, status.st_mtime_ns):
                    return self._folder / name
        return None

    def _channel(self, voice: Voice, all_windows: Sequence[Window], preparation: Preparation | None) -> Channel:
        sound, windows = voice.sound, tuple(one for one in all_windows if one.speaker == voice.speaker)
        quiet = quiet_spans(sound) if windows and wants_edges(self._settings) else ()
        if isinstance(sound, Sound):
            return Channel(voice.speaker, windows, quiet=quiet, file=sound.path)
        sounds = tuple(self._window_sound(sound, window, preparation) for window in windows)
        return Channel(voice.speaker, windows, sounds, quiet)

    def _window_sound(self, sound: Samples, window: Window, preparation: Preparation | None) -> WindowSound:
        samples = sound.cut_ms(window.start_ms, window.end_ms)
        if preparation is None:
            return WindowSound(samples)
        return WindowSound(samples, self._preparer(preparation)(sound.read_ms(window.start_ms, window.end_ms)))


def wants_edges(settings: Settings) -> bool:
    """Tell whether words get times from the edges of the sound."""
    return settings.ALIGNMENT_MODEL != "none" and settings.CORPUS_TIMESTAMPS != "none"


def _preparer(preparation: Preparation) -> Callable[[NDArray[np.float32]], Any]:
    make = import_module(preparation.module).preparer
    return cast("Callable[[NDArray[np.float32]], Any]", make(preparation.detail))


def _stamp(path: Path) -> tuple[int, ...]:
    """Return the stamp of a file that may go at any moment; () where it cannot be read."""
    try:
        return stamp(path)
    except OSError:
        return ()


def remove_spooled(spool: Path, recording: str, but: Sequence[Path | None] = ()) -> None:
    """Remove the files that a recording was decoded into."""
    for file in spool.glob(f"{recording}-*.wav"):
        if file not in but:
            file.unlink(missing_ok=True)
