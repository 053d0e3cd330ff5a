"""Times that a file tells falsely, and sound that is missing between others: nothing is lost or moved in silence."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from sutradhar.pipeline import media
from tests.make_media import ffmpeg

SOUND = ("-f", "lavfi", "-i", "anoisesrc=d=12:a=0.1:r=16000")
FALSE = ["its times do not fit its sound, which was taken as it is, piece after piece"]


def read(path: Path) -> tuple[float, list[str]]:
    sound = media.decode(path)
    return sum(map(len, sound)) / media.SAMPLE_RATE, [media.without_name(line, path) for line in sound.degraded]


def patched(path: Path, name: bytes, offset: int, value: int) -> None:
    """The last box of this name has another number so many bytes behind its name."""
    content = bytearray(path.read_bytes())
    struct.pack_into(">I", content, content.rindex(name) + offset, value)
    path.write_bytes(content)


@pytest.mark.parametrize("scale", [8000, 14_700, 17_640, 32_000, 1_600_000])
@pytest.mark.parametrize("name", ["a.m4a", "a.mov", "a.mp4"])
def test_a_false_time_scale_takes_no_sound_and_adds_no_silence(scale: int, name: str, tmp_path: Path) -> None:
    picture = ("-f", "lavfi", "-i", "testsrc=s=64x48:r=10:d=12") if name != "a.m4a" else ()
    path = ffmpeg(tmp_path / name, *picture, *SOUND, "-c:a", "pcm_s16le" if name == "a.mov" else "aac")
    patched(path, b"mdhd", 16, scale)
    seconds, degraded = read(path)
    assert seconds == pytest.approx(12, abs=0.1)
    assert degraded == FALSE


def test_an_index_that_leaves_packets_no_time_takes_no_sound(tmp_path: Path) -> None:
    path = ffmpeg(tmp_path / "a.m4a", *SOUND)
    patched(path, b"stts", 12, 50)
    seconds, degraded = read(path)
    assert seconds == pytest.approx(12, abs=0.1)
    assert degraded == FALSE


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100, 48_000])
@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.m4a", "aac"),
        ("a.mov", "pcm_s16le"),
        ("a.mov", "adpcm_ima_qt"),
        ("a.mkv", "libmp3lame"),
        ("a.mkv", "truehd"),
        ("a.mkv", "pcm_s16le"),
        ("a.avi", "libmp3lame"),
        ("a.avi", "pcm_s16le"),
        ("a.mka", "flac"),
        ("a.mka", "libopus"),
        ("a.mkv", "libvorbis"),
    ],
)
def test_true_times_are_believed(name: str, codec: str, rate: int, tmp_path: Path) -> None:
    if codec == "truehd" and rate < 44_100:
        pytest.skip("not in this codec")
    out_rate = 48_000 if codec == "libopus" else rate
    path = ffmpeg(tmp_path / name, *SOUND, "-c:a", codec, "-ar", str(out_rate), "-strict", "-2")
    seconds, degraded = read(path)
    assert seconds == pytest.approx(12, abs=0.2)
    assert degraded == []


def test_a_clip_of_a_file_with_false_times_is_where_its_sound_is(tmp_path: Path) -> None:
    path = ffmpeg(tmp_path / "a.m4a", "-f", "lavfi", "-i", "aevalsrc=0.3*sin(2000*t)*gt(t\\,8):d=12:s=16000")
    patched(path, b"mdhd", 16, 32_000)
    clip = [abs(block).max() for block in media.decode(path, 0, 7000, 11_000)]
    assert clip[0] < 1000
    assert clip[2] > 3000


def test_a_lost_fragment_is_told_of(tmp_path: Path) -> None:
    path = ffmpeg(tmp_path / "a.m4a", *SOUND, "-movflags", "frag_keyframe+empty_moov", "-frag_duration", "1000000")
    content = bytearray(path.read_bytes())
    at = content.index(b"moof", len(content) // 2)
    content[at : at + 4] = b"free"
    path.write_bytes(content)
    seconds, degraded = read(path)
    assert seconds == pytest.approx(12, abs=0.15)
    assert len(degraded) == 1
    assert degraded[0].startswith("has no sound at 00:00:0")
    assert degraded[0].endswith("1.02 s are silent there")


@pytest.mark.parametrize("at", [0.3, 0.5, 0.7])
def test_bytes_that_are_missing_between_frames_are_told_of(at: float, tmp_path: Path) -> None:
    path = ffmpeg(tmp_path / "a.aac", *SOUND)
    content = path.read_bytes()
    begin = int(len(content) * at)
    path.write_bytes(content[:begin] + content[begin + len(content) // 50 :])
    _, degraded = read(path)
    assert degraded[0].startswith("is damaged at 00:00:0")


# Promises that cannot be kept


def huge_flac(content: bytearray) -> None:
    content[21] |= 0x0F
    content[22:26] = b"\xff" * 4


def huge_mp3(content: bytearray) -> None:
    at = max(content.find(b"Xing"), content.find(b"Info"))
    struct.pack_into(">I", content, at + 8, 10**6)


def huge_aiff(content: bytearray) -> None:
    struct.pack_into(">I", content, content.index(b"COMM") + 10, 0x7FFFFFF0)


def huge_mkv(content: bytearray) -> None:
    struct.pack_into(">d", content, content.index(b"\x44\x89\x88") + 3, 1e9)


@pytest.mark.parametrize(
    ("name", "arguments", "damage"),
    [
        ("a.flac", (), huge_flac),
        ("a.mp3", (), huge_mp3),
        ("a.aiff", (), huge_aiff),
        ("a.mkv", ("-c:a", "aac"), huge_mkv),
    ],
)
def test_a_length_that_the_file_cannot_hold_is_no_promise(
    name: str, arguments: tuple[str, ...], damage: Callable[[bytearray], None], tmp_path: Path
) -> None:
    path = ffmpeg(tmp_path / name, *SOUND, *arguments)
    content = bytearray(path.read_bytes())
    damage(content)
    path.write_bytes(content)
    assert media.probe(path).duration_ms == pytest.approx(12_000, abs=150)
    seconds, degraded = read(path)
    assert seconds == pytest.approx(12, abs=0.15)
    assert len(degraded) == 1
    assert degraded[0].startswith("its header promises ")
    assert degraded[0].endswith(" s that are there were taken")


def test_a_length_of_much_silence_in_few_bytes_is_true(tmp_path: Path) -> None:
    path = ffmpeg(tmp_path / "a.flac", "-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono:d=3600", "-frame_size", "65535")
    assert path.stat().st_size < 20_000
    assert read(path) == (3600.0, [])


# Broadcasts


@pytest.mark.parametrize("name", ["a.ts", "a.m2ts", "a.mpg"])
@pytest.mark.parametrize(
    ("picture", "sound", "said"),
    [
        (60, 20, r"its sound ends at 00:00:20\.\d+, and its picture goes on to 00:0[01]:[50]\d\.\d+"),
        (20, 60, r"its picture ends .*: all of it was taken"),
    ],
)
def test_sound_and_picture_of_a_broadcast_that_end_far_apart_are_told_of(
    picture: int, sound: int, said: str, name: str, tmp_path: Path
) -> None:
    path = broadcast(tmp_path / name, picture, sound)
    seconds, degraded = read(path)
    assert seconds == pytest.approx(sound, abs=0.2)
    assert len(degraded) == 1
    assert re.fullmatch(said, degraded[0])


@pytest.mark.parametrize("name", ["a.ts", "a.mpg"])
@pytest.mark.parametrize("seconds", [3, 20])
def test_sound_and_picture_of_a_broadcast_that_end_together_are_in_order(
    seconds: int, name: str, tmp_path: Path
) -> None:
    assert read(broadcast(tmp_path / name, seconds, seconds))[1] == []


def broadcast(path: Path, picture: int, sound: int) -> Path:
    streams = (
        "-f",
        "lavfi",
        "-i",
        f"testsrc=s=160x120:r=25:d={picture}",
        "-f",
        "lavfi",
        "-i",
        f"anoisesrc=d={sound}:a=0.1:r=48000",
    )
    return ffmpeg(path, *streams, "-c:v", "mpeg2video", "-b:v", "1M", "-c:a", "mp2")
