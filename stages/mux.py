"""Puts the subtitles into a copy of the film, as tracks that a player can switch on and off. Nothing is encoded again.

A player's clock and ours start at the same moment: ffmpeg too moves the start of the film's own timeline to 0.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from pipeline import languages, media
from pipeline.errors import StageFailed, UsageError
from pipeline.media import MediaInfo, SubtitleTrack
from pipeline.stage import Outcome, Stage, StageContext
from stages.transcript import Track, Tracks, load

# What ffmpeg can write into MP4 without encoding it again; a film with anything else becomes an mkv.
MP4_CODECS = frozenset(
    "h264 hevc av1 vp9 mpeg4 mpeg2video mpeg1video mjpeg png aac mp3 mp2 ac3 eac3 dts alac flac opus vorbis".split()  # noqa: SIM905
)
# What becomes of the film's own subtitles in each container; those that are not listed are left out.
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
    },
    "mp4": {"mov_text": "copy", "dvd_subtitle": "copy", "subrip": "mov_text", "ass": "mov_text", "webvtt": "mov_text"},
}
OUR_CODEC = {"mkv": "srt", "mp4": "mov_text"}
ALPHA3 = {"mkv": languages.alpha3_bibliographic, "mp4": languages.alpha3_terminologic}

# Text that a player, or ffmpeg on the way to MP4, would take as markup: <i>, {\an8}, {y:i}, \N, &lt;
_MARKUP = re.compile(r"<(?=[/A-Za-z])|\{(?=\\|[A-Za-z]:)|\\(?=[Nnh{}])|&(?=#|[A-Za-z]+;)")
_WORD_JOINER = "\u2060"  # has no width, allows no line break, and what it stands in is no markup

_SHORTER_BY_MS = 2000  # at most, than the film: a track that is left out may be the one that ends last


def run(ctx: StageContext) -> Outcome:
    tracks = [track for track in load(ctx.read("subtitles/tracks.json"), Tracks).tracks if track.cues]
    info = media.probe(ctx.media)
    if why := _why_not(ctx, info, tracks):
        return Outcome(summary=f"No film with subtitles made: {why}")
    container = _container(info, ctx.settings.MUX_CONTAINER)
    output = ctx.deliver(f"{ctx.media.stem}.subtitled.{container}")
    arguments = [*_inputs(ctx, tracks), *_streams(info, container), *_our_tracks(info, container, tracks), *_form(ctx.settings.TITLE)]
    seconds = info.duration_ms / 1000
    media.run_ffmpeg(arguments, output, lambda done: ctx.progress(min(done, seconds), seconds))
    _check(info, output, len(tracks), container, allow_shorter=ctx.settings.ALLOW_TRUNCATED)
    ctx.progress(seconds, seconds)
    return Outcome(
        summary=f"Film with subtitles made: {container}, {', '.join(_title(track) for track in tracks)}",
        degraded=tuple(_left_out(info, container)),
        seconds_of_media=seconds,
    )


def _why_not(ctx: StageContext, info: MediaInfo, tracks: Sequence[Track]) -> str:
    if ctx.settings.MUX_CONTAINER == "none":
        return "MUX_CONTAINER=none"
    if info.video is None:
        return "the recording has no picture"
    return "" if tracks else "there are no subtitles to put into it"


def _container(info: MediaInfo, wanted: str) -> str:
    """mkv or mp4. Raises UsageError where mp4 was asked for and cannot hold the film."""
    codecs = {track.codec for track in info.audio} | {stream.codec for stream in info.others if stream.kind == "video"}
    if info.video:
        codecs.add(info.video.codec)
    strangers = sorted(codecs - MP4_CODECS)
    if wanted == "mp4" and strangers:
        raise UsageError(f"mp4 cannot hold {', '.join(strangers)}: set MUX_CONTAINER=mkv")
    if wanted == "auto":
        return "mp4" if info.format == "mov" and not strangers else "mkv"
    return wanted


def _inputs(ctx: StageContext, tracks: Sequence[Track]) -> list[str]:
    arguments = ["-fflags", "+genpts", *media.input_arguments(ctx.media)]  # avi has no presentation times
    for number, track in enumerate(tracks):
        path = ctx.scratch / f"{number}.srt"
        path.write_text(srt(track), encoding="utf-8")
        arguments += media.input_arguments(path, "srt")
    return arguments


def srt(track: Track) -> str:
    """SubRip text in which nothing is markup: the cues' text is literal."""
    cues = [(cue, [_MARKUP.sub(rf"\g<0>{_WORD_JOINER}", line) for line in cue.lines if line.strip()]) for cue in track.cues]
    return "".join(
        f"{number}\n{_srt_time(cue.start_ms)} --> {_srt_time(cue.end_ms)}\n" + "\n".join(lines) + "\n\n" for number, (cue, lines) in enumerate(cues, 1)
    )


def _srt_time(milliseconds: int) -> str:
    from pipeline.timecode import format_ms

    return format_ms(milliseconds).replace(".", ",")


def _streams(info: MediaInfo, container: str) -> list[str]:
    """The film's own streams: all but data, such as time codes, and what the container cannot hold. None is shown by default."""
    arguments = ["-map", "0", "-map", "-0:d?", "-ignore_unknown"]
    if container == "mp4":
        arguments += ["-map", "-0:t?"]  # attached files, such as fonts
    kept = _kept(info, container)
    for number, track in enumerate(info.subtitles):
        if track not in kept:
            arguments += ["-map", f"-0:s:{number}"]
    arguments += ["-c", "copy"]
    for number, track in enumerate(kept):
        flags = [flag for flag in track.dispositions if flag != "default"]
        arguments += [f"-c:s:{number}", KEPT_SUBTITLES[container][track.codec], f"-disposition:s:{number}", "+".join(flags) or "0"]
    return arguments


def _kept(info: MediaInfo, container: str) -> list[SubtitleTrack]:
    return [track for track in info.subtitles if track.codec in KEPT_SUBTITLES[container]]


def _our_tracks(info: MediaInfo, container: str, tracks: Sequence[Track]) -> list[str]:
    """After the film's own; the first one is shown unless the viewer chooses another."""
    arguments = []
    first = len(_kept(info, container))
    for number, track in enumerate(tracks):
        stream = f"s:{first + number}"
        arguments += ["-map", f"{number + 1}:s", f"-c:{stream}", OUR_CODEC[container]]
        arguments += [f"-disposition:{stream}", "default" if number == 0 else "0"]
        arguments += [f"-metadata:s:{stream}", f"language={ALPHA3[container](track.language)}"]
        for key in ("title", "handler_name"):  # players show the one in mkv, the other in mp4
            arguments += [f"-metadata:s:{stream}", f"{key}={_title(track)}"]
    return arguments


def _title(track: Track) -> str:
    name = languages.name(track.language)
    return f"{name} ({track.note})" if track.note else name


def _form(title: str) -> list[str]:
    """The same input gives the same bytes: no random ids, dates or versions."""
    arguments = ["-map_metadata", "0", "-map_chapters", "0", "-fflags", "+bitexact", "-flags:s", "+bitexact", "-strict", "experimental"]
    return [*arguments, "-metadata", f"title={title}"] if title else arguments


def _check(info: MediaInfo, output: Path, added: int, container: str, *, allow_shorter: bool) -> None:
    """ffmpeg ends well also where it could not read the film to its end."""
    made = media.probe(output)
    if len(made.subtitles) != len(_kept(info, container)) + added or len(made.audio) != len(info.audio):
        raise StageFailed("ffmpeg left out streams of the film: set MUX_CONTAINER=mkv, or none to go without")
    if info.promises and made.duration_ms < info.duration_ms - _SHORTER_BY_MS and not allow_shorter:
        lengths = f"{made.duration_ms / 1000:.0f} of {info.duration_ms / 1000:.0f} s"
        raise StageFailed(f"ffmpeg copied only {lengths} of the film: repair or copy it again, or accept it with ALLOW_TRUNCATED=true")


def _left_out(info: MediaInfo, container: str) -> list[str]:
    kept = _kept(info, container)
    lost = [track.describe() for track in info.subtitles if track not in kept]
    plain = [track.describe() for track in kept if track.codec == "ass" and container == "mp4"]
    files = [stream.codec for stream in info.others if stream.kind == "attachment" and container == "mp4"]
    remedy = "; MUX_CONTAINER=mkv keeps them" if container == "mp4" else ""
    notes = ((lost, "subtitles left out"), (plain, "subtitles without their styling"), (files, "attached files left out"))
    return [f"{container} cannot hold all of the film: {what}: {', '.join(names)}{remedy}" for names, what in notes if names]


STAGE = Stage(
    name="mux",
    run=run,
    reads=("subtitles/tracks.json",),
    settings=("MUX_CONTAINER", "TITLE", "ALLOW_TRUNCATED"),
    reads_media=True,
)
