"""The sound of a file or an array, and the windows of speech in it, as the stages demux and vad find them."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sutradhar.pipeline import media
from sutradhar.pipeline.errors import SutradharError, UsageError, in_one_line
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.media import SAMPLE_RATE
from sutradhar.pipeline.media.tracks import aside_before, choose_track, in_order, not_silent
from sutradhar.pipeline.timecode import format_ms, parse_ms
from sutradhar.stages.alignment.edges import on_edges
from sutradhar.stages.recognisers.contract import AudioWindow
from sutradhar.stages.sound.account import Listener, Take
from sutradhar.stages.sound.hearing import Ears
from sutradhar.stages.sound.listening import listen
from sutradhar.stages.sound.quiet import quiet_spans
from sutradhar.stages.sound.silero import speech_probabilities
from sutradhar.stages.sound.voices import Spool, Voice, Voices, sides, whole
from sutradhar.stages.sound.wav import SAMPLES_PER_MS, Samples, Sound, to_floats
from sutradhar.stages.transcript import Segment, Span, Window, Windows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.floating] | NDArray[np.int16]
    Media = str | os.PathLike[str] | Array


@dataclass(frozen=True)
class Excerpt:
    """The part of a file that is worked on, and how its sound is taken."""

    start_ms: int = 0
    end_ms: int | None = None
    track: str = ""  # its number, or its language; "" takes the best
    channels: str = "mix"
    language: str = "auto"  # spoken: tracks in it come first


@dataclass
class OpenRecording:
    """The findings in one file. Its sound lies in memory, or in a temporary file where it is long; `close` removes
    that."""

    path: Path | None
    start_ms: int = 0
    duration_ms: int = 0
    fps: float = 0.0  # of the picture, 0 without one
    sounds: Mapping[str, Sound | Samples] = field(default_factory=dict)  # by speaker
    found: Windows = field(default_factory=lambda: Windows(()))
    remarks: tuple[str, ...] = ()
    error: SutradharError | None = None
    files: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @property
    def windows(self) -> tuple[Window, ...]:
        return self.found.windows

    def cut_out(self, window: Window, language: str | None = None, prompt: str = "") -> AudioWindow:
        samples = self.sounds[window.speaker].read_ms(window.start_ms - self.start_ms, window.end_ms - self.start_ms)
        return AudioWindow.of(window, samples, language, prompt)

    def on_edges(self, segments: tuple[Segment, ...], early_ms: int) -> tuple[Segment, ...]:
        """Return segments with their words, which are `early_ms` early, on the edges of the sound."""
        return on_edges(segments, self._quiet, Span(self.start_ms, self.start_ms + self.duration_ms), early_ms)

    @cached_property
    def _quiet(self) -> dict[str, tuple[Span, ...]]:
        return {speaker: quiet_spans(sound, self.start_ms) for speaker, sound in self.sounds.items()}

    def close(self) -> None:
        self.files.close()
        self.sounds = {}


def part(start: str | float, end: str | float | None, track: int | str | None, channels: str, language: str) -> Excerpt:
    """Read what a caller gives, times in seconds or as HH:MM:SS. Raises UsageError."""
    if channels not in ("mix", "split"):
        raise UsageError(f"channels={channels!r}: it is 'mix' or 'split'")
    start_ms, end_ms = parse_ms(str(start)), None if end is None else parse_ms(str(end))
    if end_ms is not None and end_ms <= start_ms:
        raise UsageError(f"end={end} is not after start={start}")
    return Excerpt(start_ms, end_ms, "" if track is None else str(track), channels, language)


def open_recording(source: Media, wanted: Excerpt, settings: Settings, ears: Ears) -> OpenRecording:
    """Take the sound out of a file, or take an array as it is, and find the speech in it. An error is kept in
    `error`."""
    path = Path(source) if isinstance(source, (str, os.PathLike)) else None
    with contextlib.ExitStack() as files:
        recording = OpenRecording(path)
        try:
            recording = (
                _of_file(path, wanted, settings, ears, files) if path else _of_array(source, wanted, settings, ears)
            )
            recording.files = files.pop_all()
        except SutradharError as error:
            recording.error = error
        except OSError as error:
            recording.error = SutradharError(in_one_line(error))
    return recording


def _of_file(path: Path, wanted: Excerpt, settings: Settings, ears: Ears, files: contextlib.ExitStack) -> OpenRecording:
    info = media.probe(path)
    track = choose_track(info.audio, wanted.track, wanted.language)
    end_ms = min(wanted.end_ms or info.duration_ms, info.duration_ms)
    if not wanted.track:
        track = not_silent(path, track, info.audio, (wanted.start_ms, end_ms))
    listener = Listener(
        path, wanted.start_ms, wanted.end_ms, allow_truncated=settings.ALLOW_TRUNCATED, detector=ears.detector
    )
    folder = Path(files.enter_context(tempfile.TemporaryDirectory(prefix="sutradhar-")))
    spool = Spool("sound", max(0, end_ms - wanted.start_ms), folder, files)
    others = [] if wanted.track else [one for one in in_order(info.audio, wanted.language) if one != track]
    if wanted.channels == "split" and track.channels > 1:
        voices = sides(listener, track, spool)
    else:
        first = listener.decode(Take(track.index))
        voices = whole(
            listener, first, spool, [track, *others], lambda sound: speech_probabilities(sound, detector=ears.detector)
        )
    remarks = [*filter(None, [aside_before(track, info.audio)]), *voices.remarks]
    found = _found(voices, wanted.start_ms, settings, ears)
    found.path, found.fps = path, (info.video.fps or 0.0) if info.video else 0.0
    found.remarks = tuple(dict.fromkeys(media.without_name(line, path) for line in remarks))
    return found


def check_finite(samples: NDArray[Any]) -> None:
    """Raise UsageError for sound with samples that are no numbers: they would spread over all of its text."""
    import numpy as np

    if not np.isfinite(samples).all():
        raise UsageError("Sound with samples that are NaN or infinite: give floats from -1 to 1")


def sound_of(array: object) -> NDArray[Any]:
    """Take sound in memory: shape (samples,), 16 kHz, mono, floats from -1 to 1 or 16-bit integers. Raises
    UsageError for anything else."""
    import numpy as np

    samples = np.asarray(array)
    if samples.ndim != 1 or (samples.dtype.kind != "f" and samples.dtype != np.int16):
        raise UsageError(
            f"Sound of shape {samples.shape} and type {samples.dtype}: "
            "give 16 kHz, mono, shape (samples,), floats from -1 to 1 or int16"
        )
    return samples


def floats_of(array: object) -> NDArray[np.float32]:
    """Take sound as `sound_of` does, and return it in floats from -1 to 1. Raises UsageError."""
    import numpy as np

    samples = sound_of(array)
    check_finite(samples)
    return to_floats(samples) if samples.dtype == np.int16 else samples.astype(np.float32, copy=False)


def _of_array(array: object, wanted: Excerpt, settings: Settings, ears: Ears) -> OpenRecording:
    import numpy as np

    if wanted.track or wanted.channels == "split":
        raise UsageError("track and channels='split' are for files: an array is one track of one channel")
    samples = sound_of(array)
    if wanted.start_ms and wanted.start_ms * SAMPLES_PER_MS >= len(samples):
        raise UsageError(
            f"Sound of {len(samples) / SAMPLE_RATE:.1f} s has no part from {format_ms(wanted.start_ms)} on"
        )
    samples = samples[wanted.start_ms * SAMPLES_PER_MS : wanted.end_ms and wanted.end_ms * SAMPLES_PER_MS]
    check_finite(samples)
    if samples.dtype != np.int16:
        samples = np.rint(np.clip(samples, -1, 1) * 32767).astype(np.int16)
    return _found(Voices([Voice("", Samples(samples))], ()), wanted.start_ms, settings, ears)


def _found(voices: Voices, start_ms: int, settings: Settings, ears: Ears) -> OpenRecording:
    duration_ms = min(one.sound.duration_ms for one in voices.voices)
    sounds = {one.speaker: one.sound for one in voices.voices}
    found = listen(voices.voices, ears, settings, start_ms=start_ms, cause=voices.cause)
    return OpenRecording(None, start_ms, duration_ms, sounds=sounds, found=found)
