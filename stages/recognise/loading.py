"""From a recording to the windows of speech in it, with their sound and its spectrogram."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import media
from pipeline.errors import StageFailed, UsageError
from pipeline.media_watch import stamp
from pipeline.settings import Settings
from stages.recognise.messages import Failed, PutOff, Task
from stages.silero import Detector, speech_probabilities
from stages.sound import Samples, Sound, new_wav, write_block
from stages.speech import find_windows
from stages.transcript import Window

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LONG_MS = 600_000  # what lasts longer is decoded into a file, so that memory does not grow with a recording's length
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
COMPARED = 1 << 20  # samples of two channels at a time


@dataclass(frozen=True)
class WindowSound:
    samples: NDArray[np.int16]
    mel: NDArray[np.float32]  # `spectrogram.log_mel` of them


@dataclass(frozen=True)
class Channel:
    """One voice of a recording: all of it, or one side of a call."""

    speaker: str  # "" where there is only one
    windows: tuple[Window, ...]
    sounds: tuple[WindowSound, ...] = ()  # of each window
    file: Path | None = None  # in their place, for what is long: a WAV of the channel, which is removed when it was read

    def read(self) -> Iterator[tuple[Window, NDArray[np.float32], NDArray[np.float32] | None]]:
        """Each window with its samples from -1 to 1, and their spectrogram where it was computed."""
        if self.file is None:
            for window, sound in zip(self.windows, self.sounds, strict=True):
                yield window, Samples(sound.samples).read(0, len(sound.samples)), sound.mel
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


class Loader:
    """Decodes recordings and finds the speech in them. For one thread."""

    def __init__(self, folder: Path, spool: Path, settings: Settings) -> None:
        """`spool` is where long recordings are decoded to."""
        from stages.whisper.spectrogram import extractor, log_mel

        self._log_mel, self._extractor = log_mel, lru_cache(extractor)
        self._folder, self._spool, self._settings = folder, spool, settings
        self._detector = Detector(threads=1)

    def load(self, task: Task, mels: int) -> Loaded | Failed | PutOff:
        """With spectrograms of so many bands. Raises OSError where the disk is full."""
        used: list[Path | None] = []
        try:
            loaded = self._try(task, mels)
            used = [channel.file for channel in loaded.channels] if isinstance(loaded, Loaded) else []
            return loaded
        finally:
            remove_spooled(self._spool, task.id, but=used)

    def _try(self, task: Task, mels: int) -> Loaded | Failed | PutOff:
        path = self._path(task)
        if path is None:
            return PutOff(task.id, "not there, or changed since the scan")
        before = _stamp(path)
        outcome = self._attempt(task, path, mels)
        is_same = path == self._path(task) and _stamp(path) == before
        return outcome if is_same else PutOff(task.id, "changed while it was read")

    def _attempt(self, task: Task, path: Path, mels: int) -> Loaded | Failed:
        try:
            return self._load(task, path, mels)
        except (UsageError, StageFailed) as error:
            return Failed(task.id, media.without_name(str(error), path))
        except OSError as error:
            if error.errno in DISK_FULL:
                raise
            return Failed(task.id, f"cannot be read: {error.strerror or error}", again=True)
        except Exception as error:  # noqa: BLE001 - the boundary of a recording: it must not cost the others
            return Failed(task.id, f"{type(error).__name__}: {error}", again=True)

    def _load(self, task: Task, path: Path, mels: int) -> Loaded:
        sides = self._sides(path)
        degraded: list[str] = []
        with contextlib.ExitStack() as open_files:
            decoded = [self._decode(task, path, side, open_files, degraded) for side in sides]
            if len(decoded) == 2 and _alike(*decoded):
                decoded, sides = decoded[:1], (None,)
                degraded.append("both channels hold the same: taken as one speaker")
            channels = tuple(self._channel(sound, side, mels) for side, sound in zip(sides, decoded, strict=True))
        return Loaded(task, channels, max(sound.duration_ms for sound in decoded), tuple(dict.fromkeys(degraded)))

    def _path(self, task: Task) -> Path | None:
        """The first of its names that holds what the scan saw."""
        for number, name in enumerate(task.paths):
            with contextlib.suppress(OSError):
                status = (self._folder / name).stat()
                if not task.stamps or task.stamps[number] == (status.st_size, status.st_mtime_ns):
                    return self._folder / name
        return None

    def _sides(self, path: Path) -> tuple[int | None, ...]:
        if self._settings.CORPUS_CHANNELS == "split" and media.probe(path).audio[0].channels == 2:
            return 0, 1
        return (None,)

    def _decode(self, task: Task, path: Path, side: int | None, open_files: contextlib.ExitStack, degraded: list[str]) -> Samples | Sound:
        import numpy as np

        blocks = media.decode(path, allow_truncated=self._settings.ALLOW_TRUNCATED, channel=side)
        sound: Samples | Sound
        if task.duration_ms <= LONG_MS:
            sound = Samples(np.concatenate([np.zeros(0, np.int16), *blocks]))
        else:
            file = self._spool / f"{task.id}-{'' if side is None else side}.wav"
            with new_wav(file) as wav:
                for block in blocks:
                    write_block(wav, block)
            sound = open_files.enter_context(Sound(file))
        degraded += [media.without_name(line, path) for line in blocks.degraded]
        return sound

    def _channel(self, sound: Samples | Sound, side: int | None, mels: int) -> Channel:
        speaker = "" if side is None else str(side + 1)
        windows = find_windows(speech_probabilities(sound, detector=self._detector), sound.duration_ms, self._settings)
        if isinstance(sound, Sound):
            return Channel(speaker, windows, file=sound.path)
        return Channel(speaker, windows, tuple(self._window_sound(sound, window, mels) for window in windows))

    def _window_sound(self, sound: Samples, window: Window, mels: int) -> WindowSound:
        return WindowSound(
            sound.cut_ms(window.start_ms, window.end_ms), self._log_mel(self._extractor(mels), sound.read_ms(window.start_ms, window.end_ms))
        )


def _stamp(path: Path) -> tuple[int, ...]:
    """Of a file that may go at any moment."""
    try:
        return stamp(path)
    except OSError:
        return ()


def remove_spooled(spool: Path, recording: str, but: Sequence[Path | None] = ()) -> None:
    """What a recording was decoded into."""
    for file in spool.glob(f"{recording}-*.wav"):
        if file not in but:
            file.unlink(missing_ok=True)


def _alike(left: Samples | Sound, right: Samples | Sound) -> bool:
    """Whether two channels differ by less than a hundredth of what is in them."""
    import numpy as np

    if left.samples != right.samples:
        return False
    difference = loudness = 0.0
    for start in range(0, left.samples, COMPARED):
        ours, theirs = left.read(start, COMPARED), right.read(start, COMPARED)
        difference += float(np.abs(ours - theirs).sum())
        loudness += float(np.abs(ours).sum())
    return difference <= 0.01 * loudness
