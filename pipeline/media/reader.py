"""Read one audio track from an open container: packets to frames to 16 kHz mono runs, with the time of each."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sutradhar.pipeline.media import extent
from sutradhar.pipeline.media.damage import Damage, Gaps
from sutradhar.pipeline.media.formats import FORMATS
from sutradhar.pipeline.media.holes import CHECKED_EACH, HoleMeter, uncounted
from sutradhar.pipeline.media.levels import Meter
from sutradhar.pipeline.media.probe import MediaInfo
from sutradhar.pipeline.media.resample import Correction, Resampler, form_of
from sutradhar.pipeline.media.timeline import SAMPLE_RATE

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream

    from sutradhar.pipeline.media.timeline import WideSamples

_JITTER_US = 50_000  # times are rounded, and multiplexed with video: only what is further off is a gap or an overlap
# Where recordings were joined, the thresholds at which ffmpeg too takes times as starting anew (dts_delta_threshold).
_SPLICE_FORWARD_US = 10_000_000
_SPLICE_BACKWARD_US = 100_000
_PACKET_US = 500_000  # the most that a packet of a transport stream holds
_READ_AHEAD_US = 2_000_000  # a demuxer that complains may still hand out so much that it had read before
_HOPELESS = 100  # failed reads in a row, after which there is nothing more to come
_NOTED_HOLE_US = 10_000
_PAUSING = ("opus", "amr_nb", "amr_wb", "speex", "g723_1", "g729")  # codecs that leave packets out where nobody speaks
_JUMP_US = 150_000  # a hole by bytes that is longer than libav's own count by less than this is an unsteady bit rate


class TrackReader:
    """One pass over one track. After it `damage`, `reached_ms` and `promised_ms` tell how it went."""

    def __init__(
        self,
        container: InputContainer,
        track: int,
        info: MediaInfo,
        channel: int | None,
        holes: HoleMeter | None,
        correction: Correction | None,
        *,
        counts_samples: bool = False,
    ) -> None:
        """Prepare to read. `counts_samples`: the file's times are false, so that only the first of them is heeded."""
        self.container = container
        self.stream = container.streams.audio[track]
        self.format = FORMATS[info.format]
        self.channel = channel  # None mixes all
        self.correction = correction
        self.meter = Meter()
        self.origin_us = container.start_time or 0
        self.counts_samples = counts_samples
        self.damage = Damage()
        self.gaps = Gaps()
        self._pauses = info.audio[track].codec in _PAUSING
        # Where the packet before the present one ends by its own account, and the present one.
        self._told_us = self._packet_end_us = 0
        self._last_us = info.duration_ms * 1000 + _SPLICE_FORWARD_US  # no time beyond it can be true
        self._others_us = 0  # how far the other streams reach
        self._next_us = 0  # where the audio decoded so far ends
        self._run_us = 0  # where the present run of contiguous frames began
        self._run_frames = 0
        self._splice_us = 0  # added to times after a splice
        self._misplaced = True  # the next frame's place is to be taken from its time
        self._holes = holes  # where libav only counts frames
        self._packets_seen = 0  # of this stream
        self._index_us = 0  # chunks that libav has not counted
        self._draining = False  # the file is at its end: what still comes was in the decoder
        self._hole_us = 0  # length of the hole before the next frame, by the bytes that were passed over
        self.promised_ms = self._end_ms(info) if info.promises and not counts_samples else None
        if self.stream.duration:
            self._leave_out_others()

    def seek(self, milliseconds: int) -> bool:
        """Go to the packet before this film time. Returns False where that cannot be done; the container is then
        left anywhere."""
        import av

        try:
            self.container.seek(milliseconds * 1000 + self.origin_us)
        except av.FFmpegError:
            return False
        return True

    def runs(self) -> Iterator[tuple[int, WideSamples]]:
        """Yield the sample number on the film's clock, and the samples that begin there, in 32 bits."""
        resampler: Resampler | None = None
        at = 0
        for frame in self._frames():
            reached_us = self._next_us
            elsewhere = self._is_elsewhere(frame)
            if elsewhere and resampler and not self.damage.open:
                self._note_gap(frame)
            if elsewhere or resampler is None or resampler.form != form_of(frame):
                yield from _at(at, resampler.finish() if resampler else [])
                resampler = Resampler(frame, self.channel, self.correction)
                self._start_run(frame, elsewhere)
                at = round(self._run_us * SAMPLE_RATE / 1_000_000)
            if not self._draining:
                self.damage.close(max(self._run_us - reached_us, self._hole_us) if elsewhere else 0, self._next_us)
            self._run_frames += frame.samples
            self._next_us = self._run_us + self._run_frames * 1_000_000 // frame.sample_rate
            self.meter.feed(frame, self._next_us)
            for start, samples in _at(at, resampler.feed(frame)):
                yield start, self.correction.raise_parts(start, samples) if self.correction else samples
                at = start + len(samples)
        yield from _at(at, resampler.finish() if resampler else [])

    @property
    def broke_at_end(self) -> bool:
        """Tell whether the audio ends in damage. In a packet of several frames, damage is told at the first of them."""
        damage = self.damage
        is_last = damage.open or (
            self.format.splices and damage.places > 0 and self._next_us - damage.last_us < _PACKET_US
        )
        return is_last and not self.format.ends_in_tags

    @property
    def reached_ms(self) -> int:
        """Return where the audio ends, or all streams where the header tells of no stream alone, in ms."""
        return max(self._next_us, 0 if self.stream.duration else self._others_us) // 1000

    @property
    def rest_ms(self) -> int:
        """Estimate how much sound stood behind the last good frame, in ms, where only bytes tell."""
        return self._holes.rest_us() // 1000 if self._holes else 0

    @property
    def sound_ms(self) -> int:
        """Return where the audio itself ends, in ms."""
        return self._next_us // 1000

    @property
    def is_spliced(self) -> bool:
        return self._splice_us != 0

    @property
    def picture_ms(self) -> int:
        """Return where the picture of a broadcast ends, in ms: libav looks for it at the end of the file. 0 where it is
        not found there."""
        film = next(iter(self.container.streams.video), None)
        return (
            (_microseconds(film, (film.start_time or 0) + film.duration) - self.origin_us) // 1000
            if film and film.duration
            else 0
        )

    def _end_ms(self, info: MediaInfo) -> int:
        """Return where the audio ends by the header, or all streams where it does not tell for each."""
        if self.stream.duration and not self.format.counts_frames:
            own_ms = (
                _microseconds(self.stream, (self.stream.start_time or 0) + self.stream.duration) - self.origin_us
            ) // 1000
            return own_ms if extent.is_possible(own_ms, info.size, info.format) else info.duration_ms
        return info.duration_ms

    def _leave_out_others(self) -> None:
        from av.stream import Discard

        for stream in self.container.streams:
            if stream.index != self.stream.index:
                stream.discard = Discard.all

    def _packets(self) -> Iterator[Packet[Stream]]:
        import av

        failures = 0
        while failures < _HOPELESS:
            try:
                for packet in self.container.demux():
                    failures = 0
                    yield packet
                return
            except av.FFmpegError as error:
                failures += 1
                self._damaged(error.strerror or "unknown error", _READ_AHEAD_US)
            # PyAV's, at the end, where a stream appeared after the header: ours has been flushed by then.
            except IndexError:
                return

    def _frames(self) -> Iterator[AudioFrame]:
        from av.logging import Capture

        with Capture() as log:
            for packet in self._packets():
                self._heed(log)
                if packet.stream_index == self.stream.index:
                    yield from self._decoded(packet)
                elif packet.pts is not None:
                    end = _microseconds(packet.stream, packet.pts + (packet.duration or 0)) - self.origin_us
                    self._others_us = max(self._others_us, end)
            self._heed(log)

    def _decoded(self, packet: Packet[Stream]) -> Iterator[AudioFrame]:
        import av

        self._draining = not packet.size
        self._packets_seen += 1
        if packet.pts is not None:
            self._told_us = self._packet_end_us
            self._packet_end_us = (
                _microseconds(self.stream, packet.pts + (packet.duration or 0)) - self.origin_us + self._splice_us
            )
        if self.format.counts_chunks and packet.size and self._packets_seen % CHECKED_EACH == 0:
            self._look_up(packet)
        if self._holes and packet.size and self._holes.is_tag(packet):
            return
        try:
            frames: list[AudioFrame] = packet.decode()  # type: ignore[assignment]  # an audio packet gives audio
        except av.FFmpegError as error:
            packet, frames = self._without_junk(packet)
            if not frames:
                self._damaged(error.strerror or "unknown error")
                return
        if frames and packet.size and self._holes:
            self._measure(self._holes, packet, frames)
        yield from frames
        if packet.is_corrupt and self.format.marks_cuts:
            self._damaged("incomplete packet", _READ_AHEAD_US if self.format.timed else 0)

    def _without_junk(self, packet: Packet[Stream]) -> tuple[Packet[Stream], list[AudioFrame]]:
        """Decode the frame at the beginning of a packet that is no frame as a whole; no frames where that fails too."""
        import av

        for bare in self._holes.bare(packet) if self._holes else ():
            with contextlib.suppress(av.FFmpegError):
                return bare, self.stream.codec_context.decode(bare)
        return packet, []

    def _look_up(self, packet: Packet[Stream]) -> None:
        missing_us = _microseconds(self.stream, uncounted(self.stream, packet)) - self._index_us
        if missing_us > _JITTER_US:
            self._index_us += missing_us
            self._splice_us += missing_us
            self._damaged("chunks are missing")

    def _measure(self, holes: HoleMeter, packet: Packet[Stream], frames: list[AudioFrame]) -> None:
        self._hole_us = holes.hole_us(packet)
        if self._hole_us > _NOTED_HOLE_US:
            self._damaged("bytes that are no sound")
        holes.count(packet, sum(frame.samples * 1_000_000 // frame.sample_rate for frame in frames))

    def _heed(self, log: list[tuple[int, str, str]]) -> None:
        for _level, source, message in log:
            if source == self.format.complains_as:
                self._damaged(message.strip(), _READ_AHEAD_US)
        log.clear()

    def _damaged(self, reason: str, ahead_us: int = 0) -> None:
        """Note damage. `ahead_us`: how much good sound may have been read before the place, and is yet to come."""
        self.damage.add(self._next_us, reason, self._next_us + ahead_us)
        self._misplaced = True

    def _time_us(self, frame: AudioFrame) -> int | None:
        if frame.pts is None or (self.counts_samples and self._run_frames):
            return None
        return _microseconds(self.stream, frame.pts) - self.origin_us + self._splice_us

    def _is_elsewhere(self, frame: AudioFrame) -> bool:
        """Tell whether this frame does not simply follow the one before, but belongs where its time says."""
        time_us = self._time_us(frame)
        if time_us is None:
            return False
        ahead = time_us - self._next_us
        if self._hole_us > max(0, ahead) + _JUMP_US:
            self._splice_us += self._hole_us - ahead
        if self.format.splices and self._is_splice(ahead, time_us):
            self._splice_us -= ahead
            return False
        if not self.format.splices and time_us > self._last_us and ahead > _SPLICE_FORWARD_US:
            self._damaged("a time far beyond the end")
            return False
        return self._misplaced or (self.format.timed and abs(ahead) > _JITTER_US)

    def _note_gap(self, frame: AudioFrame) -> None:
        """Note a gap before this frame, unless the file itself says that the sound before lasts until now."""
        time_us = self._time_us(frame)
        if time_us is None or self._pauses or not self.format.timed:
            return
        ahead_us = time_us - self._next_us
        if ahead_us < -_JITTER_US or (ahead_us > _JITTER_US and self._told_us < time_us - _JITTER_US):
            self.gaps.add(self._next_us, ahead_us)

    def _is_splice(self, ahead_us: int, time_us: int) -> bool:
        if -_SPLICE_BACKWARD_US <= ahead_us <= _SPLICE_FORWARD_US:
            return False
        is_hole = 0 < ahead_us and time_us <= self._last_us
        return not self._misplaced or (self.damage.open and self._next_us > 0 and not is_hole)

    def _start_run(self, frame: AudioFrame, elsewhere: bool) -> None:
        time_us = self._time_us(frame)
        self._run_frames = 0
        if elsewhere and time_us is not None:
            self._run_us = time_us
            self._misplaced = False
        else:
            self._run_us = self._next_us


def _microseconds(stream: Stream, timestamp: int) -> int:
    base = stream.time_base
    return timestamp * 1_000_000 * base.numerator // base.denominator if base else 0


def _at(position: int, pieces: list[WideSamples]) -> Iterator[tuple[int, WideSamples]]:
    """Yield pieces that follow each other from a position on."""
    for samples in pieces:
        yield position, samples
        position += len(samples)
