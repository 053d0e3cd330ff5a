"""The plan for each stream of the film in its copy with subtitles. It is known from the film alone, before any work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sutradhar.pipeline import media
from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.media import AudioTrack, MediaInfo, OtherStream

# Codecs that players expect in MP4; ffmpeg would write more into it. A film with anything else becomes an mkv.
MP4_CODECS = frozenset(
    """h264 hevc av1 vp9 mpeg4 mpeg2video mpeg1video mjpeg png aac mp3 mp2
    ac3 eac3 dts alac flac opus vorbis""".split()  # noqa: SIM905
)
# The treatment of the film's own subtitles in each container. "srt" is converted; codecs not listed are left out.
KEPT_SUBTITLES = {
    "mkv": {
        "subrip": "copy",
        "ass": "copy",
        "webvtt": "copy",
        "hdmv_pgs_subtitle": "copy",
        "hdmv_text_subtitle": "copy",
        "dvd_subtitle": "copy",
        "dvb_subtitle": "copy",
        "mov_text": "srt",
        "eia_608": "srt",
    },
    "mp4": {
        "mov_text": "copy",
        "dvd_subtitle": "copy",
        "subrip": "srt",
        "ass": "srt",
        "webvtt": "srt",
        "eia_608": "srt",
    },
}
COPY = "copy"


@dataclass(frozen=True)
class StreamPart:
    """A stream that the copy keeps."""

    stream: str  # ffmpeg's name of it among the film's: "a:1"
    encoder: str = COPY


@dataclass(frozen=True)
class CopyPlan:
    container: str  # mkv or mp4
    parts: tuple[StreamPart, ...]  # picture and sound, in the order of the copy
    notes: tuple[str, ...]  # the streams that are not kept as they are, a line each
    impossible: str = ""  # the reason why there can be no copy with subtitles at all

    @property
    def encoded(self) -> list[StreamPart]:
        return [part for part in self.parts if part.encoder != COPY]


def make_plan(path: Path, info: MediaInfo, wanted: str) -> CopyPlan:
    """Plan the copy for MUX_CONTAINER=`wanted`. Raises UsageError where mp4 was asked for and cannot hold the film."""
    mute = {track.index: why for track in _strangers(info) if (why := media.why_not_decoded(path, track.index))}
    if wanted == "mkv" or (wanted == "auto" and info.format != "mov"):
        return _plan_for("mkv", path, info, mute)
    if not (unfit := _unfit_for_mp4(path, info, mute)):
        return _plan_for("mp4", path, info, mute)
    cannot = f"mp4 cannot hold {', '.join(unfit)}"
    if wanted == "mp4":
        raise UsageError(f"{cannot}: set MUX_CONTAINER=mkv")
    plan = _plan_for("mkv", path, info, mute)
    return replace(plan, notes=(f"{cannot}: the film with subtitles is an mkv", *plan.notes))


def _plan_for(container: str, path: Path, info: MediaInfo, mute: Mapping[int, str]) -> CopyPlan:
    refused = _refused(container, path, info)
    parts = [StreamPart(stream) for stream in [*_videos(info), *_covers(info, container)] if stream not in refused]
    notes = []
    for track in info.audio:
        part, note = _sound(path, track, refused, mute, container)
        parts += [part] if part else []
        notes += [note] if note else []
    impossible = (
        f"{container} cannot hold its picture ({info.video.codec}): {refused['V:0']}"
        if info.video and "V:0" in refused
        else ""
    )
    return CopyPlan(container, tuple(parts), (*notes, *_lost(info, container, refused)), impossible)


def _refused(container: str, path: Path, info: MediaInfo) -> Mapping[str, str]:
    return media.refusals(path, container, [*_videos(info), *_sounds(info)], _covers(info, container))


def _strangers(info: MediaInfo) -> list[AudioTrack]:
    return [track for track in info.audio if track.codec not in MP4_CODECS]


def _unfit_for_mp4(path: Path, info: MediaInfo, mute: Mapping[int, str]) -> list[str]:
    """Return the codecs that players do not expect in mp4, or else those that it would lose and another container may
    keep."""
    pictures = [stream.codec for stream in info.others if _is_film(stream)] + ([info.video.codec] if info.video else [])
    codecs = {track.codec for track in info.audio if track.index not in mute}.union(pictures)
    if strangers := sorted(codecs - MP4_CODECS):
        return strangers
    refused = _refused("mp4", path, info)
    lost = [info.video.codec] if info.video and "V:0" in refused else []
    tracks = [track for track in info.audio if f"a:{track.index}" in refused and track.index not in mute]
    return lost + [track.codec for track in tracks if not media.why_not_decoded(path, track.index)]


def _is_film(stream: OtherStream) -> bool:
    return stream.kind == "video" and not stream.picture


def _videos(info: MediaInfo) -> list[str]:
    return ["V:0", *(str(stream.index) for stream in info.others if _is_film(stream))]


def _covers(info: MediaInfo, container: str) -> list[str]:
    """Name the covers that become streams: none in mkv, where they are attached files."""
    return [str(stream.index) for stream in info.others if stream.picture] if container == "mp4" else []


def _sounds(info: MediaInfo) -> list[str]:
    return [f"a:{track.index}" for track in info.audio]


def _sound(
    path: Path, track: AudioTrack, refused: Mapping[str, str], mute: Mapping[int, str], container: str
) -> tuple[StreamPart | None, str]:
    """Decide about an audio track. Returns its part in the copy, and a note to tell."""
    stream, name = f"a:{track.index}", f"audio track {track.index}, {track.describe()}"
    if stream not in refused:
        return StreamPart(stream), ""
    if why := mute.get(track.index) or media.why_not_decoded(path, track.index):
        return None, f"{container} cannot hold {name}, and nothing decodes it: left out ({why})"
    encoder = media.encoder_without_loss(path, track.index)
    return StreamPart(stream, encoder), f"{container} cannot hold {name}: encoded without loss, to {encoder}"


def _lost(info: MediaInfo, container: str, refused: Mapping[str, str]) -> Iterator[str]:
    kept = KEPT_SUBTITLES[container]
    subtitles = [track.describe() for track in info.subtitles if track.codec not in kept]
    plain = [track.describe() for track in info.subtitles if track.codec == "ass" and container == "mp4"]
    files = [stream.codec for stream in info.others if stream.kind == "attachment" and container == "mp4"]
    pictures = [stream.codec for stream in info.others if str(stream.index) in refused]
    notes = (
        (subtitles, "subtitles left out"),
        (plain, "subtitles without their styling"),
        (files, "attached files left out"),
    )
    remedy = "; MUX_CONTAINER=mkv keeps them" if container == "mp4" else ""
    for names, what in (*notes, (pictures, "pictures left out")):
        if names:
            yield f"{container} cannot hold all of the film: {what}: {', '.join(names)}{remedy}"
    if data := [
        stream.describe() for stream in info.others if stream.kind in ("data", "unknown") and not stream.told_elsewhere
    ]:
        yield f"The film with subtitles has picture, sound and subtitles only: data tracks left out: {', '.join(data)}"
