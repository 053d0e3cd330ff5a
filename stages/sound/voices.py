"""The sound of a recording that is recognised: its best track, mixed or corrected, or each of its channels as a
speaker."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sutradhar.pipeline.media import SAMPLE_RATE, AudioTrack, Decoding, Levels
from sutradhar.pipeline.media.tracks import in_place_of
from sutradhar.stages.sound.account import (
    Listener,
    Take,
    account_for,
    account_of_others,
    already,
    mended,
    with_quiet_parts_raised,
)
from sutradhar.stages.sound.alike import likeness
from sutradhar.stages.sound.silero import FRAME_MS, Detector, likely
from sutradhar.stages.sound.thresholds import NOISE_DB
from sutradhar.stages.sound.wav import Samples, Sound, new_wav, write_block

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LONG_MS = 600_000  # longer recordings are decoded into a file, so that memory does not grow with their length


@dataclass(frozen=True)
class Voice:
    """Sound of one speaker, or of all."""

    speaker: str  # "" where there is only one
    sound: Samples | Sound
    probabilities: Sequence[float] = ()  # of speech, where they are known


@dataclass(frozen=True)
class Voices:
    voices: Sequence[Voice]  # at least one
    remarks: Sequence[str]  # on sound that is or may be lost
    cause: str = ""  # why nobody is heard, where a reason is known
    notes: Sequence[str] = ()  # on surprises that are right, or were mended without loss


@dataclass(frozen=True)
class Spool:
    """The place that a recording is decoded to: memory, or files where it is long."""

    name: str  # the beginning of its files' names
    duration_ms: int  # as far as is known
    folder: Path
    open_files: contextlib.ExitStack
    tell: Callable[[float], None] = lambda seconds: None  # hears how many more seconds were decoded

    def keep(self, blocks: Decoding, name: str, channels: int = 1) -> Samples | Sound:
        """Keep all of it; so many `channels` are kept at once. Raises OSError where the disk is full."""
        import numpy as np

        if self.duration_ms * max(1, channels // 2) <= LONG_MS:
            return Samples(np.concatenate([np.zeros(0, np.int16), *self._told(blocks)]))
        file = self.folder / f"{self.name}-{name}.wav"
        with new_wav(file) as wav:
            for block in self._told(blocks):
                write_block(wav, block)
        return self.open_files.enter_context(Sound(file))

    def _told(self, blocks: Iterable[NDArray[np.int16]]) -> Iterator[NDArray[np.int16]]:
        for block in blocks:
            yield block
            self.tell(len(block) / SAMPLE_RATE)


def whole(
    listener: Listener,
    first: Decoding,
    spool: Spool,
    tracks: Sequence[AudioTrack],
    listen: Callable[[Samples | Sound], Sequence[float]],
) -> Voices:
    """Return one voice: the first of the tracks mixed, which is `first`, or the sound that the account takes
    instead."""
    chosen = tracks[0]
    sound = spool.keep(first, "")
    probabilities = listen(sound)
    speech_ms = likely(probabilities) * FRAME_MS
    others = in_place_of(chosen, tracks)
    account = account_for(
        first.levels, Take(chosen.index), sound.duration_ms, already(speech_ms), listener, unsure=bool(others)
    )
    remarks = list(account.remarks)
    if account.nobody and (other := account_of_others(others, sound.duration_ms, listener)):
        why = account.cause or f"hardly anybody is heard in audio track {chosen.index}"
        account, remarks = other, [f"{why}: track {other.take.track} was taken, where somebody speaks", *other.remarks]
    taken = first
    if account.take != Take(chosen.index):
        taken = listener.decode(account.take)
        sound, probabilities = spool.keep(taken, "again"), ()
    better = with_quiet_parts_raised(account, taken.levels, sound, listener)
    if better.take != account.take:
        taken = listener.decode(better.take)
        sound, probabilities = spool.keep(taken, "raised"), ()
        remarks.append(better.remarks[-1])
    lost, harmless = told_by(taken)
    return Voices([Voice("", sound, probabilities)], [*lost, *remarks], better.cause, [*harmless, *better.notes])


def told_by(sound: Decoding) -> tuple[list[str], list[str]]:
    """Part the damage that a file tells into damage with a loss and damage without."""
    return [line for line in sound.degraded if line not in sound.harmless], sound.harmless


@dataclass
class _Group:
    """Channels that hold the same."""

    channels: list[int]
    sounds: list[Samples | Sound]
    inverted: bool = False

    def take_in(self, channel: int, sound: Samples | Sound, detector: Detector) -> bool:
        like = likeness(self.sounds[0], sound, detector)
        if like:
            self.channels.append(channel)
            self.sounds.append(sound)
            self.inverted = self.inverted or like < 0
        return bool(like)


def sides(listener: Listener, track: AudioTrack, spool: Spool) -> Voices:
    """Return a voice for each channel; one for those that hold the same, none for those that are silent while
    others are not."""
    remarks: list[str] = []
    notes: list[str] = []
    groups: list[_Group] = []
    corrected: set[int] = set()
    levels: Levels | None = None
    for channel in range(track.channels):
        sound, levels, better = _side(listener, Take(track.index, channel), spool, track.channels, remarks, notes)
        if better:
            corrected.add(channel)
        if not any(group.take_in(channel, sound, listener.detector) for group in groups):
            groups.append(_Group([channel], [sound]))
    silent = [
        number
        for number, level in enumerate(levels.channels if levels else ())
        if level.top_db < NOISE_DB and number not in corrected
    ]
    if len(silent) == track.channels:
        return Voices([Voice("", groups[0].sounds[0])], remarks, f"audio track {track.index} is silent", notes)
    if silent:
        notes.append(
            f"channel {silent[0] + 1} is silent" if len(silent) == 1 else f"channels {_numbers(silent)} are silent"
        )
    groups = [group for group in groups if not set(group.channels) <= set(silent)]
    notes += [_same(group, track.channels) for group in groups if len(group.channels) > 1]
    alone = len(groups) == 1 and len(groups[0].channels) > 1
    return Voices([_voice(group, levels, alone) for group in groups], remarks, notes=notes)


def _side(
    listener: Listener, take: Take, spool: Spool, channels: int, remarks: list[str], notes: list[str]
) -> tuple[Samples | Sound, Levels | None, bool]:
    """Return one channel, the levels of all, and true where it had to be corrected. Remarks are added to `remarks`
    and `notes`."""
    first = listener.decode(take)
    sound = spool.keep(first, str(take.channel), channels)
    lost, harmless = told_by(first)
    remarks += lost
    notes += harmless
    if first.levels is None or take.channel is None or first.levels.channels[take.channel].silent:
        return sound, first.levels, False
    account = mended(
        first.levels.channels[take.channel], first.levels, take, lambda enough_ms: listener.hear(take)[0], listener
    )
    account = with_quiet_parts_raised(account, first.levels, sound, listener)
    remarks += (
        f"channel {take.channel + 1} is {line}"
        if line.startswith("very quiet")
        else f"channel {take.channel + 1}: {line}"
        for line in account.remarks
    )
    notes += (f"channel {take.channel + 1}: {line}" for line in account.notes)
    if account.take == take:
        return sound, first.levels, False
    return spool.keep(listener.decode(account.take), f"{take.channel}-again", channels), first.levels, True


def _numbers(channels: Sequence[int]) -> str:
    return ", ".join(str(number + 1) for number in channels)


def _same(group: _Group, channels: int) -> str:
    names = "both channels" if channels == 2 else f"channels {_numbers(group.channels)}"
    return f"{names} hold the same{', one of them inverted' if group.inverted else ''}: taken as one speaker"


def _voice(group: _Group, levels: Levels | None, alone: bool) -> Voice:
    """Return the loudest of the channels that hold the same."""
    loudest = (
        0
        if levels is None
        else max(
            range(len(group.channels)), key=lambda number: round(levels.channels[group.channels[number]].mean_db, 1)
        )
    )
    return Voice("" if alone else str(group.channels[loudest] + 1), group.sounds[loudest])
