"""The sound of a film as 16 kHz mono samples, each at its place on the film's clock, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from sutradhar.pipeline.errors import StageFailed, UsageError
from sutradhar.pipeline.media import chunks, clock, extent
from sutradhar.pipeline.media.container import REMEDY, be_strict, open_media, shown
from sutradhar.pipeline.media.damage import Gaps, bearable_ms
from sutradhar.pipeline.media.formats import FORMATS
from sutradhar.pipeline.media.holes import HoleMeter
from sutradhar.pipeline.media.levels import Levels
from sutradhar.pipeline.media.probe import MAX_HOURS, UNKNOWN_CODEC, MediaInfo, probe
from sutradhar.pipeline.media.reader import TrackReader
from sutradhar.pipeline.media.resample import Correction
from sutradhar.pipeline.media.timeline import SAMPLE_RATE, Timeline, in_blocks
from sutradhar.pipeline.timecode import format_ms

if TYPE_CHECKING:
    from av.container import InputContainer

    from sutradhar.pipeline.media.timeline import Samples, WideSamples

# Whole files in 35 containers ended within 0.18 s of what they promise (fragmented MP4 was the furthest off).
TOLERANCE_MS = 1000
_SILENT_END_MS, _SILENT_END = 10_000, 0.1  # and share of the whole: no pause is so long
_NOTED_MS = 250
_SHARE_OF_JUNK = 4  # less than a quarter of the sound may be anything that a program left behind it
_BROADCAST = ("mpegts", "mpeg")  # files of these do not tell how long a track is
# Decoded and dropped: decoders need packets before the first good one (80 ms for Opus, a few frames for MP3).
_BEFORE_CLIP_MS = 2000


def decode(
    path: Path,
    track: int = 0,
    start_ms: int = 0,
    end_ms: int | None = None,
    *,
    allow_truncated: bool = False,
    channel: int | None = None,
    correction: Correction | None = None,
) -> Decoding:
    """Return the samples of an audio track from `start_ms` to `end_ms` on the film's clock, or to its end.

    Sample n is film time `start_ms + n / 16` ms: a track that begins late begins with silence, gaps are silent, and
    what lies before 0 is left out. `channel` takes one of the track's channels instead of all mixed, and a
    `correction` is applied before. Raises UsageError where there is no such track or part."""
    return Decoding(path, track, start_ms, end_ms, allow_truncated, channel, correction)


class Decoding:
    """The samples, in blocks of int16 of about a second each, to be iterated over once. Afterwards `degraded` tells
    what was not as it should be, `harmless` which of its lines cost nothing, and `levels` how loud the track's
    channels are in the file, without the correction.

    While it is iterated over: raises StageFailed where the file is damaged or cut short, unless that is allowed,
    and UsageError where there is no sound."""

    def __init__(
        self,
        path: Path,
        track: int,
        start_ms: int,
        end_ms: int | None,
        allow_truncated: bool,
        channel: int | None,
        correction: Correction | None = None,
    ) -> None:
        self.path = path
        self.info: MediaInfo = probe(path)
        self.track = track
        self.start_ms = start_ms
        self.end_ms = end_ms
        self.allow_truncated = allow_truncated
        self.channel = channel
        self.correction = correction
        self.levels: Levels | None = None
        self.degraded: list[str] = []
        self.harmless: list[str] = []
        self._check_request()

    def __iter__(self) -> Iterator[Samples]:
        self._judge_bytes()
        limit = MAX_HOURS * 3600 * SAMPLE_RATE
        timeline = Timeline(
            self.start_ms * SAMPLE_RATE // 1000, limit if self.end_ms is None else self.end_ms * SAMPLE_RATE // 1000
        )
        begin = timeline.position
        with ExitStack() as stack:
            reader = self._open(stack)
            yield from in_blocks(self._placed(reader, timeline), SAMPLE_RATE)
            self.levels = reader.meter.levels()
            if timeline.position >= limit:
                raise UsageError(f"{self.name} goes on for more than {MAX_HOURS} hours: cut it into parts")
            self._judge(reader, timeline, empty=timeline.position == begin)

    @property
    def name(self) -> str:
        return shown(self.path)

    def _check_request(self) -> None:
        tracks = self.info.audio
        if self.track >= len(tracks):
            known = "; ".join(f"{track.index}: {track.describe()}" for track in tracks)
            raise UsageError(f"{self.name} has no audio track {self.track}. It has {known}")
        if tracks[self.track].codec == UNKNOWN_CODEC:
            raise UsageError(
                f"{self.name}: audio track {self.track} is in a codec that is not known here: "
                "choose another track, or convert it first"
            )
        if self.end_ms is not None and self.end_ms <= self.start_ms:
            raise UsageError(
                f"The part to work on ends at {format_ms(self.end_ms)}, "
                f"which is not after its start at {format_ms(self.start_ms)}"
            )

    def _open(self, stack: ExitStack) -> TrackReader:
        """Open the track, from the beginning or from a little before the clip."""
        from_ms = self.start_ms - _BEFORE_CLIP_MS
        if FORMATS[self.info.format].paced and self._has_false_times():
            self._note(f"{self.name}: its times do not fit its sound, which was taken as it is, piece after piece")
            return self._reader(stack, counts_samples=True)
        reader = self._reader(stack)
        if from_ms <= 0 or not FORMATS[self.info.format].seeks or reader.seek(from_ms):
            return reader
        return self._reader(stack)

    def _has_false_times(self) -> bool:
        with open_media(self.path, strict=False) as container:
            return clock.is_false(container, self.track)

    def _reader(self, stack: ExitStack, *, counts_samples: bool = False) -> TrackReader:
        codec = self.info.audio[self.track].codec
        holes = (
            HoleMeter(stack.enter_context(self.path.open("rb")), codec)
            if FORMATS[self.info.format].counts_frames
            else None
        )
        container = self._container(stack, whole=counts_samples)
        return TrackReader(
            container, self.track, self.info, self.channel, holes, self.correction, counts_samples=counts_samples
        )

    def _container(self, stack: ExitStack, *, whole: bool) -> InputContainer:
        """Open the file so that damage shows, except a header's: that is noted where the file can be opened
        otherwise."""
        if self.allow_truncated:
            return stack.enter_context(open_media(self.path, strict=False, whole=whole))
        try:
            container = stack.enter_context(open_media(self.path, strict=True, whole=whole))
        except UsageError:
            container = stack.enter_context(open_media(self.path, strict=False, whole=whole))
            self._note(f"{self.name} is damaged at its beginning: what could not be read there was left out")
        be_strict(container)
        return container

    def _placed(self, reader: TrackReader, timeline: Timeline) -> Iterator[WideSamples]:
        for at, samples in reader.runs():
            if reader.damage.lost_ms > bearable_ms(self._asked_ms(reader)) and not self.allow_truncated:
                raise StageFailed(f"{self.name} is damaged {reader.damage.describe()}. {REMEDY}")
            yield from timeline.place(at, samples)
            if timeline.full:
                return

    def _asked_ms(self, reader: TrackReader) -> int:
        """Return the length of the sound that is wanted, in ms, as far as it is known."""
        end_ms = max(self.info.duration_ms, reader.reached_ms)
        return max(0, (end_ms if self.end_ms is None else min(end_ms, self.end_ms)) - self.start_ms)

    def _judge_bytes(self) -> None:
        """Note what the file's structure says of its size, or tell a fault where too much is missing."""
        info, sound = self.info, chunks.locate(self.path)
        if sound and sound.hidden:
            told = f"its header tells of {sound.chunk.declared:,} bytes of sound, and {sound.length:,} are there"
            self._note(f"{self.name}: {told}: all of it was taken", harmless=True)
        if sound and sound.unreal_frames:
            self._note(
                f"{self.name}: its header counts {sound.unreal_frames:,} samples, "
                "which cannot be: what is there was taken",
                harmless=True,
            )
        if sound and sound.chunk.unpadded:
            self._note(
                f"{self.name} is damaged at its beginning: "
                "a part of its header is a byte too short. Its sound is whole",
                harmless=True,
            )
        if sound and (silent_ms := self._zeros_ms(sound)) >= _SILENT_END_MS:
            self._note(
                f"{self.name}: its last {silent_ms / 1000:.1f} s are digital silence: "
                "copy it again if somebody speaks there"
            )
        if joined := extent.joined_bytes(self.path):
            self._note(
                f"{self.name}: a second recording was joined to it: "
                f"its {joined:,} bytes were left out. Give each by itself"
            )
        if sound and sound.foreign:
            self._note(
                f"{self.name}: a second recording of another form was joined to it: "
                f"its {sound.foreign:,} bytes were left out"
            )
        if info.fault:
            self._fault(f"{self.name} {info.fault}")
        elif info.missing_bytes:
            self._note(f"{self.name} {info.promise}")

    def _zeros_ms(self, sound: chunks.SoundInFile) -> int:
        """Return the length of the zeros at the end, where that is more than a pause: a copy that was stopped ends
        so."""
        begin, end = sound.stretches[-1]
        with self.path.open("rb") as file:
            share = (end - chunks.last_byte(file, begin, end)) / max(1, sound.length)
        return round(share * self.info.duration_ms) if share >= _SILENT_END else 0

    def _judge(self, reader: TrackReader, timeline: Timeline, empty: bool) -> None:
        """Judge what the end of the audio says about the file."""
        if empty and reader.damage.places:
            raise UsageError(
                f"{self.name}: audio track {self.track} cannot be decoded ({reader.damage.reason}): "
                "convert it first, or copy it again"
            )
        if not timeline.full:
            self._judge_end(reader)
            reader.damage.forget_last()
        if reader.damage.places:
            self._note(f"{self.name} is damaged {reader.damage.describe()}")
        if self.info.untrue_ms > reader.reached_ms + TOLERANCE_MS and not timeline.full:
            told = f"its header promises {self.info.untrue_ms / 1000:.1f} s, which {self.info.size:,} bytes cannot hold"
            self._note(f"{self.name}: {told}: the {reader.reached_ms / 1000:.1f} s that are there were taken")
        self._judge_gaps(reader.gaps)
        if self.info.format in _BROADCAST and self.info.video and not timeline.full and not reader.is_spliced:
            self._judge_picture(reader)
        if empty:
            where = "" if not self.start_ms else f" after {format_ms(self.start_ms)}"
            raise UsageError(
                f"{self.name}: audio track {self.track} holds no sound{where}: give another file, track or part"
            )

    def _judge_gaps(self, gaps: Gaps) -> None:
        """Note the silence that the file does not explain, and the sound that its times laid over other sound."""
        if gaps.silent_us > _NOTED_MS * 1000:
            self._note(f"{self.name} {gaps.describe()}")
        if gaps.overlapping_us > _NOTED_MS * 1000:
            self._note(
                f"{self.name}: {gaps.overlapping_us / 1e6:.1f} s of its sound lie over other sound "
                "by its times: they were left out"
            )

    def _judge_picture(self, reader: TrackReader) -> None:
        """Judge a broadcast whose sound and picture end far from each other: one of them was lost."""
        sound_ms, film_ms = reader.sound_ms, self.info.duration_ms
        bearable = max(TOLERANCE_MS, bearable_ms(max(sound_ms, film_ms), at_end=True))
        if film_ms - sound_ms > bearable:
            self._note(
                f"{self.name}: its sound ends at {format_ms(sound_ms)}, and its picture goes on to {format_ms(film_ms)}"
            )
        elif sound_ms - reader.picture_ms > bearable:
            ends = f"at {format_ms(reader.picture_ms)}" if reader.picture_ms else "long before"
            self._note(
                f"{self.name}: its picture ends {ends}, "
                f"and its sound goes on to {format_ms(sound_ms)}: all of it was taken",
                harmless=True,
            )

    def _judge_end(self, reader: TrackReader) -> None:
        promised, reached = reader.promised_ms, reader.reached_ms
        if promised is not None and self.end_ms is not None:
            promised, reached = min(promised, self.end_ms), min(reached, self.end_ms)
        if promised is None:
            self._judge_last_packet(reader)
            return
        line = f"{self.name}: decoded {reached / 1000:.1f} s, but the container says {promised / 1000:.1f} s"
        if reached < promised - max(TOLERANCE_MS, bearable_ms(promised - self.start_ms, at_end=True)):
            self._fault(f"{line}: the file is cut short")
        elif reached < promised - _NOTED_MS:
            self._note(f"{line}: its end is missing")
        elif reached > promised + TOLERANCE_MS:
            self._note(f"{line}: all of it was taken", harmless=True)

    def _judge_last_packet(self, reader: TrackReader) -> None:
        """Judge all that shows a cut in a file that does not tell how long it is."""
        rest_ms = reader.rest_ms
        if rest_ms > bearable_ms(reader.reached_ms + rest_ms, at_end=True):
            told = f"from {format_ms(reader.reached_ms)} on its bytes are no sound"
            if rest_ms > reader.reached_ms // _SHARE_OF_JUNK:
                self._fault(f"{self.name} is cut short: {told}")
            else:
                self._note(f"{self.name}: {told}: they were left out")
        elif reader.broke_at_end and not self.info.missing_bytes and not extent.is_ended(self.path):
            self._note(f"{self.name} {extent.TORN}")

    def _fault(self, line: str) -> None:
        if not self.allow_truncated:
            raise StageFailed(f"{line}. {REMEDY}")
        self._note(line)

    def _note(self, line: str, *, harmless: bool = False) -> None:
        if line not in self.degraded:
            self.degraded.append(line)
            self.harmless += [line] if harmless else []
