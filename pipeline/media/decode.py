"""The sound of a film as 16 kHz mono samples, each at its place on the film's clock, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import StageFailed, UsageError
from pipeline.media.container import REMEDY, open_media, shown
from pipeline.media.formats import FORMATS
from pipeline.media.levels import Levels
from pipeline.media.probe import MAX_HOURS, UNKNOWN_CODEC, MediaInfo, probe
from pipeline.media.reader import TrackReader
from pipeline.media.resample import Correction
from pipeline.media.timeline import SAMPLE_RATE, Timeline, in_blocks
from pipeline.timecode import format_ms

if TYPE_CHECKING:
    from pipeline.media.timeline import Samples

# Whole files in 35 containers ended within 0.18 s of what they promise (fragmented MP4 was the furthest off).
TOLERANCE_MS = 1000
_BEFORE_CLIP_MS = 2000  # decoded and dropped: decoders need packets before the first good one (80 ms for Opus, a few frames for MP3)


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
    """The samples of an audio track from `start_ms` to `end_ms` on the film's clock, or to its end.

    Sample n of what comes is film time `start_ms + n / 16` ms: a track that begins late begins with silence, gaps are silent,
    and what lies before 0 is left out. `channel` takes one of the track's channels instead
    of all mixed, and a `correction` is applied before. Raises UsageError where there is no such track or part."""
    return Decoding(path, track, start_ms, end_ms, allow_truncated, channel, correction)


class Decoding:
    """Iterate over it once for blocks of int16 samples, each about a second; then `degraded` tells what was not as it should be,
    and `levels` how loud the track's channels are as they stand in the file, without the correction.

    While it is iterated over: raises StageFailed where the file is damaged or cut short, unless that is allowed, and
    UsageError where there is no sound."""

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
        self._check_request()

    def __iter__(self) -> Iterator[Samples]:
        if self.info.missing_bytes:
            self._fault(
                f"{self.name} is cut short: its header promises {self.info.missing_bytes:,} bytes more than the {self.info.size:,} that are there"
            )
        limit = MAX_HOURS * 3600 * SAMPLE_RATE
        timeline = Timeline(self.start_ms * SAMPLE_RATE // 1000, limit if self.end_ms is None else self.end_ms * SAMPLE_RATE // 1000)
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
            raise UsageError(f"{self.name}: audio track {self.track} is in a codec that is not known here: choose another track, or convert it first")
        if self.end_ms is not None and self.end_ms <= self.start_ms:
            raise UsageError(f"The part to work on ends at {format_ms(self.end_ms)}, which is not after its start at {format_ms(self.start_ms)}")

    def _open(self, stack: ExitStack) -> TrackReader:
        """The track, from the beginning or from a little before the clip."""
        from_ms = self.start_ms - _BEFORE_CLIP_MS
        reader = TrackReader(
            stack.enter_context(open_media(self.path, strict=not self.allow_truncated)), self.track, self.info, self.channel, self.correction
        )
        if from_ms <= 0 or not FORMATS[self.info.format].seeks or reader.seek(from_ms):
            return reader
        return TrackReader(
            stack.enter_context(open_media(self.path, strict=not self.allow_truncated)), self.track, self.info, self.channel, self.correction
        )

    def _placed(self, reader: TrackReader, timeline: Timeline) -> Iterator[Samples]:
        for at, samples in reader.runs():
            if reader.broke_inside and not self.allow_truncated:
                first = reader.damages[0]
                raise StageFailed(f"{self.name} is damaged at {format_ms(first.at_ms)} ({first.reason}). {REMEDY}")
            yield from timeline.place(at, samples)
            if timeline.full:
                return

    def _judge(self, reader: TrackReader, timeline: Timeline, empty: bool) -> None:
        """What the end of the audio says about the file."""
        if empty and reader.damages:
            reason = reader.damages[0].reason
            raise UsageError(f"{self.name}: audio track {self.track} cannot be decoded ({reason}): convert it first, or copy it again")
        if reader.broke_inside and self.allow_truncated:
            more = f" and {len(reader.damages) - 1} times more" if len(reader.damages) > 1 else ""
            self.degraded.append(f"{self.name} is damaged at {format_ms(reader.damages[0].at_ms)}{more}: what could not be read was left out")
        promised, reached = reader.promised_ms, reader.reached_ms
        if timeline.full:
            return
        if promised is not None and self.end_ms is not None:
            promised, reached = min(promised, self.end_ms), min(reached, self.end_ms)
        if promised is not None and abs(reached - promised) > TOLERANCE_MS:
            wrong = "the file is cut short" if reached < promised else "its header is wrong"
            self._fault(f"{self.name}: decoded {reached / 1000:.1f} s, but the container says {promised / 1000:.1f} s: {wrong}")
        elif promised is None and reader.broke_at_end:
            self._fault(f"{self.name} is cut short: its last packet at {format_ms(reader.damages[-1].at_ms)} is not whole")
        if empty:
            where = "" if not self.start_ms else f" after {format_ms(self.start_ms)}"
            raise UsageError(f"{self.name}: audio track {self.track} holds no sound{where}: give another file, track or part")

    def _fault(self, line: str) -> None:
        if not self.allow_truncated:
            raise StageFailed(f"{line}. {REMEDY}")
        self.degraded.append(line)
