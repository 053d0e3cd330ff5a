"""Puts the subtitles into a copy of the film, as tracks that a player can switch on and off. Sound and picture are not encoded again.

A player's clock and ours start at the same moment: ffmpeg too moves the start of the film's own timeline to 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pipeline import languages, media
from pipeline.errors import StageFailed, UsageError
from pipeline.media import MediaInfo
from pipeline.stage import Outcome, Stage, StageContext
from stages.subrip import literal_srt
from stages.transcript import Track, Tracks, load

# What ffmpeg can write into MP4 without encoding it again; a film with anything else becomes an mkv.
MP4_CODECS = frozenset(
    "h264 hevc av1 vp9 mpeg4 mpeg2video mpeg1video mjpeg png aac mp3 mp2 ac3 eac3 dts alac flac opus vorbis".split()  # noqa: SIM905
)
# What becomes of the film's own subtitles in each container. "srt" is converted; those that are not listed are left out.
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
    "mp4": {"mov_text": "copy", "dvd_subtitle": "copy", "subrip": "srt", "ass": "srt", "webvtt": "srt"},
}
SRT_BECOMES = {"mkv": "srt", "mp4": "mov_text"}
ALPHA3 = {"mkv": languages.alpha3_bibliographic, "mp4": languages.alpha3_terminologic}

_MORE = 100  # a hundredth, than the film: subtitles, and what one container takes for its index and another does not
_SHORTER_BY_MS = 2000  # at most, than the film: a track that is left out may be the one that ends last


def run(ctx: StageContext) -> Outcome:
    tracks = [track for track in load(ctx.read("subtitles/tracks.json"), Tracks).tracks if track.cues]
    info = media.probe(ctx.media)
    if why := _why_not(ctx, info, tracks):
        return Outcome(summary=f"No film with subtitles made: {why}")
    film = _Copy(ctx, info, _container(info, ctx.settings.MUX_CONTAINER))
    film.take_subtitles()
    for number, track in enumerate(tracks):
        film.add(track, shown=number == 0)
    seconds = info.duration_ms / 1000
    output = ctx.deliver(f"{ctx.stem}.subtitled.{film.container}")
    ctx.check_room(output, info.size + info.size // _MORE)
    media.run_ffmpeg(film.arguments(), output, lambda done: ctx.progress(min(done, seconds), seconds))
    film.check(output)
    ctx.progress(seconds, seconds)
    return Outcome(
        summary=f"Film with subtitles made: {film.container}, {', '.join(_title(track) for track in tracks)}",
        engine={"backend": media.ffmpeg_version()},
        packages=("av",),
        degraded=tuple(film.left_out()),
        seconds_of_media=seconds,
    )


def _why_not(ctx: StageContext, info: MediaInfo, tracks: list[Track]) -> str:
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


def _title(track: Track) -> str:
    name = languages.name(track.language)
    return f"{name} ({track.note})" if track.note else name


@dataclass
class _Copy:
    """The film to be, and the ffmpeg arguments that make it."""

    ctx: StageContext
    info: MediaInfo
    container: str
    inputs: list[str] = field(default_factory=list)  # after the film itself, which is input 0
    subtitles: list[str] = field(default_factory=list)  # -map, codec, flags and names of each subtitle track, in order
    count: int = 0  # subtitle tracks so far
    files: int = 0  # SubRip files among the inputs

    def take_subtitles(self) -> None:
        """The film's own tracks: copied, or converted where the container holds no such thing; none is shown by default."""
        for number, track in enumerate(self.info.subtitles):
            flags = [flag for flag in track.dispositions if flag != "default"]
            become = KEPT_SUBTITLES[self.container].get(track.codec)
            if become == "copy":
                self._map(f"0:s:{number}", "copy", flags)
            elif become == "srt":
                # In a call of its own: where ffmpeg converts what it copies beside, the order of packets changes from run to run.
                path = self.ctx.scratch / f"film-{number}.srt"
                media.run_ffmpeg([*media.input_arguments(self.ctx.media), "-map", f"0:s:{number}", "-c", "srt", "-f", "srt"], path)
                self._map_file(path, flags, track.language, track.title)

    def add(self, track: Track, *, shown: bool) -> None:
        path = self.ctx.scratch / f"ours-{self.files}.srt"
        path.write_text(literal_srt(track.cues), encoding="utf-8")
        self._map_file(path, ["default"] if shown else [], ALPHA3[self.container](track.language), _title(track))

    def arguments(self) -> list[str]:
        film = ["-fflags", "+genpts", *media.input_arguments(self.ctx.media)]  # avi has no presentation times
        own = ["-map", "0", "-map", "-0:s?", "-map", "-0:d?", "-ignore_unknown", "-c", "copy", "-map_metadata", "0", "-map_chapters", "0"]
        # The same input gives the same bytes: no random ids, dates or versions.
        form = ["-fflags", "+bitexact", "-flags:s", "+bitexact", "-strict", "experimental"]
        title = ["-metadata", f"title={self.ctx.settings.TITLE}"] if self.ctx.settings.TITLE else []
        return [*film, *self.inputs, *own, *self._attachments(), *self.subtitles, *form, *title]

    def check(self, output: Path) -> None:
        """ffmpeg ends well also where it could not read the film to its end. Raises StageFailed."""
        made = media.probe(output)
        if len(made.subtitles) != self.count or len(made.audio) != len(self.info.audio):
            raise StageFailed("ffmpeg left out tracks of the film: set MUX_CONTAINER=mkv, or none to go without")
        shorter = made.duration_ms < self.info.duration_ms - _SHORTER_BY_MS
        if self.info.promises and shorter and not self.ctx.settings.ALLOW_TRUNCATED:
            lengths = f"{made.duration_ms / 1000:.0f} of {self.info.duration_ms / 1000:.0f} s"
            raise StageFailed(f"ffmpeg copied only {lengths} of the film: repair or copy it again, or accept it with ALLOW_TRUNCATED=true")

    def left_out(self) -> list[str]:
        kept = KEPT_SUBTITLES[self.container]
        lost = [track.describe() for track in self.info.subtitles if track.codec not in kept]
        plain = [track.describe() for track in self.info.subtitles if track.codec == "ass" and self.container == "mp4"]
        files = [stream.codec for stream in self.info.others if stream.kind == "attachment" and self.container == "mp4"]
        remedy = "; MUX_CONTAINER=mkv keeps them" if self.container == "mp4" else ""
        notes = ((lost, "subtitles left out"), (plain, "subtitles without their styling"), (files, "attached files left out"))
        return [f"{self.container} cannot hold all of the film: {what}: {', '.join(names)}{remedy}" for names, what in notes if names]

    def _map(self, source: str, codec: str, flags: list[str]) -> str:
        stream = f"s:{self.count}"
        self.count += 1
        self.subtitles += ["-map", source, f"-c:{stream}", codec, f"-disposition:{stream}", "+".join(flags) or "0"]
        return stream

    def _map_file(self, path: Path, flags: list[str], language: str, title: str) -> None:
        self.files += 1
        self.inputs += media.input_arguments(path, "srt")
        stream = self._map(f"{self.files}:s", SRT_BECOMES[self.container], flags)
        # In mp4 VLC shows the title (which makes newer ffmpegs say "UDTA parsing failed" of what they wrote themselves), others the handler's name.
        for key, value in (("language", language), ("title", title), ("handler_name", title)):
            if value:
                self.subtitles += [f"-metadata:s:{stream}", f"{key}={value}"]

    def _attachments(self) -> list[str]:
        """Covers are attached files in mkv, which ffmpeg does not make of them by itself; mp4 can hold covers, but no files."""
        if self.container == "mp4":
            return ["-map", "-0:t?"]
        arguments = [text for stream in self.info.others if stream.picture for text in ("-map", f"-0:{stream.index}")]
        first = sum(stream.kind == "attachment" for stream in self.info.others)
        for number, picture in enumerate(media.pictures(self.ctx.media)):
            path = self.ctx.scratch / f"picture-{number}"
            path.write_bytes(picture.data)
            arguments += ["-attach", str(path)]
            for key, value in (("mimetype", picture.mimetype), ("filename", picture.name)):
                arguments += [f"-metadata:s:t:{first + number}", f"{key}={value}"]
        return arguments


STAGE = Stage(
    name="mux",
    run=run,
    reads=("subtitles/tracks.json",),
    settings=("MUX_CONTAINER", "TITLE", "ALLOW_TRUNCATED"),
    reads_media=True,
)
