from __future__ import annotations

import http.server
import os
import random
import re
import subprocess
import sys
import threading
import time
import tracemalloc
from collections import deque
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sutradhar.pipeline import media
from sutradhar.pipeline.errors import StageFailed, UsageError
from sutradhar.pipeline.media import timeline
from sutradhar.pipeline.media.container import open_media
from sutradhar.pipeline.media.timeline import Timeline, in_blocks
from tests.make_media import FILM, PICTURE, TONE, cut, ffmpeg, film, recording, wav
from tests.pipeline.processes.test_children import gone, wait_for

NAMES = [
    "Mission: Impossible (1996).mkv",
    "-rf.mp4",
    'it\'s %03d "x".mkv',
    "दो बीघा ज़मीन 🎬.mkv",
    "two\nlines.mkv",
    "concat:a|b.mkv",
    "a,b;c=d[0].mp4",
]
# Everything that is whole and common, as ffmpeg's arguments for sound; films where there is a picture.
RECORDINGS = {
    "a.mp3": (),
    "vbr-without-header.mp3": ("-q:a", "4", "-write_xing", "0"),
    "a.flac": (),
    "vorbis.ogg": ("-c:a", "libvorbis"),
    "a.opus": ("-c:a", "libopus"),
    "a.m4a": (),
    "fragmented.m4a": ("-movflags", "frag_keyframe+empty_moov", "-frag_duration", "500000"),
    "alac.m4a": ("-c:a", "alac"),
    "a.aac": (),
    "a.amr": ("-ar", "8000", "-c:a", "libopencore_amrnb"),
    "a.wav": (),
    "u8.wav": ("-c:a", "pcm_u8"),
    "24.wav": ("-c:a", "pcm_s24le"),
    "float.wav": ("-c:a", "pcm_f32le"),
    "adpcm.wav": ("-c:a", "adpcm_ms"),
    "mulaw.wav": ("-c:a", "pcm_mulaw", "-ar", "8000"),
    "rf64.wav": ("-rf64", "always"),
    "a.w64": (),
    "a.aiff": (),
    "a.caf": ("-c:a", "pcm_s16le"),
    "a.au": (),
    "a.wma": (),
    "a.mka": ("-c:a", "libvorbis"),
    "live.webm": ("-c:a", "libopus", "-live", "1"),
}
FILMS = {
    "a.mkv": ("-c:a", "aac"),
    "a.mp4": ("-c:a", "aac"),
    "faststart.mp4": ("-c:a", "aac", "-movflags", "+faststart"),
    "a.mov": ("-c:a", "pcm_s16le"),
    "a.avi": ("-c:a", "libmp3lame"),
    "a.ts": ("-c:v", "mpeg2video", "-r", "25", "-c:a", "ac3"),
    "a.webm": ("-c:v", "libvpx", "-c:a", "libvorbis"),
    "a.flv": ("-c:v", "flv", "-c:a", "libmp3lame", "-ar", "44100"),
}
UNTOLD_CUTS = {
    "vbr-without-header.mp3",
    "a.aac",
    "a.amr",
    "a.ts",
    "fragmented.m4a",
    "live.webm",
}  # nothing in these files says how long they were


def make(folder: Path, name: str) -> Path:
    return recording(folder / name, *RECORDINGS[name]) if name in RECORDINGS else film(folder / name, *FILMS[name])


def decoded(path: Path, *arguments: int | None, **options: int) -> NDArray[np.int16]:
    return np.concatenate([np.zeros(0, np.int16), *media.decode(path, *arguments, **options)])  # type: ignore[arg-type]


def loud_from(samples: NDArray[np.int16]) -> float:
    """Seconds before the sound begins."""
    return float(np.argmax(np.abs(samples) > 1000)) / media.SAMPLE_RATE


# What a file holds


def test_probe_tells_what_a_film_holds(tmp_path: Path) -> None:
    subtitles = tmp_path / "s.srt"
    subtitles.write_text("1\n00:00:01,000 --> 00:00:02,000\nHallo\n")
    cover = ffmpeg(tmp_path / "cover.png", "-f", "lavfi", "-i", "color=s=16x16:d=0.1", "-frames:v", "1")
    streams = (
        "-i",
        str(subtitles),
        "-map",
        "0",
        "-map",
        "1",
        "-map",
        "1",
        "-map",
        "2",
        "-attach",
        str(cover),
        "-metadata:s:t",
        "mimetype=image/png",
    )
    names = (
        "-metadata:s:a:0",
        "language=hin",
        "-metadata:s:a:1",
        "language=eng",
        "-metadata:s:a:1",
        "title=Comments",
        "-metadata:s:s",
        "language=ger",
    )
    path = ffmpeg(
        tmp_path / "film.mkv",
        *FILM[:-4],
        *streams,
        "-ac:a:1",
        "2",
        "-c:v",
        "mpeg4",
        "-c:a",
        "flac",
        "-c:s",
        "srt",
        *names,
        "-disposition:s",
        "forced",
    )
    info = media.probe(path)
    assert (info.format, info.duration_ms, info.start_ms, info.promises, info.missing_bytes) == (
        "matroska",
        4000,
        0,
        True,
        0,
    )
    assert info.video == media.VideoStream("mpeg4", 64, 48, 10.0)
    assert [track.describe() for track in info.audio] == ["hin (flac, 1 channel)", "eng (flac, 2 channels), Comments"]
    assert [(track.sample_rate, track.start_ms) for track in info.audio] == [(48000, 0), (48000, 0)]
    assert [track.describe() for track in info.subtitles] == ["ger (subrip, forced)"]
    assert [(stream.kind, stream.codec, stream.picture) for stream in info.others] == [("video", "png", True)]
    assert media.pictures(path) == [media.Picture("cover.png", "image/png", cover.read_bytes())]


def test_a_recording_with_a_cover_has_no_video(tmp_path: Path) -> None:
    cover = ffmpeg(tmp_path / "cover.png", "-f", "lavfi", "-i", "color=s=16x16:d=0.1", "-frames:v", "1")
    path = recording(
        tmp_path / "song.mp3", "-i", str(cover), "-map", "0", "-map", "1", "-disposition:v", "attached_pic"
    )
    assert media.probe(path).video is None
    assert len(decoded(path)) == 4 * media.SAMPLE_RATE


def test_a_picture_in_an_unknown_codec_does_not_keep_the_sound_from_being_used(tmp_path: Path) -> None:
    path = make(tmp_path, "a.mkv")
    path.write_bytes(path.read_bytes().replace(b"V_MPEG4/ISO/ASP", b"V_FUTURE/ISO/16"))
    assert media.probe(path).video == media.VideoStream("unknown codec", 0, 0, 10.0)
    assert len(decoded(path)) // 1000 == 64


def test_probe_measures_what_the_header_does_not_tell(tmp_path: Path) -> None:
    info = media.probe(make(tmp_path, "live.webm"))
    assert (info.duration_ms // 100, info.promises) == (40, False)


def test_a_guessed_duration_is_no_promise(tmp_path: Path) -> None:
    """The bit rate of the noise at its beginning says nothing of the silence after it."""
    path = recording(
        tmp_path / "a.mp3", "-af", "volume='lt(t,1)':eval=frame,apad=pad_dur=30", "-q:a", "0", "-write_xing", "0"
    )
    info = media.probe(path)
    assert (info.promises, abs(info.duration_ms - 34_000) > 1000) == (False, True)
    assert len(decoded(path)) / media.SAMPLE_RATE == pytest.approx(34, abs=0.1)


def test_identity_changes_with_head_middle_tail_and_size(tmp_path: Path) -> None:
    path = tmp_path / "film"
    data = bytearray(10 << 20)
    identities = set()
    for position in (0, 5 << 20, (10 << 20) - 1):
        data[position] ^= 1
        path.write_bytes(data)
        identities.add(media.identity(path).sha256)
    path.write_bytes(data + b"x")
    identities.add(media.identity(path).sha256)
    assert len(identities) == 4
    assert media.identity(path).size == (10 << 20) + 1


# What is refused


def impostor(folder: Path, text: str) -> Path:
    path = folder / "film.mp4"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("make_path", "reason"),
    [
        (lambda folder: folder / "no.mkv", r"no\.mkv does not exist"),
        (lambda folder: Path("http://localhost/film.mp4"), "does not exist"),
        (lambda folder: Path(f"concat:{folder}/a.ts|{folder}/a.ts"), "does not exist"),
        (lambda folder: Path(f"subfile,,start,0,end,9,,:{folder}/a.ts"), "does not exist"),
        (lambda folder: folder, "is a folder"),
        (lambda folder: impostor(folder, ""), r"is empty \(0 bytes\)"),
        (lambda folder: Path("/dev/zero"), "is a device or pipe"),
        (lambda folder: impostor(folder, "#EXTM3U\n#EXTINF:4,\na.ts\n#EXT-X-ENDLIST\n"), "is an HLS playlist"),
        (lambda folder: impostor(folder, "ffconcat version 1.0\nfile a.ts\n"), "is an ffconcat script"),
        (lambda folder: impostor(folder, '<?xml version="1.0"?>\n<MPD type="static"></MPD>'), "is a DASH manifest"),
        (lambda folder: impostor(folder, "Dear diary\n" * 99), "is not a media file"),
        (lambda folder: impostor(folder, "MAC addresses of all"), "is not a media file"),
        (lambda folder: impostor(folder, "MAC \x96\x0f\0\0" * 99), "Monkey's Audio is not supported: convert it first"),
        (lambda folder: impostor(folder, "\0\0\0\x1cftypheic\0\0\0\0" * 9), "is a picture"),
        (lambda folder: ffmpeg(folder / "silent.mkv", *PICTURE, "-c:v", "mpeg4"), "has no audio track, only mpeg4"),
        (lambda folder: wav(folder / "a.wav", bytes(660), channels=33), "33 channels, and the limit is 32"),
        (lambda folder: wav(folder / "a.wav", bytes(1280), channels=64), "64 channels, and the limit is 32"),
        (
            lambda folder: wav(folder / "a.wav", bytes(640), rate=1_000_000),
            "1000000 samples a second, and the limit is 768000",
        ),
        (
            lambda folder: wav(folder / "a.wav", bytes(100_000), rate=1, bits=8),
            r"lasts 27\.8 hours, and the limit is 24",
        ),
        (lambda folder: wav(folder / "a.wav", bytes(640), code=0x7777), "a codec that is not known"),
        (lambda folder: cut(make(folder, "a.mp4")), "is cut short, and its index is in what is missing"),
    ],
)
def test_refuses_in_one_line_what_is_no_media(
    make_path: Callable[[Path], Path], reason: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = make_path(tmp_path)
    with pytest.raises(UsageError, match=reason) as refusal:
        media.probe(path)
    assert "\n" not in str(refusal.value)
    assert capfd.readouterr() == ("", "")


def test_a_mistake_of_the_program_is_not_told_as_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def open_(file: str, *, container_options: object) -> None: ...  # as PyAV 19 has it

    path = make(tmp_path, "a.mp4")
    monkeypatch.setattr("av.open", open_)
    with pytest.raises(StageFailed, match=r"a\.mp4 was not read, and is not to blame: TypeError: .*metadata_errors"):
        media.probe(path)


def test_what_a_file_lacks_is_the_files_fault(tmp_path: Path) -> None:
    with (
        pytest.raises(UsageError, match=r"a\.mp4 cannot be read \(TypeError"),
        open_media(make(tmp_path, "a.mp4"), strict=False),
    ):
        _ = None * 2  # type: ignore[operator]


def hours_of_silence(path: Path, hours: int, *, hidden: bool) -> Path:
    """AAC, whose header tells no duration: libav guesses by the bit rate of the beginning, much too little where that is noise."""
    silence = ffmpeg(path.with_name("silence.aac"), "-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono:d=1").read_bytes()
    noise = ffmpeg(
        path.with_name("noise.aac"), "-f", "lavfi", "-i", "anoisesrc=r=8000:d=60", "-ac", "1", "-b:a", "48k"
    ).read_bytes()
    frame = silence[-11:]
    assert frame[:2] == silence[:2]  # the mark that a frame begins with
    path.write_bytes(noise * hidden + frame * (hours * 3600 * 8000 // 1024))
    return path


def test_40_hours_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    sparse = wav(tmp_path / "a.wav", b"", rate=8000, bits=8, declared=40 * 3600 * 8000)
    os.truncate(sparse, 44 + 40 * 3600 * 8000)
    for path in (sparse, hours_of_silence(tmp_path / "a.aac", 40, hidden=False)):
        with pytest.raises(
            UsageError, match=rf"^{path.name} lasts 40\.0 hours, and the limit is 24: cut it into parts"
        ):
            media.probe(path)


def test_hours_that_the_header_hides_are_refused_at_the_limit_in_little_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["sutradhar.pipeline.media.decode"], "MAX_HOURS", 1)
    sound = media.decode(hours_of_silence(tmp_path / "a.aac", 2, hidden=True))
    assert sound.info.duration_ms < 1_800_000
    tracemalloc.start()
    try:
        with pytest.raises(UsageError, match=r"a\.aac goes on for more than 1 hours: cut it into parts"):
            deque(sound, maxlen=0)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(UsageError, match="is a device or pipe"):
        media.probe(tmp_path / "pipe.mp4")


PLAYLISTS = {
    "list.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{}\n#EXT-X-ENDLIST\n",
    "film.mp4": "ffconcat version 1.0\nfile {}\n",
}


@pytest.mark.parametrize("name", PLAYLISTS)
def test_a_playlist_opens_nothing_on_this_machine(name: str, tmp_path: Path) -> None:
    make(tmp_path, "a.ts")
    (tmp_path / name).write_text(PLAYLISTS[name].format("a.ts"))
    with pytest.raises(UsageError, match="only names other files"):
        media.probe(tmp_path / name)
    with pytest.raises(StageFailed, match=r"Error opening input|Invalid"):
        media.run_ffmpeg([*media.input_arguments(tmp_path / name), "-c", "copy"], tmp_path / "out.mkv")


@pytest.mark.parametrize("name", PLAYLISTS)
def test_a_playlist_opens_nothing_elsewhere(name: str, tmp_path: Path) -> None:
    asked: list[str] = []

    class Server(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)

    with http.server.HTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        (tmp_path / name).write_text(PLAYLISTS[name].format(f"http://127.0.0.1:{server.server_port}/a.ts"))
        with pytest.raises(UsageError):
            media.probe(tmp_path / name)
        with pytest.raises(StageFailed):
            media.run_ffmpeg([*media.input_arguments(tmp_path / name), "-c", "copy"], tmp_path / "out.mkv")
        server.shutdown()
    assert asked == []


def test_a_file_without_sound_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="audio track 0 holds no sound"):
        decoded(wav(tmp_path / "a.wav", b""))


def test_a_track_or_part_that_is_not_there_is_refused(tmp_path: Path) -> None:
    path = make(tmp_path, "a.mkv")
    with pytest.raises(UsageError, match=r"has no audio track 3\. It has 0: language not tagged \(aac, 1 channel\)"):
        media.decode(path, 3)
    with pytest.raises(UsageError, match=r"ends at 00:00:01\.000, which is not after its start at 00:00:02\.000"):
        media.decode(path, 0, 2000, 1000)
    with pytest.raises(UsageError, match=r"holds no sound after 00:00:09\.000"):
        decoded(path, 0, 9000)


# What is decoded


@pytest.mark.parametrize("name", [*RECORDINGS, *FILMS])
def test_whole_files_are_decoded_whole(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    sound = media.decode(make(tmp_path, name))
    samples = np.concatenate(list(sound))
    assert len(samples) == pytest.approx(4 * media.SAMPLE_RATE, abs=0.1 * media.SAMPLE_RATE)
    assert (
        1500 < np.sqrt((samples.astype(float) ** 2).mean()) < 3000
    )  # 2896 is that of a sine of 1/8; AMR is for voices
    assert sound.degraded == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_a_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    film(tmp_path / name, "-c:a", "aac")
    link = Path("link.mkv")
    link.symlink_to(name)
    for path in (Path(name), tmp_path / name, link):
        assert len(decoded(path)) // 1000 == 64


def test_sound_that_begins_later_than_the_picture_begins_with_silence(tmp_path: Path) -> None:
    for name in ("a.mkv", "a.mp4", "a.ts", "a.webm"):
        path = ffmpeg(tmp_path / name, *PICTURE, "-itsoffset", "1", *TONE, *FILMS.get(name, ()), "-t", "4")
        assert media.probe(path).audio[0].start_ms == pytest.approx(1000, abs=30)
        samples = decoded(path)
        assert loud_from(samples) == pytest.approx(1, abs=0.01), name
        assert len(samples) / media.SAMPLE_RATE == pytest.approx(4, abs=0.1)


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.ts"])
def test_the_films_clock_starts_where_the_containers_timeline_starts(name: str, tmp_path: Path) -> None:
    path = film(tmp_path / name, *FILMS[name], "-output_ts_offset", "1000")
    assert media.probe(path).start_ms // 10_000 == (100 if name != "a.mp4" else 99)
    assert media.probe(path).duration_ms == pytest.approx(4000, abs=100)
    samples = decoded(path)
    assert len(samples) / media.SAMPLE_RATE == pytest.approx(4, abs=0.1)
    assert loud_from(samples) == pytest.approx(0, abs=0.05)


def test_gaps_are_silent_and_what_follows_keeps_its_time(tmp_path: Path) -> None:
    path = ffmpeg(
        tmp_path / "a.mkv", *PICTURE, *TONE, "-af", "aselect='lt(t,1)+gte(t,2)'", "-c:v", "mpeg4", "-c:a", "pcm_s16le"
    )
    samples = decoded(path)
    loudest = [int(np.abs(samples[tenth * 1600 : (tenth + 1) * 1600]).max()) for tenth in range(39)]
    assert [tenth for tenth in range(39) if loudest[tenth] < 1000] == list(range(11, 20))
    assert len(samples) == pytest.approx(4 * media.SAMPLE_RATE, abs=10)


def test_recordings_joined_end_to_end_are_decoded_one_after_the_other(tmp_path: Path) -> None:
    part = make(tmp_path, "a.ts").read_bytes()
    surround = film(tmp_path / "surround.ts", *FILMS["a.ts"], "-ac", "6").read_bytes()
    (tmp_path / "joined.ts").write_bytes(part + part + surround + part)
    assert len(decoded(tmp_path / "joined.ts")) / media.SAMPLE_RATE == pytest.approx(16, abs=0.4)


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.ts", "a.avi", "a.mp3", "a.flac", "a.opus", "a.wav", "a.wma"])
def test_a_clip_is_the_same_stretch_of_the_whole(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    sweep = ("-f", "lavfi", "-i", "aevalsrc=sin(300*t*t)/4:d=12:s=48000")
    ffmpeg(
        path,
        *((*PICTURE[:-1], "testsrc=s=64x48:r=25:d=12") if name in FILMS else ()),
        *sweep,
        *(FILMS | RECORDINGS)[name],
    )
    whole = decoded(path)
    clip = decoded(path, 0, 7250, 8750)
    assert len(clip) == 1500 * media.SAMPLE_RATE // 1000
    around = whole[7250 * 16 - 16 : 8750 * 16 + 16].astype(
        float
    )  # timestamps are rounded to a millisecond in some containers
    differences = [np.abs(around[at : at + len(clip)] - clip).mean() for at in range(33)]
    assert min(differences) < 0.1 * np.abs(clip).mean()


@pytest.mark.parametrize("channels", [2, 6])
@pytest.mark.parametrize("name", ["a.wav", "a.mka"])
def test_one_channel_comes_apart_from_the_others(name: str, channels: int, tmp_path: Path) -> None:
    values = np.arange(1, channels + 1, dtype="<i2") * 1000
    path = wav(tmp_path / "a.wav", np.tile(values, 32_000).tobytes(), channels=channels)
    path = path if name == path.name else ffmpeg(tmp_path / name, "-i", str(path), "-c:a", "flac")
    for channel, value in enumerate(values):
        for start_ms in (0, 500):
            samples = decoded(path, 0, start_ms, channel=channel)
            assert len(samples) == 16 * (2000 - start_ms)
            assert set(samples[100:-100].tolist()) == {value}
    assert set(decoded(path)[100:-100].tolist()) != {1000}


@pytest.mark.parametrize("channels", [2, 6, 8, 13, 32])
def test_any_number_of_channels_is_mixed_down_without_clipping(channels: int, tmp_path: Path) -> None:
    loudest = (32767).to_bytes(2, "little") * channels * 16_000
    samples = decoded(wav(tmp_path / "a.wav", loudest, channels=channels))
    assert len(samples) == 16_000
    assert int(samples.min()) >= 32_000


def test_dialogue_in_the_centre_is_louder_than_the_same_sound_elsewhere(tmp_path: Path) -> None:
    levels = {}
    for place in ("FL", "FC", "SL"):
        path = recording(tmp_path / f"{place}.mka", "-af", f"pan=5.1(side)|{place}=c0", "-c:a", "pcm_s16le")
        levels[place] = int(np.abs(decoded(path)).max())
    assert levels["FC"] > levels["FL"] > levels["SL"] > 100


def test_blocks_are_of_bounded_size(tmp_path: Path) -> None:
    blocks = list(media.decode(recording(tmp_path / "a.mka", "-c:a", "flac", "-output_ts_offset", "0")))
    assert [len(block) >= media.SAMPLE_RATE for block in blocks[:-1]] == [True] * (len(blocks) - 1)
    assert max(len(block) for block in blocks) < 2 * media.SAMPLE_RATE
    assert {block.dtype for block in blocks} == {np.dtype(np.int16)}


# Files that are odd, and whole


def test_wav_headers_that_lie_about_the_size_are_no_obstacle(tmp_path: Path) -> None:
    sound = bytes(range(256)) * 125  # 1 s
    for declared in (0, 0xFFFFFFFF):
        assert len(decoded(wav(tmp_path / "a.wav", sound, declared=declared))) == 16_000
    assert len(decoded(wav(tmp_path / "a.wav", sound + b"x", declared=len(sound)))) == 16_000
    whole = wav(tmp_path / "a.wav", sound).read_bytes()
    (tmp_path / "a.wav").write_bytes(b"RIFF\x07\0\0\0WAVEJUNK\x10\0\0\0" + bytes(16) + whole[12:])
    assert len(decoded(tmp_path / "a.wav")) == 16_000


def test_telephone_recordings_in_gsm(tmp_path: Path) -> None:
    (tmp_path / "a.gsm").write_bytes((b"\xd0" + bytes(32)) * 50)  # 50 frames of 20 ms
    assert len(decoded(tmp_path / "a.gsm")) == 16_000
    form = b"WAVEfmt \x14\0\0\0\x31\0\x01\0\x40\x1f\0\0\x59\x06\0\0\x41\0\0\0\x02\0\x40\x01"  # WAV49: blocks of 65 bytes, 320 samples
    (tmp_path / "a.wav").write_bytes(
        b"RIFF\0\0\0\0" + form + b"data" + (65 * 25).to_bytes(4, "little") + bytes(65 * 25)
    )
    assert len(decoded(tmp_path / "a.wav")) == 16_000


def test_an_mp3_may_be_called_wav_and_end_in_tags(tmp_path: Path) -> None:
    whole = make(tmp_path, "a.mp3").read_bytes()
    (tmp_path / "a.wav").write_bytes(whole + b"APETAGEX" + bytes(200) + b"TAG" + bytes(125))
    sound = media.decode(tmp_path / "a.wav")
    assert sum(map(len, sound)) == 4 * media.SAMPLE_RATE
    assert sound.degraded == []


# Files that are not whole


@pytest.mark.parametrize("name", [name for name in (*RECORDINGS, *FILMS) if name not in UNTOLD_CUTS])
def test_files_that_were_cut_short_are_noticed(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = cut(make(tmp_path, name))
    with pytest.raises((StageFailed, UsageError), match=r"is cut short|is damaged at 00:00:0[12]") as failure:
        decoded(path)
    assert "opy it again" in str(failure.value)
    assert "\n" not in str(failure.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["a.mkv", "faststart.mp4", "a.mp3", "a.flac", "a.wav", "a.ts"])
def test_what_is_left_of_a_cut_file_can_be_asked_for(name: str, tmp_path: Path) -> None:
    sound = media.decode(cut(make(tmp_path, name)), allow_truncated=True)
    assert 1 < sum(map(len, sound)) / media.SAMPLE_RATE < 2.6
    assert any("cut short" in line or "ends inside a packet" in line for line in sound.degraded)


def test_the_message_compares_what_there_is_with_what_was_promised(tmp_path: Path) -> None:
    with pytest.raises(
        StageFailed,
        match=r"a\.flac: decoded [12]\.\d s, but the container says 4\.0 s: the file is cut short.*ALLOW_TRUNCATED=true",
    ):
        decoded(cut(make(tmp_path, "a.flac")))


def test_a_clip_before_the_cut_is_whole(tmp_path: Path) -> None:
    path = make(tmp_path, "a.mkv")
    cut(path)
    assert len(decoded(path, 0, 500, 1500)) == 16_000
    with pytest.raises(StageFailed, match="cut short"):
        decoded(path, 0, 500, 3900)


@pytest.mark.parametrize("name", ["a.mkv", "a.mp3", "a.flac"])
def test_much_damage_inside_is_told_with_its_time_or_left_out(name: str, tmp_path: Path) -> None:
    path = make(tmp_path, name)
    data = bytearray(path.read_bytes())
    middle, much = len(data) // 3, len(data) * 2 // 5
    data[middle : middle + much] = random.Random(1).randbytes(much)
    path.write_bytes(data)
    with pytest.raises(
        StageFailed,
        match=r"is damaged at 00:00:0[01]\.\d+ \(.+\).*: \d\.\d+ s could not be read\. Repair or copy it again",
    ):
        decoded(path)
    sound = media.decode(path, allow_truncated=True)
    assert sum(map(len, sound)) / media.SAMPLE_RATE == pytest.approx(4, abs=0.6)
    assert re.search(r"is damaged at 00:00:0[01]", sound.degraded[0])


def test_an_impossible_time_is_damage_and_does_not_become_hours_of_silence(tmp_path: Path) -> None:
    path = recording(tmp_path / "a.mka", "-c:a", "flac", "-cluster_time_limit", "1000")
    data = path.read_bytes()
    last_cluster = data.index(
        b"\xe7", data.rindex(b"\x1f\x43\xb6\x75")
    )  # its Timestamp element: E7 82 and two bytes of milliseconds
    path.write_bytes(data[: last_cluster + 2] + b"\xff\xff" + data[last_cluster + 4 :])
    sound = media.decode(path)
    assert sum(map(len, sound)) == 4 * media.SAMPLE_RATE
    assert "(a time far beyond the end)" in sound.degraded[0]


# The timeline


def pieces(*placed: tuple[int, int], begin: int = 0, end: int = 100) -> list[int]:
    """Which samples of placed runs (position, length), numbered from 1, come out, with 0 for silence."""
    line = Timeline(begin, end)
    runs = [np.arange(at + 1, at + 1 + length, dtype=np.int32) for at, length in placed]
    return [
        int(sample)
        for (at, _), run in zip(placed, runs, strict=True)
        for block in line.place(at, run)
        for sample in block
    ]


def test_timeline_fills_gaps_trims_overlaps_and_keeps_to_its_stretch() -> None:
    assert pieces((0, 2), (2, 2)) == [1, 2, 3, 4]
    assert pieces((1, 2), (5, 1)) == [0, 2, 3, 0, 0, 6]
    assert pieces((0, 4), (2, 4)) == [1, 2, 3, 4, 5, 6]
    assert pieces((-2, 4)) == [1, 2]
    assert pieces((0, 4), (1, 2), begin=1, end=3) == [2, 3]
    assert pieces((50, 1), end=3) == [0, 0, 0]


def test_long_silence_comes_in_pieces() -> None:
    hour = 3600 * timeline.SAMPLE_RATE
    blocks = list(Timeline(0, hour).place(hour - 1, np.ones(1, np.int32)))
    assert sum(map(len, blocks)) == hour
    assert max(map(len, blocks)) == 60 * timeline.SAMPLE_RATE


def test_in_blocks_joins_small_pieces() -> None:
    assert [len(block) for block in in_blocks([np.zeros(n, np.int32) for n in (3, 4, 5, 1)], 7)] == [7, 6]


def test_in_blocks_rounds_to_16_bits() -> None:
    wide = np.array([0, 1 << 15, (1 << 15) + 1, 3 << 15, -(1 << 15) - 1, 2**31 - 1, -(2**31)], np.int32)
    assert np.concatenate(list(in_blocks([wide], 1))).tolist() == [0, 0, 1, 2, -1, 32767, -32768]


# ffmpeg


def test_progress_is_in_seconds_of_output(tmp_path: Path) -> None:
    seen: list[float] = []
    media.run_ffmpeg([*PICTURE, *TONE, "-c:v", "mpeg4"], tmp_path / "a.mkv", seen.append)
    assert seen[-1] == pytest.approx(4, abs=0.2)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_called_by_its_name() -> None:
    with pytest.raises(StageFailed, match="No space left on device"):
        media.run_ffmpeg([*TONE, "-f", "wav"], Path("/dev/full"))


def test_a_failure_gives_ffmpegs_own_reason(tmp_path: Path) -> None:
    with pytest.raises(StageFailed, match="No such file or directory"):
        media.run_ffmpeg(media.input_arguments(tmp_path / "none.mkv"), tmp_path / "out.mkv")


def test_ffmpeg_ends_with_the_work_that_called_it(tmp_path: Path) -> None:
    def give_up(seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        media.run_ffmpeg(["-re", "-f", "lavfi", "-i", "sine=d=600"], tmp_path / "endless.wav", give_up)
    running = subprocess.run(["ps", "-Ao", "args"], capture_output=True, text=True, check=True).stdout
    assert str(tmp_path) not in running


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the stage's process group is ended")
def test_ffmpeg_is_killed_with_its_parent(root: Path, tmp_path: Path) -> None:
    work = "import sys; from pathlib import Path; from sutradhar.pipeline import media; media.run_ffmpeg(sys.argv[2:], Path(sys.argv[1]), lambda done: print(done, flush=True))"
    endless = [str(tmp_path / "endless.wav"), "-re", "-f", "lavfi", "-i", "sine=d=600"]
    with subprocess.Popen([sys.executable, "-c", work, *endless], cwd=root, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        parent.stdout.readline()
        parent.kill()
    deadline = time.monotonic() + 5
    while str(tmp_path) in (
        running := subprocess.run(["ps", "-Ao", "args"], capture_output=True, text=True, check=True).stdout
    ):
        assert time.monotonic() < deadline, running


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere whoever watches it takes a moment")
def test_a_question_to_ffmpeg_ends_with_who_asks(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    number, fake = tmp_path / "number", tmp_path / "ffmpeg"
    fake.write_text(f"#!/bin/sh\necho $$ > {number}\nexec sleep 47\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    asks = "from pathlib import Path; from sutradhar.pipeline import media; media.why_not_decoded(Path('film.mkv'), 0)"
    with subprocess.Popen([sys.executable, "-c", asks], cwd=root) as parent:
        wait_for(lambda: number.exists() and number.read_text())
        assert not gone(int(number.read_text()))
        parent.kill()
    wait_for(lambda: gone(int(number.read_text())))


def test_the_module_is_light(root: Path) -> None:
    heavy = "import sys, sutradhar.pipeline.media; print([name for name in ('av', 'numpy', 'imageio_ffmpeg', 'langcodes') if name in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", heavy], cwd=root, capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )


@pytest.mark.parametrize("end_ms", [3000, 3900])
def test_a_clip_may_end_after_the_sound_and_before_the_picture(end_ms: int, tmp_path: Path) -> None:
    made = ffmpeg(tmp_path / "a.mkv", *PICTURE, "-f", "lavfi", "-i", "sine=duration=2", "-c:v", "mpeg4")
    samples = sum(len(block) for block in media.decode(made, end_ms=end_ms))
    assert 1900 * 16 <= samples <= end_ms * 16


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("a.wav: decoded 3 s", "decoded 3 s"),
        ("a.wav is cut short", "is cut short"),
        ("a.wav.bak is cut short", "a.wav.bak is cut short"),
        ("cut short", "cut short"),
    ],
)
def test_a_message_on_a_file_can_do_without_its_name(message: str, expected: str) -> None:
    assert media.without_name(message, Path("in/a.wav")) == expected
    assert media.without_name(message.replace("a.wav", "x\\ny.wav"), Path("x\ny.wav")) == expected.replace(
        "a.wav", "x\\ny.wav"
    )
