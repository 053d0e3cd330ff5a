"""Put the subtitles into a copy of the film, as tracks that a player can switch on and off, without encoding sound
and picture again.

A player's clock and ours start at the same moment: ffmpeg too moves the start of the film's own timeline to 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from sutradhar.pipeline import languages, media
from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.jobs.stage import Outcome, Stage, StageContext
from sutradhar.pipeline.media import MediaInfo
from sutradhar.stages.film.mux.plan import COPY, KEPT_SUBTITLES, CopyPlan, StreamPart, make_plan
from sutradhar.stages.film.mux.subrip import literal_srt
from sutradhar.stages.transcript import Track, Tracks, load

SRT_BECOMES = {"mkv": "srt", "mp4": "mov_text"}
ALPHA3 = {"mkv": languages.alpha3_bibliographic, "mp4": languages.alpha3_terminologic}

_MORE = 100  # a hundredth, than the film: subtitles, and the containers' differences in what they take for their index
_SAMPLE_BYTES = 4  # of sound that has to be encoded
_SHORTER_BY_MS = 2000  # at most, than the film: a track that is left out may be the one that ends last


def run(ctx: StageContext) -> Outcome:
    tracks = [track for track in load(ctx.read("tracks"), Tracks).tracks if track.cues]
    info = media.probe(ctx.media)
    if why := _why_not(ctx, info, tracks):
        return Outcome(summary=f"No film with subtitles made: {why}")
    planned = make_plan(ctx.media, info, ctx.settings.MUX_CONTAINER)
    output = ctx.deliver(f"{ctx.stem}.subtitled.{planned.container}")
    try:
        notes = _make(ctx, info, planned, tracks, output)
    except media.NotWritten as error:  # the subtitles are there all the same: hours of work have not failed
        output.unlink(missing_ok=True)
        return Outcome(
            summary="No film with subtitles made",
            degraded=(f"No film with subtitles made: {error}. --force mux tries again",),
        )
    return Outcome(
        summary=f"Film with subtitles made: {planned.container}, {', '.join(_title(track) for track in tracks)}",
        engine={"backend": media.ffmpeg_version()},
        packages=("av",),
        degraded=(*planned.notes, *notes),
        seconds_of_media=info.duration_ms / 1000,
    )


def foresee(path: Path, settings: Settings) -> tuple[str, ...]:
    """Say what the copy of the film will lack, a line each. Raises UsageError where MUX_CONTAINER=mp4 is impossible."""
    if settings.MUX_CONTAINER == "none" or (info := media.probe(path)).video is None:
        return ()
    planned = make_plan(path, info, settings.MUX_CONTAINER)
    return (f"There will be no film with subtitles: {planned.impossible}",) if planned.impossible else planned.notes


def _make(ctx: StageContext, info: MediaInfo, planned: CopyPlan, tracks: list[Track], output: Path) -> list[str]:
    """Make the copy. Returns the parts of the plan that failed. Raises NotWritten where all of it did, and
    StageFailed where the disk is full."""
    if planned.impossible:
        raise media.NotWritten(planned.impossible)
    ctx.check_room(output, info.size + info.size // _MORE + sum(_encoded_size(info, part) for part in planned.encoded))
    film = _Copy(ctx, info, planned)
    film.take_sound()
    film.take_subtitles()
    for number, track in enumerate(tracks):
        film.add(track, shown=number == 0)
    seconds = info.duration_ms / 1000
    media.run_ffmpeg(film.arguments(), output, lambda done: ctx.progress(min(done, seconds), seconds))
    film.check(output)
    ctx.progress(seconds, seconds)
    return film.notes


def _encoded_size(info: MediaInfo, part: StreamPart) -> int:
    """Return the most bytes that an encoded track takes: on its way, and again in the film."""
    track = info.audio[int(part.stream.removeprefix("a:"))]
    return 2 * track.channels * track.sample_rate * _SAMPLE_BYTES * info.duration_ms // 1000


def _why_not(ctx: StageContext, info: MediaInfo, tracks: list[Track]) -> str:
    if ctx.settings.MUX_CONTAINER == "none":
        return "MUX_CONTAINER=none"
    if info.video is None:
        return "the recording has no picture"
    return "" if tracks else "there are no subtitles to put into it"


def _title(track: Track) -> str:
    name = languages.name(track.language)
    return f"{name} ({track.note})" if track.note else name


@dataclass
class _Copy:
    """The copy in the making, and the ffmpeg arguments that make it."""

    ctx: StageContext
    info: MediaInfo
    plan: CopyPlan
    inputs: list[str] = field(default_factory=list)  # after the film itself, which is input 0
    subtitles: list[str] = field(default_factory=list)  # -map, codec, flags and names of each subtitle track, in order
    count: int = 0  # subtitle tracks so far
    files: int = 0  # our files among the inputs
    notes: list[str] = field(default_factory=list)  # the parts of the plan that failed
    # the encoded tracks, by the name that ffmpeg's -map takes
    sound: dict[StreamPart, str] = field(default_factory=dict)

    @property
    def container(self) -> str:
        return self.plan.container

    def take_sound(self) -> None:
        """Encode tracks that the container cannot hold as they are, in separate calls, for the same bytes in every
        run."""
        for part in self.plan.encoded:
            path = self.ctx.scratch / f"sound-{len(self.sound)}.mka"
            # A frame of FLAC holds what several packets held: a gap between these has to be filled with silence.
            fill = ["-af", "aresample=async=1"] if part.encoder == media.LOSSLESS else []
            film = [*media.input_arguments(self.ctx.media), "-map", f"0:{part.stream}", "-c:a", part.encoder, *fill]
            media.run_ffmpeg([*film, "-fflags", "+bitexact", "-flags:a", "+bitexact", "-f", "matroska"], path)
            self.files += 1
            self.inputs += [
                "-itsoffset",
                f"{media.probe(path).start_ms}ms",
                *media.input_arguments(path),
            ]  # ffmpeg would move it to 0
            self.sound[part] = f"{self.files}:a"

    def take_subtitles(self) -> None:
        """Copy the film's own tracks, or convert them where the container holds no such thing; none is shown by
        default."""
        for number, track in enumerate(self.info.subtitles):
            flags = [flag for flag in track.dispositions if flag != "default"]
            become = KEPT_SUBTITLES[self.container].get(track.codec)
            if become == COPY:
                self._map(f"0:s:{number}", COPY, flags, track.title)
            elif become == "srt":
                # A separate call: where ffmpeg converts a track beside copied ones, the order of packets changes from
                # run to run.
                path = self.ctx.scratch / f"film-{number}.srt"
                try:
                    media.run_ffmpeg(
                        [*media.input_arguments(self.ctx.media), "-map", f"0:s:{number}", "-c", "srt", "-f", "srt"],
                        path,
                    )
                except media.NotWritten as error:
                    self.notes.append(
                        "The film's own subtitles could not be converted, and are left out: "
                        f"{track.describe()} ({error})"
                    )
                else:
                    self._map_file(path, flags, track.language, track.title)

    def add(self, track: Track, *, shown: bool) -> None:
        path = self.ctx.scratch / f"ours-{self.files}.srt"
        path.write_text(literal_srt(track.cues), encoding="utf-8")
        self._map_file(path, ["default"] if shown else [], ALPHA3[self.container](track.language), _title(track))

    def arguments(self) -> list[str]:
        film = [*media.FILM_FLAGS, *media.input_arguments(self.ctx.media)]
        parts = [text for part in self.plan.parts for text in ("-map", self.sound.get(part, f"0:{part.stream}"))]
        names = [
            text
            for number, part in enumerate(self.plan.parts)
            for text in self._named(str(number), self._title_of(part))
        ]
        own = [*parts, "-c", COPY, "-map_metadata", "0", "-map_chapters", "0", *names]
        # The same input gives the same bytes: no random ids, dates or versions.
        form = [
            "-fflags",
            "+bitexact",
            "-flags:s",
            "+bitexact",
            "-strict",
            "experimental",
            *media.MUXER_OPTIONS[self.container],
        ]
        title = ["-metadata", f"title={self.ctx.settings.TITLE}"] if self.ctx.settings.TITLE else []
        return [*film, *self.inputs, *own, *self._attachments(), *self.subtitles, *form, *title]

    def check(self, output: Path) -> None:
        """Check the copy's length: ffmpeg ends well also where it could not read the film to its end. Raises
        NotWritten."""
        try:
            made = media.probe(output)
        except UsageError as error:
            raise media.NotWritten(f"ffmpeg made a film that cannot be read: {error}") from None
        sounds = sum(part.stream.startswith("a:") for part in self.plan.parts)
        if len(made.subtitles) != self.count or len(made.audio) != sounds:
            raise media.NotWritten("ffmpeg left out tracks of the film: set MUX_CONTAINER=mkv, or none to go without")
        whole = sounds == len(self.info.audio)  # else a track that was left out may be the one that lasts longest
        shorter = made.duration_ms < self.info.duration_ms - _SHORTER_BY_MS
        if self.info.promises and whole and shorter and not self.ctx.settings.ALLOW_TRUNCATED:
            lengths = f"{made.duration_ms / 1000:.0f} of {self.info.duration_ms / 1000:.0f} s"
            raise media.NotWritten(f"ffmpeg copied only {lengths} of the film. {media.REMEDY}")

    def _map(self, source: str, codec: str, flags: list[str], title: str) -> str:
        stream = f"s:{self.count}"
        self.count += 1
        self.subtitles += [
            "-map",
            source,
            f"-c:{stream}",
            codec,
            f"-disposition:{stream}",
            "+".join(flags) or "0",
            *self._named(stream, title),
        ]
        return stream

    def _map_file(self, path: Path, flags: list[str], language: str, title: str) -> None:
        self.files += 1
        self.inputs += media.input_arguments(path, "srt")
        stream = self._map(f"{self.files}:s", SRT_BECOMES[self.container], flags, title)
        if language:
            self.subtitles += [f"-metadata:s:{stream}", f"language={language}"]

    def _named(self, stream: str, title: str) -> list[str]:
        """Return the arguments that name a stream, which ffmpeg does not take from every film by itself. In mp4 VLC
        shows the title (which makes newer ffmpegs say "UDTA parsing failed" of files that they wrote themselves),
        others the handler's name."""
        keys = ("title", "handler_name") if self.container == "mp4" else ("title",)
        return [text for key in keys for text in (f"-metadata:s:{stream}", f"{key}={title}")] if title else []

    def _title_of(self, part: StreamPart) -> str:
        kind, _, number = part.stream.rpartition(":")
        if kind == "a":
            return self.info.audio[int(number)].title
        if kind == "V":
            return self.info.video.title if self.info.video else ""
        return next(stream.title for stream in self.info.others if stream.index == int(number))

    def _attachments(self) -> list[str]:
        """Return ffmpeg's arguments for attached files: in mkv, files of the film and its covers, which ffmpeg does not
        turn into attached files by itself; none in mp4, which has no such files."""
        if self.container == "mp4":
            return []
        arguments = ["-map", "0:t?"]
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
    foresee=foresee,
    reads=("tracks",),
    settings=("MUX_CONTAINER", "TITLE", "ALLOW_TRUNCATED"),
    reads_media=True,
)
