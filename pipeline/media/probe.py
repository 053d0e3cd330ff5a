"""Tell what is in a media file, without decoding it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.files import FileRecord
from sutradhar.pipeline.media import extent, mp3
from sutradhar.pipeline.media.container import open_media, shown
from sutradhar.pipeline.media.damage import bearable_ms
from sutradhar.pipeline.media.formats import FORMATS, ContainerFormat
from sutradhar.pipeline.wording import counted

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.stream import Stream
    from av.subtitles.stream import SubtitleStream
    from av.video.stream import VideoStream as LibavVideo

# A few kilobytes can unfold into any amount of audio: a file beyond every film or recording is refused.
MAX_HOURS = 24  # a day's recording; 2.8 GB as 16 kHz samples
MAX_CHANNELS = 32  # 22.2 has 24
MAX_SAMPLE_RATE = 768_000  # Hz, the highest rate that converters for sale have

UNKNOWN_CODEC = "unknown codec"
_NO_START_US = 1_000_000  # a timeline that starts earlier than this starts at 0, but for the priming of an encoder
_IMAGES = {
    "png": ("image/png", "png"),
    "mjpeg": ("image/jpeg", "jpg"),
    "gif": ("image/gif", "gif"),
    "webp": ("image/webp", "webp"),
}
# Titles of a track that programs write by themselves.
_NO_TITLE = re.compile(r"handler|core media|iso media|muxer|mainconcept", re.IGNORECASE)
_PIECE = 1 << 20  # bytes of head, middle and tail that identify a file


class VideoStream(msgspec.Struct, frozen=True):
    codec: str
    width: int
    height: int
    fps: float  # average; 0.0 where unknown
    title: str = ""


class AudioTrack(msgspec.Struct, frozen=True):
    index: int  # among the file's audio tracks
    codec: str
    channels: int
    sample_rate: int  # Hz
    language: str  # as tagged, "" where it is not
    title: str
    default: bool
    start_ms: int  # on the film's clock
    dispositions: tuple[str, ...] = ()  # ffmpeg's names: "default", "comment", "visual_impaired"

    def describe(self) -> str:
        """Return `hin (ac3, 6 channels), Director's commentary`."""
        title = f", {self.title}" if self.title else ""
        return f"{self.language or 'language not tagged'} ({self.codec}, {counted(self.channels, 'channel')}){title}"


class SubtitleTrack(msgspec.Struct, frozen=True):
    codec: str
    language: str
    title: str
    dispositions: tuple[str, ...]  # ffmpeg's names: "default", "forced", "hearing_impaired"

    def describe(self) -> str:
        forced = ", forced" if "forced" in self.dispositions else ""
        return f"{self.language or 'language not tagged'} ({self.codec}{forced})"


class OtherStream(msgspec.Struct, frozen=True):
    """A further video, a cover picture, an attached file, or data such as a time code."""

    index: int  # among all streams of the file
    kind: str  # "video", "attachment", "data", "unknown"
    codec: str  # of an attached file its name
    picture: bool  # an attached picture: not part of the film
    told_elsewhere: bool = False  # a time code or the names of chapters, which the film's own tags hold too
    language: str = ""
    title: str = ""

    def describe(self) -> str:
        """Return `eng (bin_data), GoPro MET`."""
        return f"{self.language or 'language not tagged'} ({self.codec}){self.title and f', {self.title}'}"


class Picture(msgspec.Struct, frozen=True):
    """A cover, as an image file."""

    name: str
    mimetype: str
    data: bytes


class MediaInfo(msgspec.Struct, frozen=True):
    format: str  # libavformat's name of the container: "matroska", "mov"
    duration_ms: int
    promises: bool  # its header says how long it is, and in this format that can be relied on
    start_ms: int  # where the container's own timeline starts; 0 on the film's clock
    size: int  # bytes
    # Bytes that the file's structure promises beyond its end, or that cannot be read there: it was cut short.
    missing_bytes: int
    misses_more: bool  # more is missing than these bytes, and nothing says how much
    zeros: int  # bytes at its end that are 0 where sound should be
    video: VideoStream | None
    audio: tuple[AudioTrack, ...]  # at least one
    subtitles: tuple[SubtitleTrack, ...]
    others: tuple[OtherStream, ...]
    untrue_ms: int = 0  # the length that its header tells, where so few bytes cannot hold it
    title: str = ""

    @property
    def is_cut_short(self) -> bool:
        """Tell whether so much is missing at the file's end that it is not worth having. The sound's share is taken
        to be the file's."""
        lost_ms = self.duration_ms * self.missing_bytes // max(1, self.size)
        unbearable = not self.duration_ms or lost_ms > bearable_ms(self.duration_ms + lost_ms, at_end=True)
        return self.missing_bytes > 0 and unbearable

    @property
    def promise(self) -> str:
        """Say what the file's structure promises of its size, where that is more than there is."""
        if self.misses_more:
            return (
                f"is cut short: its last {self.missing_bytes:,} bytes are missing or cannot be read"
                if self.is_cut_short
                else extent.TORN
            )
        return (
            f"is cut short: its header promises {self.missing_bytes:,} bytes more than the {self.size:,} that are there"
        )

    @property
    def fault(self) -> str:
        """Say how it shows, before anything is decoded, that too much is missing at the file's end; "" where it does
        not."""
        if self.is_cut_short:
            return self.promise
        if self.promises and not self.misses_more and self.format != "mov":
            return ""
        # A download that set room aside, or padding if they are few.
        lost_ms = self.duration_ms * self.zeros // max(1, self.size)
        if lost_ms > bearable_ms(self.duration_ms, at_end=True):
            return f"is cut short: its last {self.zeros:,} of {self.size:,} bytes are all 0"
        return ""


def probe(path: Path) -> MediaInfo:
    """Look at a film or recording. Raises UsageError where it is none, has no audio, or is beyond the limits."""
    with open_media(path, strict=False) as container:
        name = _format_name(container)
        start_us = container.start_time or 0
        told_us = mp3.promised_ms(path) * 1000 if name == "mp3" else 0
        promised_us = told_us or _promised_us(container, FORMATS[name], start_us)
        relies = FORMATS[name].promises or told_us > 0
        untrue_us = (
            promised_us if relies and not extent.is_possible(promised_us // 1000, path.stat().st_size, name) else 0
        )
        promised_us = 0 if untrue_us else promised_us
        missing = extent.missing(path)
        films = [stream for stream in container.streams.video if not _is_picture(stream)]
        info = MediaInfo(
            format=name,
            duration_ms=(promised_us or _measured_us(container, start_us)) // 1000,
            promises=promised_us > 0 and (relies or (name == "ogg" and extent.has_last_page(path))),
            start_ms=start_us // 1000,
            size=path.stat().st_size,
            missing_bytes=missing.bytes,
            misses_more=missing.more,
            zeros=missing.zeros,
            video=_video(films[0]) if films else None,
            audio=tuple(_audio(stream, index, start_us) for index, stream in enumerate(container.streams.audio)),
            subtitles=tuple(_subtitles(stream) for stream in container.streams.subtitles),
            others=tuple(
                _other(stream, len(container.chapters()))
                for stream in container.streams
                if _is_other(stream, films[:1])
            ),
            untrue_ms=untrue_us // 1000,
            title=container.metadata.get("title", "").strip(),
        )
    _check(info, shown(path))
    return info


def pictures(path: Path) -> list[Picture]:
    """Return the covers attached to a film. Raises UsageError as `probe` does."""
    found = []
    with open_media(path, strict=False) as container:
        covers = [stream for stream in container.streams.video if _is_picture(stream)]
        for packet in container.demux() if covers else ():
            if packet.stream not in covers:
                break  # attached pictures come before everything else
            mimetype, suffix = _IMAGES.get(_codec(packet.stream), ("application/octet-stream", "bin"))
            name = packet.stream.metadata.get("filename") or f"cover.{suffix}"
            found.append(Picture(name, mimetype, bytes(packet)))
    return found


def identity(path: Path) -> FileRecord:
    """Return size, time of change, and sha256 over the size and the first, middle and last MiB: enough to notice
    that a film was replaced.

    Raises OSError."""
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        digest = hashlib.sha256(str(status.st_size).encode())
        for position in (0, max(0, status.st_size // 2 - _PIECE // 2), max(0, status.st_size - _PIECE)):
            file.seek(position)
            digest.update(file.read(_PIECE))
    return FileRecord(status.st_size, status.st_mtime_ns, digest.hexdigest())


def _format_name(container: InputContainer) -> str:
    return next(name for name in container.format.name.split(",") if name in FORMATS)


def _promised_us(container: InputContainer, form: ContainerFormat, start_us: int) -> int:
    """Return the duration by the header, 0 where it does not tell."""
    return 0 if form.ambiguous_end and start_us > _NO_START_US else container.duration or 0


def _measured_us(container: InputContainer, start_us: int) -> int:
    """Return the duration of a file whose header does not tell, such as a live recording: the end of its last
    packet."""
    import av

    end = 0
    with contextlib.suppress(av.FFmpegError):  # damage is told where the sound is decoded
        for packet in container.demux():
            if packet.pts is not None:
                end = max(end, int((packet.pts + (packet.duration or 0)) * packet.time_base * 1_000_000) - start_us)
    return end


def _is_picture(stream: Stream) -> bool:
    return "attached_pic" in _dispositions(stream)


def _is_other(stream: Stream, films: list[LibavVideo]) -> bool:
    return stream.type not in ("audio", "subtitle") and stream not in films


def _dispositions(stream: Stream) -> tuple[str, ...]:
    from av.stream import Disposition

    return tuple(str(flag.name) for flag in Disposition if flag & stream.disposition)


def _codec(stream: Stream) -> str:
    if stream.type == "data":
        return stream.name or UNKNOWN_CODEC
    return stream.codec_context.codec.canonical_name if stream.codec_context else UNKNOWN_CODEC


def _language(stream: Stream) -> str:
    tag = stream.metadata.get("language", "")
    return "" if tag == "und" else tag


def _track_title(stream: Stream) -> str:
    """Return the title, which mp4 calls name, or keeps where programs write who handles the track."""
    handler = stream.metadata.get("handler_name", "").strip()
    return stream.metadata.get("title") or stream.metadata.get("name") or ("" if _NO_TITLE.search(handler) else handler)


def _video(stream: LibavVideo) -> VideoStream:
    context = stream.codec_context
    return VideoStream(
        _codec(stream),
        context.width if context else 0,
        context.height if context else 0,
        float(stream.average_rate or 0),
        _track_title(stream),
    )


def _audio(stream: AudioStream, index: int, start_us: int) -> AudioTrack:
    begins = stream.start_time
    context = stream.codec_context
    return AudioTrack(
        index=index,
        codec=_codec(stream),
        channels=context.channels if context else 0,
        sample_rate=context.sample_rate if context else 0,
        language=_language(stream),
        title=_track_title(stream),
        default="default" in _dispositions(stream),
        start_ms=(int(begins * stream.time_base * 1_000_000) - start_us) // 1000
        if begins is not None and stream.time_base
        else 0,
        dispositions=_dispositions(stream),
    )


def _subtitles(stream: SubtitleStream) -> SubtitleTrack:
    return SubtitleTrack(_codec(stream), _language(stream), _track_title(stream), _dispositions(stream))


def _other(stream: Stream, chapters: int) -> OtherStream:
    codec = stream.metadata.get("filename") or _codec(stream) if stream.type == "attachment" else _codec(stream)
    # In mov chapters are a track of texts.
    told = stream.type == "data" and ("timecode" in stream.metadata or (chapters > 0 and stream.frames == chapters))
    return OtherStream(
        stream.index, stream.type, codec, _is_picture(stream), told, _language(stream), _track_title(stream)
    )


def _check(info: MediaInfo, name: str) -> None:
    if not info.audio:
        found = [info.video.codec] if info.video else []
        found += [track.codec for track in info.subtitles] + [stream.codec for stream in info.others]
        raise UsageError(f"{name} has no audio track, only {', '.join(found) or 'nothing'}: give a file with sound")
    if all(track.codec == UNKNOWN_CODEC for track in info.audio):
        raise UsageError(f"{name}: its sound is in a codec that is not known here: convert it first")
    if info.duration_ms > MAX_HOURS * 3_600_000:
        raise UsageError(
            f"{name} lasts {info.duration_ms / 3_600_000:.1f} hours, and the limit is {MAX_HOURS}: cut it into parts"
        )
    for track in info.audio:
        where = f"{name}: audio track {track.index} has"
        if track.channels > MAX_CHANNELS:
            raise UsageError(f"{where} {track.channels} channels, and the limit is {MAX_CHANNELS}: mix it down first")
        if track.sample_rate > MAX_SAMPLE_RATE:
            raise UsageError(
                f"{where} {track.sample_rate} samples a second, and the limit is {MAX_SAMPLE_RATE}: resample it first"
            )
