"""Where a recording has its sound, whatever its header says of the size."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from sutradhar.pipeline import media
from sutradhar.pipeline.errors import StageFailed
from sutradhar.pipeline.media import chunks
from tests.make_media import ffmpeg, wav

RATE = 16_000
SOUND = (np.random.default_rng(1).normal(0, 2000, 9 * RATE)).astype("<i2").tobytes()  # 9 s
TOLD = 2 * RATE * 2  # bytes of 2 s
FORMATS = {
    "a.wav": (),
    "rf64.wav": ("-rf64", "always"),
    "a.aiff": (),
    "a.caf": ("-c:a", "pcm_s16le"),
    "a.au": (),
    "a.w64": (),
}
LIST = b"LIST" + struct.pack("<I", 20) + b"INFOISFT" + bytes(12)
PLACEHOLDERS = (
    0xFFFFFFFF,
    0x80000000,
    0x7FFFFFFF,
    0x7FFFF000,
    0x7FFFF000 - 36,
    0xFFFFFFFF - 44,
    0x7FFF0000,
    0x80000024,
    0xFFFFF000,
)


def read(path: Path) -> tuple[float, list[str]]:
    sound = media.decode(path)
    return sum(map(len, sound)) / RATE, [media.without_name(line, path) for line in sound.degraded]


def recording(path: Path) -> Path:
    source = wav(path.with_name("source.wav"), SOUND)
    return ffmpeg(path, "-i", str(source), *FORMATS[path.name])


def with_size(path: Path, size: int) -> None:
    """The header says that the sound has so many bytes."""
    data = bytearray(path.read_bytes())
    with path.open("rb") as file:
        chunk = chunks.find(file)
    assert chunk
    struct.pack_into(chunk.size, data, chunk.size_at, size + chunk.extra)
    path.write_bytes(data)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("told", [TOLD, 0])
def test_sound_behind_the_headers_size_is_taken_and_told_of(name: str, told: int, tmp_path: Path) -> None:
    path = recording(tmp_path / name)
    with_size(path, told)
    assert media.probe(path).duration_ms == 9000
    assert read(path) == (
        9.0,
        [f"its header tells of {told:,} bytes of sound, and 288,000 are there: all of it was taken"],
    )


@pytest.mark.parametrize("size", PLACEHOLDERS)
def test_a_placeholder_is_no_promise(size: int, tmp_path: Path) -> None:
    assert read(wav(tmp_path / "a.wav", SOUND, declared=size)) == (9.0, [])


@pytest.mark.parametrize("size", [0x90000000, 0x60000000, len(SOUND) * 2])
def test_any_other_size_is_one(size: int, tmp_path: Path) -> None:
    with pytest.raises(StageFailed, match=r"is cut short: its header promises [\d,]+ bytes more"):
        read(wav(tmp_path / "a.wav", SOUND, declared=size))


@pytest.mark.parametrize("size", [1 << 40, 1 << 62])
@pytest.mark.parametrize("name", ["rf64.wav", "a.w64", "a.caf"])
def test_days_of_sound_in_a_small_file_are_no_promise(name: str, size: int, tmp_path: Path) -> None:
    path = recording(tmp_path / name)
    with_size(path, size)
    assert media.probe(path).duration_ms == 9000
    assert read(path) == (9.0, [])


@pytest.mark.parametrize("share", [2, 7])
def test_a_wav_of_2_gb_that_was_cut_is_one(share: int, tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", b"", declared=0x7FFF0000)
    with path.open("r+b") as file:
        file.truncate(0x7FFF0000 // share)
    with pytest.raises(StageFailed, match=r"is cut short: its header promises [\d,]+ bytes more"):
        read(path)


@pytest.mark.parametrize("rate", [8000, 48_000])
def test_the_size_of_the_header_alone_is_what_a_recorder_that_died_leaves(rate: int, tmp_path: Path) -> None:
    seconds, degraded = read(wav(tmp_path / "a.wav", SOUND, rate=rate, declared=36))
    assert seconds == 9.0 * RATE / rate
    assert degraded == ["its header tells of 36 bytes of sound, and 288,000 are there: all of it was taken"]


@pytest.mark.parametrize(
    "behind",
    [
        LIST,
        LIST + b"id3 " + struct.pack("<I", 3001) + b"q" * 3001 + b"\0",
        b"PAD " + struct.pack("<I", 4000) + bytes(4000),
        bytes(50_000),
    ],
    ids=["LIST", "id3", "PAD", "zeros"],
)
def test_other_chunks_and_zeros_behind_the_sound_are_none(behind: bytes, tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", SOUND)
    path.write_bytes(path.read_bytes() + behind)
    assert read(path) == (9.0, [])


@pytest.mark.parametrize("name", FORMATS)
def test_much_padding_is_not_searched(name: str, tmp_path: Path) -> None:
    path = recording(tmp_path / name)
    with path.open("ab") as file:
        file.truncate(path.stat().st_size + (256 << 20))
    assert read(path) == (9.0, [])


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "rf64.wav"])
def test_recordings_of_one_form_that_were_joined_are_all_read(name: str, tmp_path: Path) -> None:
    path = recording(tmp_path / name)
    path.write_bytes(path.read_bytes() * 3)
    seconds, degraded = read(path)
    assert seconds == pytest.approx(27, abs=0.01)
    assert degraded


def test_as_many_recordings_as_somebody_likes_may_be_joined(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", SOUND[:3200])
    path.write_bytes(path.read_bytes() * 3000)
    seconds, degraded = read(path)
    assert (seconds, len(degraded)) == (300.0, 1)


def test_what_was_joined_and_cannot_be_read_is_told_of(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", SOUND)
    path.write_bytes(path.read_bytes() + wav(tmp_path / "b.wav", SOUND, rate=8000).read_bytes())
    assert read(path) == (9.0, ["a second recording of another form was joined to it: its 288,044 bytes were left out"])


@pytest.mark.parametrize("name", ["a.m4a", "a.wma", "a.flv"])
def test_a_second_recording_that_libav_does_not_read_is_told_of(name: str, tmp_path: Path) -> None:
    path = ffmpeg(tmp_path / name, "-f", "lavfi", "-i", "sine=duration=5")
    whole, size = read(path), path.stat().st_size
    path.write_bytes(path.read_bytes() * 2)
    line = f"a second recording was joined to it: its {size:,} bytes were left out. Give each by itself"
    assert (whole[1], read(path)) == ([], (whole[0], [line]))


def test_an_end_that_is_all_zeros_is_told_of(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", SOUND * 3)
    assert read(path) == (27.0, [])
    path.write_bytes(path.read_bytes()[: -12 * 32_000] + bytes(12 * 32_000))
    assert read(path) == (27.0, ["its last 12.0 s are digital silence: copy it again if somebody speaks there"])


@pytest.mark.parametrize("start_ms", [0, 4500])
def test_a_clip_of_what_the_header_does_not_tell_of(start_ms: int, tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", SOUND, declared=TOLD)
    samples = np.concatenate(list(media.decode(path, 0, start_ms, 8500)))
    whole = np.frombuffer(SOUND, "<i2")[start_ms * 16 : 8500 * 16]
    assert np.abs(samples.astype(int) - whole).max() <= 1


@pytest.mark.parametrize("size", [-12, -(1 << 63), 1 << 60, (1 << 63) - 1])
def test_impossible_sizes_of_chunks_end_the_search(size: int, tmp_path: Path) -> None:
    path = tmp_path / "a.caf"
    path.write_bytes(b"caff\0\1\0\0" + b"free" + struct.pack(">q", size) + bytes(64))
    assert chunks.locate(path) is None


def test_sound_in_several_chunks_is_all_read(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", SOUND[:TOLD])
    rest = SOUND[TOLD:]
    further = [b"data" + struct.pack("<I", len(part)) + part for part in (rest[:64_000], rest[64_000:])]
    path.write_bytes(path.read_bytes() + further[0] + LIST + further[1])
    samples = np.concatenate(list(media.decode(path)))
    assert np.abs(samples.astype(int) - np.frombuffer(SOUND, "<i2")).max() <= 1
    assert read(path) == (
        9.0,
        ["its header tells of 64,000 bytes of sound, and 288,000 are there: all of it was taken"],
    )


@pytest.mark.parametrize("name", ["a.aiff", "a.caf", "a.w64"])
def test_other_formats_with_two_chunks_of_sound(name: str, tmp_path: Path) -> None:
    path = recording(tmp_path / name)
    with path.open("rb") as file:
        chunk = chunks.find(file)
    assert chunk
    assert chunk.layout
    content = path.read_bytes()
    begin = content.index(chunk.layout.sound)
    path.write_bytes(content + content[begin : chunk.declared_end])
    assert read(path)[0] == 18.0


@pytest.mark.parametrize("name", ["before", "form"])
def test_an_odd_chunk_may_lack_its_padding(name: str, tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", SOUND)
    content = path.read_bytes()
    if name == "before":
        path.write_bytes(content[:36] + b"junk" + struct.pack("<I", 5) + b"abcde" + content[36:])
    else:
        path.write_bytes(content[:16] + struct.pack("<I", 17) + content[20:36] + b"\0" + content[36:])
    assert read(path) == (
        9.0,
        ["is damaged at its beginning: a part of its header is a byte too short. Its sound is whole"],
    )


@pytest.mark.parametrize("pad", [b"\0", b"X"])
def test_a_padded_chunk_is_no_damage(pad: bytes, tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", SOUND)
    content = path.read_bytes()
    path.write_bytes(content[:36] + b"junk" + struct.pack("<I", 5) + b"abcde" + pad + content[36:])
    assert read(path) == (9.0, [])


@pytest.mark.parametrize("frames", [0x80000000, 0xFFFFFFFF])
def test_an_impossible_count_of_samples_is_left_out(frames: int, tmp_path: Path) -> None:
    path = recording(tmp_path / "a.aiff")
    content = bytearray(path.read_bytes())
    struct.pack_into(">I", content, content.index(b"COMM") + 10, frames)
    path.write_bytes(content)
    assert read(path) == (9.0, [f"its header counts {frames:,} samples, which cannot be: what is there was taken"])
