from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from sutradhar.pipeline import media
from sutradhar.pipeline.errors import StageFailed, UsageError
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.media.container import open_media
from sutradhar.stages.film.mux import STAGE, foresee
from sutradhar.stages.film.mux.subrip import literal_srt
from sutradhar.stages.transcript import Cue, Track, Tracks, save
from tests.make_media import FILM, PICTURE, cut, ffmpeg, film, recording
from tests.stages.run_stage import StageRun

HINDI = Track("hi", "", (Cue(1000, 1500, ("नमस्ते <b>दुनिया</b>", r"{\an8} \N")), Cue(2000, 2900, ("1984",))))
ENGLISH = Track("en", "translated by Whisper", (Cue(1000, 1500, ("Hello & <i>goodbye</i>",)),))


def muxed(path: Path, folder: Path, *tracks: Track, **settings: object) -> StageRun:
    run = StageRun(STAGE, path, folder, **settings)
    (run.artifacts / "subtitles").mkdir(exist_ok=True)
    save(run.artifacts / "subtitles" / "tracks.json", Tracks(tracks))
    return run


def result(run: StageRun) -> Path:
    run.run()
    (output,) = run.deliverables.iterdir()
    return output


def first_times(path: Path) -> dict[str, float]:
    """For each kind of stream the time of its first packet on the film's clock, in seconds."""
    times: dict[str, float] = {}
    with open_media(path, strict=False) as container:
        start = (container.start_time or 0) / 1_000_000
        for packet in container.demux():
            if packet.pts is not None and packet.size > 2:  # two bytes: an empty subtitle, which fills a gap in mp4
                time = float(packet.pts * packet.time_base) - start
                times[packet.stream.type] = min(time, times.get(packet.stream.type, time))
    return times


def texts(path: Path, track: int) -> list[str]:
    with open_media(path, strict=False) as container:
        packets = [bytes(packet) for packet in container.demux(subtitles=track) if packet.size > 2]
    if path.suffix == ".mp4":  # a length, the text, and styles
        packets = [packet[2 : 2 + int.from_bytes(packet[:2], "big")] for packet in packets]
    return [packet.decode().replace("\r", "") for packet in packets]


def titles(path: Path) -> list[str]:
    return [track.title for track in media.probe(path).subtitles]


@pytest.mark.parametrize(
    ("name", "arguments", "container", "codec", "tags"),
    [
        ("film.mkv", (), "mkv", "subrip", ["hin", "eng"]),
        ("film.mp4", (), "mp4", "mov_text", ["hin", "eng"]),
        ("film.m4v", (), "mp4", "mov_text", ["hin", "eng"]),
        ("film.mov", ("-c:a", "pcm_s16le"), "mkv", "subrip", ["hin", "eng"]),
        ("film.avi", ("-c:a", "libmp3lame", "-bf", "2"), "mkv", "subrip", ["hin", "eng"]),
        ("film.avi", ("-c:v", "rawvideo", "-c:a", "pcm_s16le"), "mkv", "subrip", ["hin", "eng"]),
        ("film.webm", ("-c:v", "libvpx"), "mkv", "subrip", ["hin", "eng"]),
        ("film.ts", ("-c:v", "mpeg2video", "-r", "25"), "mkv", "subrip", ["hin", "eng"]),
    ],
)
def test_adds_tracks_to_a_copy_of_the_film(
    name: str, arguments: tuple[str, ...], container: str, codec: str, tags: list[str], tmp_path: Path
) -> None:
    path = film(tmp_path / name, *arguments)
    run = muxed(path, tmp_path, HINDI, ENGLISH)
    output = result(run)
    before, after = media.probe(path), media.probe(output)
    assert output.name == f"film.subtitled.{container}"
    assert (after.video, [track.codec for track in after.audio]) == (
        before.video,
        [track.codec for track in before.audio],
    ) or name == "film.avi"
    assert [(track.codec, track.language) for track in after.subtitles] == [(codec, tag) for tag in tags]
    assert [track.title for track in after.subtitles] == ["Hindi", "English (translated by Whisper)"]
    assert [track.dispositions for track in after.subtitles] == [("default",), ()]
    assert run.progress[-1] == (run.progress[-1][1],) * 2
    assert len(list(media.decode(output))) == len(list(media.decode(path)))


@pytest.mark.parametrize(("name", "tag"), [("film.mkv", "ger"), ("film.mp4", "deu")])
def test_language_tags_are_those_of_the_container(name: str, tag: str, tmp_path: Path) -> None:
    output = result(muxed(film(tmp_path / name), tmp_path, Track("de", "", HINDI.cues)))
    assert [track.language for track in media.probe(output).subtitles] == [tag]


@pytest.mark.parametrize("name", ["film.mkv", "film.mp4"])
def test_the_text_of_a_cue_is_never_markup(name: str, tmp_path: Path) -> None:
    output = result(muxed(film(tmp_path / name), tmp_path, HINDI, ENGLISH))
    assert [text.replace("\u2060", "") for text in texts(output, 0)] == ["नमस्ते <b>दुनिया</b>\n{\\an8} \\N", "1984"]
    assert [text.replace("\u2060", "") for text in texts(output, 1)] == ["Hello & <i>goodbye</i>"]


def test_only_what_would_be_markup_is_touched() -> None:
    text = r"2 < 3, a<b>, {plain}, {\i1}, \n, R&B, &amp;"
    assert literal_srt([Cue(0, 3_600_500, (text, "", "second"))]) == (
        "1\n00:00:00,000 --> 01:00:00,500\n2 < 3, a<\u2060b>, {plain}, {\u2060\\i1}, \\\u2060n, R&B, &\u2060amp;\nsecond\n\n"
    )


@pytest.mark.parametrize("name", ["film.mkv", "film.mp4", "film.ts"])
def test_subtitles_keep_to_the_films_clock_wherever_its_timeline_starts(name: str, tmp_path: Path) -> None:
    path = ffmpeg(
        tmp_path / name,
        *FILM,
        *(("-c:v", "mpeg2video", "-r", "25") if name == "film.ts" else ()),
        "-output_ts_offset",
        "1000",
    )
    before, after = first_times(path), first_times(result(muxed(path, tmp_path, HINDI)))
    assert after["subtitle"] == pytest.approx(1.0, abs=0.03)
    assert after["video"] == pytest.approx(before["video"], abs=0.03)
    assert after["audio"] == pytest.approx(before["audio"], abs=0.03)


def test_subtitles_keep_to_the_sound_that_demux_took_out(tmp_path: Path) -> None:
    late = ffmpeg(tmp_path / "film.mkv", *PICTURE, "-itsoffset", "1", *FILM[4:], "-t", "4")
    output = result(muxed(late, tmp_path, HINDI))
    assert first_times(output)["audio"] == pytest.approx(1.0, abs=0.03)
    assert first_times(output)["subtitle"] == pytest.approx(1.0, abs=0.001)


def rich_film(folder: Path) -> Path:
    """Two sound tracks, two subtitle tracks, chapters, a font, a cover and a title."""
    (folder / "own.srt").write_text("1\n00:00:03,000 --> 00:00:04,000\n<i>own</i>\n\n")
    (folder / "meta.txt").write_text(
        ";FFMETADATA1\ntitle=Old\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=2000\ntitle=One\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=2000\nEND=4000\ntitle=Two\n"
    )
    (folder / "font.ttf").write_bytes(b"font")
    cover = ffmpeg(folder / "cover.png", "-f", "lavfi", "-i", "color=s=16x16:d=0.1", "-frames:v", "1")
    inputs = (
        "-i",
        str(folder / "own.srt"),
        "-i",
        str(folder / "meta.txt"),
        "-map",
        "0",
        "-map",
        "1",
        "-map",
        "1",
        "-map",
        "2",
        "-map",
        "2",
        "-map_metadata",
        "3",
    )
    files = (
        "-attach",
        str(folder / "font.ttf"),
        "-metadata:s:t:0",
        "mimetype=font/ttf",
        "-attach",
        str(cover),
        "-metadata:s:t:1",
        "mimetype=image/png",
    )
    subtitles = (
        "-c:s:0",
        "srt",
        "-c:s:1",
        "ass",
        "-metadata:s:s:0",
        "language=fre",
        "-disposition:s:0",
        "default+forced",
        "-disposition:s:1",
        "hearing_impaired",
    )
    return ffmpeg(
        folder / "rich.mkv",
        *FILM[:-4],
        *inputs,
        *files,
        *subtitles,
        "-c:v",
        "mpeg4",
        "-c:a",
        "aac",
        "-metadata:s:a:1",
        "title=Comments",
    )


def chapters(path: Path) -> list[str]:
    with open_media(path, strict=False) as container:
        return [str(chapter["metadata"]["title"]) for chapter in container.chapters()]


def test_all_that_the_film_had_is_kept(tmp_path: Path) -> None:
    path = rich_film(tmp_path)
    output = result(muxed(path, tmp_path, HINDI))
    info = media.probe(output)
    assert [(track.codec, track.language, track.dispositions) for track in info.subtitles] == [
        ("subrip", "fre", ("forced",)),
        ("ass", "", ("hearing_impaired",)),
        ("subrip", "hin", ("default",)),
    ]
    assert [track.title for track in info.audio] == ["", "Comments"]
    assert sorted((stream.kind, stream.codec, stream.picture) for stream in info.others) == [
        ("attachment", "font.ttf", False),
        ("video", "png", True),
    ]
    assert media.pictures(output) == media.pictures(path)
    assert chapters(output) == ["One", "Two"]
    assert texts(output, 0) == ["<i>own</i>"]


def test_what_mp4_cannot_hold_is_converted_or_told(tmp_path: Path) -> None:
    run = muxed(rich_film(tmp_path), tmp_path, HINDI, MUX_CONTAINER="mp4", TITLE="New: title")
    degraded = run.run().degraded
    output = run.deliverables / "rich.subtitled.mp4"
    info = media.probe(output)
    assert [(track.codec, track.language, track.dispositions[:1]) for track in info.subtitles] == [
        ("mov_text", "fre", ("forced",)),
        ("mov_text", "", ("hearing_impaired",)),
        ("mov_text", "hin", ("default",)),
    ]
    assert [stream.picture for stream in info.others if stream.kind == "video"] == [True]
    assert chapters(output) == ["One", "Two"]
    assert texts(output, 0) == ["own"]  # the tag has become a style
    assert degraded == (
        "mp4 cannot hold all of the film: subtitles without their styling: language not tagged (ass); MUX_CONTAINER=mkv keeps them",
        "mp4 cannot hold all of the film: attached files left out: font.ttf; MUX_CONTAINER=mkv keeps them",
    )
    with open_media(output, strict=False) as container:
        assert container.metadata["title"] == "New: title"


NAMES = {  # how films name their tracks
    "title.mkv": ("title",),
    "name.mp4": ("title",),  # which ffmpeg writes so
    "handler.mp4": ("handler_name",),
    "both.mov": ("title", "handler_name"),
}


@pytest.mark.parametrize("container", ["mp4", "mkv"])
@pytest.mark.parametrize("name", NAMES)
def test_the_films_own_tracks_keep_their_names(name: str, container: str, tmp_path: Path) -> None:
    (tmp_path / "own.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nown\n")
    named = [
        text
        for stream, title in (("v:0", "Main"), ("a:0", "Original Stereo"), ("s:0", "HindiOwn"))
        for key in NAMES[name]
        for text in (f"-metadata:s:{stream}", f"{key}={title}")
    ]
    subtitles = ("-c:s", "srt" if name.endswith("mkv") else "mov_text", "-metadata:s:s:0", "language=hin")
    path = ffmpeg(
        tmp_path / name, *FILM[:-4], "-i", str(tmp_path / "own.srt"), "-c:v", "mpeg4", "-c:a", "aac", *subtitles, *named
    )
    info = media.probe(result(muxed(path, tmp_path, HINDI, MUX_CONTAINER=container)))
    assert info.video is not None
    assert [info.video.title, *(track.title for track in (*info.audio, *info.subtitles))] == [
        "Main",
        "Original Stereo",
        "HindiOwn",
        "Hindi",
    ]


def test_what_programs_call_a_track_by_themselves_is_no_name(tmp_path: Path) -> None:
    info = media.probe(film(tmp_path / "film.mp4", "-c:a", "aac", "-metadata:s:a:0", "handler_name=Core Media Audio"))
    assert info.video is not None
    assert (info.video.title, info.audio[0].title) == ("", "")


def test_why_a_mov_becomes_an_mkv_is_told_before_and_after(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mov", "-c:a", "pcm_s16be")
    line = "mp4 cannot hold pcm_s16be: the film with subtitles is an mkv"
    run = muxed(path, tmp_path, HINDI)
    assert foresee(path, Settings()) == run.run().degraded == (line,)
    assert [file.name for file in run.deliverables.iterdir()] == ["film.subtitled.mkv"]
    assert foresee(path, Settings(MUX_CONTAINER="mkv")) == ()


def test_time_code_tracks_do_not_stand_in_the_way(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mov", "-c:a", "aac", "-timecode", "01:00:00:00")
    assert "data" in {stream.kind for stream in media.probe(path).others}
    assert result(muxed(path, tmp_path, HINDI)).name == "film.subtitled.mp4"
    for container in ("mkv", "mp4"):
        run = muxed(path, tmp_path, HINDI, MUX_CONTAINER=container)
        assert (run.run().degraded, (run.deliverables / f"film.subtitled.{container}").exists()) == ((), True)


def test_mp4_that_cannot_be_had_is_refused(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mov", "-c:a", "pcm_s16le")
    with pytest.raises(UsageError, match="mp4 cannot hold pcm_s16le: set MUX_CONTAINER=mkv"):
        muxed(path, tmp_path, HINDI, MUX_CONTAINER="mp4").run()


@pytest.mark.parametrize(
    ("source", "settings"),
    [("film.mkv", {}), ("film.mp4", {}), ("rich.mkv", {}), ("rich.mkv", {"MUX_CONTAINER": "mp4"})],
)
def test_a_second_run_makes_the_same_bytes(source: str, settings: dict[str, object], tmp_path: Path) -> None:
    path = rich_film(tmp_path) if source == "rich.mkv" else film(tmp_path / source)
    run = muxed(path, tmp_path, HINDI, ENGLISH, **settings)
    first = result(run).read_bytes()
    assert result(run).read_bytes() == first


@pytest.mark.parametrize(
    "name", ["Mission: Impossible (1996).mkv", "-rf.mp4", 'it\'s %03d "x".mkv', "दो बीघा 🎬.mkv", "two\nlines.mkv"]
)
def test_any_name_will_do(name: str, tmp_path: Path) -> None:
    path = film(tmp_path / name)
    assert result(muxed(path, tmp_path, HINDI)).name == f"{path.stem}.subtitled{path.suffix}"


def test_no_file_where_there_is_nothing_to_show(tmp_path: Path) -> None:
    picture, sound = film(tmp_path / "film.mkv"), recording(tmp_path / "song.mp3")
    for path, tracks, settings, why in (
        (sound, (HINDI,), {}, "the recording has no picture"),
        (picture, (Track("hi", "", ()),), {}, "there are no subtitles to put into it"),
        (picture, (HINDI,), {"MUX_CONTAINER": "none"}, "MUX_CONTAINER=none"),
    ):
        run = muxed(path, tmp_path, *tracks, **settings)
        assert run.run().summary == f"No film with subtitles made: {why}"
        assert list(run.deliverables.iterdir()) == []


def test_a_cut_film_is_copied_as_far_as_it_goes_only_when_allowed(tmp_path: Path) -> None:
    path = cut(film(tmp_path / "film.mkv", "-c:a", "flac"), 0.3)
    run = muxed(path, tmp_path, ENGLISH)
    (note,) = run.run().degraded
    assert re.match(
        r"No film with subtitles made: ffmpeg copied only [12] of 4 s of the film\. Repair .*--set ALLOW_TRUNCATED=true. --force mux",
        note,
    )
    assert list(run.deliverables.iterdir()) == []
    assert media.probe(result(muxed(path, tmp_path, HINDI, ALLOW_TRUNCATED=True))).subtitles[0].title == "Hindi"


def samples(path: Path, track: int, form: str = "s32le") -> bytes:
    """A track, decoded by ffmpeg."""
    return ffmpeg(path.with_suffix(".raw"), "-i", str(path), "-map", f"0:a:{track}", "-f", form).read_bytes()


DISC = ("-c:v", "mpeg2video", "-r", "25", "-ar", "48000", "-ac", "2")


@pytest.mark.parametrize(
    ("name", "arguments", "encoder"),
    [
        ("film.m2ts", (*DISC, "-c:a", "pcm_bluray", "-f", "mpegts", "-mpegts_m2ts_mode", "1"), "pcm_s16le"),
        (
            "film.m2ts",
            (*DISC, "-c:a", "pcm_bluray", "-sample_fmt", "s32", "-f", "mpegts", "-mpegts_m2ts_mode", "1"),
            "pcm_s24le",
        ),
        ("film.vob", (*DISC, "-c:a", "pcm_dvd", "-sample_fmt", "s16"), "pcm_s16le"),
        ("film.vob", (*DISC, "-c:a", "pcm_dvd", "-sample_fmt", "s32"), "pcm_s24le"),
        ("film.mov", ("-c:a", "pcm_f32be"), "pcm_f32le"),
        ("film.mov", ("-c:a", "pcm_s8"), "pcm_u8"),
        ("film.mov", ("-c:a", "adpcm_ima_qt"), "flac"),
        ("film.flv", ("-c:v", "flv1", "-c:a", "nellymoser", "-ar", "44100"), "flac"),
    ],
)
def test_sound_that_mkv_cannot_hold_is_encoded_without_loss_and_named(
    name: str, arguments: tuple[str, ...], encoder: str, tmp_path: Path
) -> None:
    path = film(tmp_path / name, *arguments)
    *why_mkv, foreseen = foresee(path, Settings())
    run = muxed(path, tmp_path, HINDI)
    assert run.run().degraded == (*why_mkv, foreseen)
    output = run.deliverables / "film.subtitled.mkv"
    assert [track.codec for track in media.probe(output).audio] == [encoder]
    assert foreseen.startswith("mkv cannot hold audio track 0, language not tagged (")
    assert foreseen.endswith(f"): encoded without loss, to {encoder}")
    form = "s24le" if "nellymoser" in arguments else "s32le"  # FLAC has 24 bits, of a codec that has loss
    before, after = samples(path, 0, form), samples(output, 0, form)
    assert len(before) == len(after)
    assert before == after or "nellymoser" in arguments


def test_an_encoded_track_keeps_its_place_its_time_and_its_tags(tmp_path: Path) -> None:
    second = ("-itsoffset", "1", "-f", "lavfi", "-i", "sine=frequency=880:sample_rate=48000:duration=2")
    maps = ("-map", "0", "-map", "2", "-map", "1", "-c:a", "aac", "-c:a:0", "pcm_f32be")
    path = ffmpeg(
        tmp_path / "film.mov",
        *FILM[:8],
        *second,
        *maps,
        "-metadata:s:a:0",
        "language=ger",
        "-disposition:a:1",
        "default",
    )
    info = media.probe(result(muxed(path, tmp_path, HINDI)))
    assert [(track.codec, track.language, track.start_ms, track.default) for track in info.audio] == [
        ("pcm_f32le", "ger", 1000, False),
        ("aac", "", 0, True),
    ]


def with_unknown_codec(path: Path) -> Path:
    """The film with its ALAC called by a name that no decoder has, as phones and cameras write them."""
    path.write_bytes(path.read_bytes().replace(b"alac", b"zzzz"))
    return path


def test_a_track_that_nothing_decodes_is_left_out_and_named(tmp_path: Path) -> None:
    path = with_unknown_codec(
        film(tmp_path / "film.mov", "-map", "0", "-map", "1", "-map", "1", "-c:a", "aac", "-c:a:1", "alac")
    )
    (foreseen,) = foresee(path, Settings())
    assert re.match(
        r"mp4 cannot hold audio track 1, .* and nothing decodes it: left out \(.*no decoder found", foreseen
    )
    run = muxed(path, tmp_path, HINDI)
    assert run.run().degraded == (foreseen,)
    assert [track.codec for track in media.probe(run.deliverables / "film.subtitled.mp4").audio] == ["aac"]


def test_data_tracks_are_named_but_not_chapters_and_time_codes(tmp_path: Path) -> None:
    chapters = tmp_path / "chapters.txt"
    chapters.write_text(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=4000\ntitle=One\n")
    path = ffmpeg(
        tmp_path / "film.mov", *FILM[:8], "-i", str(chapters), "-map_metadata", "2", "-timecode", "01:00:00:00"
    )
    assert [stream.told_elsewhere for stream in media.probe(path).others] == [True, True]
    assert foresee(path, Settings()) == ()
    klv = ffmpeg(
        tmp_path / "film.ts",
        *FILM[:8],
        "-f",
        "data",
        "-i",
        str(chapters),
        *("-map", "0", "-map", "1", "-map", "2"),
        "-c:d",
        "copy",
    )
    (foreseen,) = foresee(klv, Settings())
    assert foreseen.startswith(
        "The film with subtitles has picture, sound and subtitles only: data tracks left out: language not tagged ("
    )
    assert muxed(klv, tmp_path, HINDI).run().degraded == (foreseen,)


def test_closed_captions_become_subtitles(tmp_path: Path) -> None:
    (tmp_path / "own.scc").write_text(
        "Scenarist_SCC V1.0\n\n00:00:01:00\t9420 9420 94ae 94ae 9470 9470 c8e5 ecec ef80 942c 942c 942f 942f\n\n"
    )
    path = ffmpeg(
        tmp_path / "film.mov",
        *FILM[:8],
        "-i",
        str(tmp_path / "own.scc"),
        *("-map", "0", "-map", "1", "-map", "2"),
        "-c:a",
        "aac",
        "-c:s",
        "copy",
    )
    run = muxed(path, tmp_path, HINDI)
    assert run.run().degraded == ()
    tracks = media.probe(run.deliverables / "film.subtitled.mp4").subtitles
    assert [(track.codec, track.dispositions) for track in tracks] == [("mov_text", ()), ("mov_text", ("default",))]


def test_a_film_that_ffmpeg_cannot_make_is_told_and_the_subtitles_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "refusals", lambda *_: {})
    run = muxed(film(tmp_path / "film.mov", "-c:a", "adpcm_ima_qt"), tmp_path, HINDI)
    outcome = run.run()
    assert outcome.degraded == (
        "No film with subtitles made: ffmpeg could not write mkv: No wav codec tag found for codec adpcm_ima_qt. --force mux tries again",
    )
    assert list(run.deliverables.iterdir()) == []


def test_a_full_disk_is_still_an_error(tmp_path: Path) -> None:
    with pytest.raises(StageFailed, match=r"ffmpeg could not write : No space left on device$") as caught:
        media.run_ffmpeg(["-i", str(film(tmp_path / "film.mkv")), "-c", "copy", "-f", "matroska"], Path("/dev/full"))
    assert not isinstance(caught.value, media.NotWritten)


def test_a_disk_without_room_for_the_film_is_told_before_it_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = muxed(film(tmp_path / "film.mkv"), tmp_path, HINDI)
    free = run.context.media.stat().st_size
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9 - free, free))
    with pytest.raises(
        StageFailed,
        match=r"^No space left on device: film.subtitled.mkv needs about \d.\d MB, \d.\d MB are free; make room and",
    ):
        run.run()
    assert list(run.deliverables.iterdir()) == []
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(0, 0, 0)
    )  # as some network file systems say
    assert result(run).name == "film.subtitled.mkv"
