"""A little damage is noted and the rest keeps its times; where a share is missing the file is refused."""

from __future__ import annotations

import random
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from sutradhar.pipeline import media
from sutradhar.pipeline.errors import StageFailed, UsageError
from sutradhar.pipeline.media.container import open_media
from sutradhar.pipeline.media.damage import Damage, bearable_ms
from tests.make_media import ffmpeg

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream

SECONDS = 12
# A beep at each half second, each of its own pitch, in a little noise: what was moved or is missing shows.
BEEP = "0.4*sin(2*PI*(400+100*floor(t))*t)*between(mod(t\\,1)\\,0.5\\,0.7)+0.002*(random(0)-0.5)"
BEEPS = ("-f", "lavfi", "-i", f"aevalsrc='{BEEP}':d={SECONDS}:s=48000")
PICTURE = ("-f", "lavfi", "-i", f"testsrc=s=160x120:r=25:d={SECONDS}")
SOUNDS = {
    "a.mp3": ("-b:a", "64k"),
    "without-header.mp3": ("-b:a", "64k", "-write_xing", "0"),
    "a.aac": (),
    "a.ac3": (),
    "a.flac": (),
    "a.opus": ("-c:a", "libopus"),
    "vorbis.ogg": ("-c:a", "libvorbis"),
    "a.wav": (),
    "a.wma": (),
    "live.webm": ("-c:a", "libopus", "-live", "1"),
}
FILMS = {
    "a.mkv": ("-c:v", "mpeg4", "-c:a", "aac"),
    "faststart.mp4": ("-c:v", "mpeg4", "-c:a", "aac", "-movflags", "+faststart"),
    "fragmented.mp4": ("-c:v", "mpeg4", "-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"),
    "a.avi": ("-c:v", "mpeg4", "-c:a", "libmp3lame"),
    "a.ts": ("-c:v", "mpeg2video", "-c:a", "ac3"),
    "aac.ts": ("-c:v", "mpeg4", "-c:a", "aac"),
    "a.mpg": ("-c:v", "mpeg2video", "-c:a", "mp2"),
    "a.flv": ("-c:v", "flv", "-c:a", "libmp3lame", "-ar", "44100"),
    "a.wmv": ("-c:v", "wmv2", "-c:a", "wmav2"),
}
UNSYNCHRONISED = {"a.wav"}  # a byte less moves no frame, but the sound has no frames to find again
ONE_PLACE = [
    name for name in (*SOUNDS, *FILMS) if name != "fragmented.mp4"
]  # which libav does not read behind a broken box
GUESSED = {"without-header.mp3", "a.mp3", "a.aac", "a.ac3"}  # where only the bytes of a long hole tell how long it is
# Nothing in them tells how long the whole is.
ENDLESS = {
    "without-header.mp3",
    "a.aac",
    "a.ac3",
    "a.opus",
    "vorbis.ogg",
    "live.webm",
    "fragmented.mp4",
    "a.ts",
    "aac.ts",
    "a.mpg",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bytes]:
    folder = tmp_path_factory.mktemp("beeps")

    def content(name: str) -> bytes:
        path = folder / name
        if not path.exists():
            ffmpeg(path, *(PICTURE if name in FILMS else ()), *BEEPS, *(SOUNDS | FILMS)[name])
        return path.read_bytes()

    return content


def beeps(samples: NDArray[np.int16]) -> dict[int, float]:
    """The middle, in seconds, of each beep that is heard from its begin to its end, by its number."""
    length, step = 512, 160
    frames = np.lib.stride_tricks.sliding_window_view(samples.astype(float), length)[::step] * np.hanning(length)
    found = {}
    for number in range(SECONDS):
        loudness = np.abs(frames @ np.exp(-2j * np.pi * (400 + 100 * number) * np.arange(length) / media.SAMPLE_RATE))
        heard = np.flatnonzero(loudness > max(600_000, loudness.max() / 2))
        if len(heard) and 0.15 < (heard[-1] - heard[0]) * step / media.SAMPLE_RATE < 0.25:
            found[number] = float((heard[0] + heard[-1]) / 2 * step + length / 2) / media.SAMPLE_RATE
    return found


def read(
    folder: Path, name: str, content: bytes, *, allow_truncated: bool = False
) -> tuple[NDArray[np.int16], list[str]]:
    path = folder / name
    path.write_bytes(content)
    sound = media.decode(path, allow_truncated=allow_truncated)
    return np.concatenate([np.zeros(0, np.int16), *sound]), sound.degraded


def assert_times_are_right(samples: NDArray[np.int16], least: int, within: float = 0.05) -> None:
    found = beeps(samples)
    assert len(found) >= least
    late = {number: round(at - number - 0.6, 3) for number, at in found.items() if abs(at - number - 0.6) > within}
    assert late == {}


def flipped(content: bytes, count: int) -> bytes:
    dice, data = random.Random(1), bytearray(content)
    for _ in range(count):
        data[dice.randrange(len(data) // 5, len(data) * 9 // 10)] ^= 1 << dice.randrange(8)
    return bytes(data)


def with_hole(content: bytes, length: int) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes(length) + content[middle + length :]


# How much may be missing


@pytest.mark.parametrize(
    ("seconds", "inside", "at_end"),
    [
        (1, 250, 83),
        (4, 1000, 333),
        (10, 1200, 833),
        (60, 1200, 1200),
        (600, 12_000, 12_000),
        (7200, 30_000, 30_000),
        (86_400, 30_000, 30_000),
    ],
)
def test_how_much_may_be_missing(seconds: int, inside: int, at_end: int) -> None:
    assert (bearable_ms(seconds * 1000), bearable_ms(seconds * 1000, at_end=True)) == (inside, at_end)


def test_damage_adds_up_by_places() -> None:
    damage = Damage()
    damage.add(723_100_000, "bad")
    damage.add(723_100_000, "worse")
    damage.close(100_000, 723_200_000)
    damage.add(800_000_000, "late", 801_000_000)
    damage.close(0, 800_500_000)  # read before the place
    damage.close(300_000, 801_500_000)
    damage.close(5_000_000, 900_000_000)  # a gap that is no damage
    assert damage.describe() == "at 00:12:03.100 (bad) and in 1 other place: 0.40 s could not be read"


# Formats that few have


RARE = {
    "a.rm": ("-c:v", "rv20", "-c:a", "real_144", "-ar", "8000", "-ac", "1"),
    "ac3.rm": ("-c:v", "rv20", "-c:a", "ac3", "-ar", "44100"),
    "a.nut": ("-c:v", "mpeg4", "-c:a", "libmp3lame"),
    "a.wtv": ("-c:v", "mpeg2video", "-c:a", "mp2"),
    "a.dv": ("-target", "pal-dv"),
    "a.latm": ("-vn", "-c:a", "aac"),
}


@pytest.mark.parametrize("name", RARE)
def test_rare_formats_are_read(name: str, tmp_path: Path) -> None:
    picture = (*PICTURE[:3], f"testsrc=s=176x144:r=25:d={SECONDS}")
    content = ffmpeg(tmp_path / f"whole-{name}", *picture, *BEEPS, *RARE[name]).read_bytes()
    samples, degraded = read(tmp_path, name, content)
    assert len(samples) / media.SAMPLE_RATE == pytest.approx(SECONDS, abs=0.1)
    assert degraded == (
        [] if name != "a.rm" else ["a.rm: its times do not fit its sound, which was taken as it is, piece after piece"]
    )
    with pytest.raises((StageFailed, UsageError)) if name in ("ac3.rm", "a.wtv") else nullcontext():
        _, degraded = read(tmp_path, name, content[: len(content) // 2 + 65])
        assert any("its end may be missing" in line for line in degraded)


# Little damage


@pytest.mark.parametrize("name", [*SOUNDS, *FILMS])
def test_one_flipped_bit_refuses_no_file_and_moves_nothing(
    name: str, made: Callable[[str], bytes], tmp_path: Path
) -> None:
    samples, _ = read(tmp_path, name, flipped(made(name), 1))
    assert_times_are_right(samples, SECONDS - 1)


@pytest.mark.parametrize("name", ONE_PLACE)
def test_a_hole_of_100_bytes_refuses_no_file_and_moves_nothing(
    name: str, made: Callable[[str], bytes], tmp_path: Path
) -> None:
    samples, _ = read(tmp_path, name, with_hole(made(name), 100))
    assert_times_are_right(samples, SECONDS - 1)


@pytest.mark.parametrize("name", [name for name in ONE_PLACE if name not in UNSYNCHRONISED | {"faststart.mp4"}])
def test_100_bytes_less_refuse_no_file(name: str, made: Callable[[str], bytes], tmp_path: Path) -> None:
    content = made(name)
    samples, _ = read(tmp_path, name, content[: len(content) // 2] + content[len(content) // 2 + 100 :])
    assert_times_are_right(samples, SECONDS - 1)


def test_what_is_missing_is_noted_with_its_place_and_amount(made: Callable[[str], bytes], tmp_path: Path) -> None:
    _, degraded = read(tmp_path, "a.flac", with_hole(made("a.flac"), 100))
    (line,) = degraded
    assert line.startswith("a.flac is damaged at 00:00:0")
    assert line.endswith("): 0.02 s could not be read")


@pytest.mark.parametrize("packets", [1, 50])
@pytest.mark.parametrize("name", ["a.ts", "aac.ts"])
def test_lost_packets_of_a_transport_stream_are_noted(
    name: str, packets: int, made: Callable[[str], bytes], tmp_path: Path
) -> None:
    content = made(name)
    sound = [at for at in range(0, len(content), 188) if struct.unpack_from(">H", content, at + 1)[0] & 0x1FFF == 0x101]
    lost = sound[len(sound) // 2]
    samples, degraded = read(tmp_path, name, content[:lost] + content[lost + 188 * packets :])
    assert_times_are_right(samples, SECONDS - 1)
    assert "(incomplete packet)" in degraded[0]


@pytest.mark.parametrize("name", ["a.mp3", "a.aac", "a.ac3", "a.flac", "a.ts", "a.mpg"])
def test_a_start_inside_a_frame_refuses_no_file(name: str, made: Callable[[str], bytes], tmp_path: Path) -> None:
    samples, _ = read(tmp_path, name, made(name)[1000:])
    assert len(beeps(samples)) == SECONDS


def test_a_web_page_before_the_first_frame_refuses_no_file(made: Callable[[str], bytes], tmp_path: Path) -> None:
    samples, _ = read(tmp_path, "a.mp3", b"<html><body>" + b"<p>Download</p>\n" * 120 + made("a.mp3"))
    assert_times_are_right(samples, SECONDS)


@pytest.mark.parametrize("name", ["a.mp3", "a.flac", "a.mkv", "a.wav", "a.avi", "a.wmv", "vorbis.ogg"])
def test_a_thousandth_less_is_no_reason_to_refuse(name: str, made: Callable[[str], bytes], tmp_path: Path) -> None:
    content = made(name)
    samples, _ = read(tmp_path, name, content[: len(content) * 999 // 1000])
    assert_times_are_right(samples, SECONDS - 1)


def test_what_a_wav_lacks_at_its_end_is_noted(made: Callable[[str], bytes], tmp_path: Path) -> None:
    content = made("a.wav")
    _, degraded = read(tmp_path, "a.wav", content[: len(content) * 99 // 100])
    assert "a.wav is cut short: its header promises" in degraded[0]


# A share that is missing


@pytest.mark.parametrize("keep", [0.85, 0.5])
@pytest.mark.parametrize("name", [name for name in (*SOUNDS, *FILMS) if name not in ENDLESS])
def test_a_share_that_was_cut_off_is_refused(
    name: str, keep: float, made: Callable[[str], bytes], tmp_path: Path
) -> None:
    content = made(name)
    with pytest.raises((StageFailed, UsageError), match=r"is cut short.*opy it again"):
        read(tmp_path, name, content[: int(len(content) * keep) // 188 * 188 + 13])


@pytest.mark.parametrize("name", [name for name in (*SOUNDS, *FILMS) if name != "a.wav"])
def test_a_download_that_set_room_aside_is_refused(name: str, made: Callable[[str], bytes], tmp_path: Path) -> None:
    content = made(name)
    with pytest.raises(StageFailed, match=r"is cut short.*opy it again"):
        read(tmp_path, name, content[: len(content) // 2] + bytes(len(content) // 2))


@pytest.mark.parametrize("name", [name for name in (*SOUNDS, *FILMS) if name != "a.wav"])
def test_a_hole_of_a_quarter_is_refused_or_silent(name: str, made: Callable[[str], bytes], tmp_path: Path) -> None:
    content = with_hole(made(name), len(made(name)) // 4)
    with pytest.raises(StageFailed, match=r"is damaged at 00:00:0\d|is cut short"):
        read(tmp_path, name, content)
    if name != "fragmented.mp4":
        samples, degraded = read(tmp_path, name, content, allow_truncated=True)
        assert degraded
        assert_times_are_right(samples, SECONDS * 2 // 3 - 3, within=0.2 if name in GUESSED else 0.05)


@pytest.mark.parametrize(
    ("name", "keep"),
    [
        ("a.ts", 0.5),
        ("a.mpg", 0.5),
        ("a.aac", 0.5),
        *((name, 0.99) for name in sorted(ENDLESS - {"without-header.mp3", "vorbis.ogg"})),
    ],
)
def test_a_recording_that_was_stopped_inside_a_packet_is_read(
    name: str, keep: float, made: Callable[[str], bytes], tmp_path: Path
) -> None:
    content = made(name)
    samples, degraded = read(tmp_path, name, content[: int(len(content) * keep) // 188 * 188 + 65])
    assert f"{name} ends inside a packet: its end may be missing" in degraded
    assert_times_are_right(samples, int(SECONDS * keep) - 2)


def test_what_a_single_fragment_lacks_is_judged_by_its_share(tmp_path: Path) -> None:
    """It holds the whole film, and its index tells how much that is."""
    content = ffmpeg(
        tmp_path / "whole.mp4", *BEEPS, "-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"
    ).read_bytes()
    samples, degraded = read(tmp_path, "a.mp4", content[:-1000])
    assert degraded == ["a.mp4 ends inside a packet: its end may be missing"]
    assert_times_are_right(samples, SECONDS - 1)
    with pytest.raises(StageFailed, match=r"a\.mp4 is cut short: its last [\d,]+ bytes are missing or cannot be read"):
        read(tmp_path, "a.mp4", content[: len(content) // 2])


@pytest.mark.parametrize("lost", [150, 100_000])
def test_an_mp4_whose_index_moved_or_is_gone_is_damaged(
    lost: int, made: Callable[[str], bytes], tmp_path: Path
) -> None:
    content = ffmpeg(tmp_path / "whole.m4a", *BEEPS).read_bytes()
    index = content.rindex(b"moov") - 4
    cut = content[:5000] + content[5150:] if lost == 150 else content[:index]
    with pytest.raises(
        UsageError, match=r"^a\.m4a is damaged: its index cannot be found \(.*\): repair it or copy it again"
    ):
        read(tmp_path, "a.m4a", cut)


# What is no damage


def test_padding_of_zeros_is_no_damage(made: Callable[[str], bytes], tmp_path: Path) -> None:
    for name in ("a.mp3", "a.flac", "a.opus", "a.mkv", "faststart.mp4"):
        samples, degraded = read(tmp_path, name, made(name) + bytes(1 << 20))
        assert (len(beeps(samples)), degraded) == (SECONDS, []), name


TAGS = {
    "ID3v1": b"TAG" + bytes(125),
    "APEv2": b"APETAGEX"
    + struct.pack("<IIII", 2000, 100_000, 1, 0xA0000000)
    + bytes(8)
    + random.Random(5).randbytes(100_000),
    "Lyrics3": b"LYRICSBEGIN" + b"la la \xff\xfb\x90 " * 3000 + b"LYRICS200",
}


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize("rate", [("-b:a", "64k"), ("-q:a", "0")])
def test_tags_behind_an_mp3_are_no_damage(tag: str, rate: tuple[str, str], tmp_path: Path) -> None:
    """For them libav drops what the file says of its length, and guesses: by the bit rate of the beginning, which need not be the whole's."""
    uneven = f"anoisesrc=d=1:a=0.1[noise];aevalsrc='{BEEP}':d={SECONDS}:s=48000[beeps];[beeps][noise]amix=normalize=0"
    content = ffmpeg(tmp_path / "whole.mp3", "-filter_complex", uneven, "-ac", "1", *rate).read_bytes()
    samples, degraded = read(tmp_path, "a.mp3", content + TAGS[tag] + TAGS["ID3v1"])
    assert (len(beeps(samples)), degraded) == (SECONDS, [])
    with pytest.raises(StageFailed, match="cut short"):
        read(tmp_path, "a.mp3", content[: len(content) // 2] + TAGS[tag])


JUNK = {**TAGS, "zeros": bytes(200), "text": b"made by a recorder\n" * 30, "random": random.Random(4).randbytes(3000)}


@pytest.mark.parametrize("junk", [name for name in JUNK if name not in ("APEv2", "Lyrics3")])
@pytest.mark.parametrize("name", ["a.aac", "a.ac3", "a.eac3", "a.dts", "a.amr"])
def test_what_stands_behind_whole_frames_is_no_damage(name: str, junk: str, tmp_path: Path) -> None:
    rate = "8000" if name == "a.amr" else "48000"
    whole = ffmpeg(tmp_path / f"whole-{name}", *BEEPS, "-ar", rate, "-strict", "-2").read_bytes()
    length = len(read(tmp_path, name, whole)[0])
    samples, degraded = read(tmp_path, name, whole + JUNK[junk])
    assert len(samples) == length
    noted = [
        f"{name} ends inside a packet: its end may be missing",
        f"{name}: from {'00:00:12.020' if name == 'a.amr' else '00:00:12.000'} on its bytes are no sound: they were left out",
    ]
    assert degraded == [] or (junk == "random" and degraded[0] in noted)


def test_a_flipped_bit_in_an_amr_is_not_its_end(tmp_path: Path) -> None:
    content = bytearray(ffmpeg(tmp_path / "whole.amr", *BEEPS, "-ar", "8000").read_bytes())
    content[6 + 300 * 32] ^= 0x80  # the first byte of a frame, at 6 s
    samples, _ = read(tmp_path, "a.amr", bytes(content))
    assert len(samples) / media.SAMPLE_RATE == pytest.approx(12, abs=0.2)


def test_mp3s_that_were_joined_are_all_read(made: Callable[[str], bytes], tmp_path: Path) -> None:
    picture = b"ID3\x03\0\0" + bytes([0, 12, 0, 0]) + random.Random(3).randbytes(12 << 14)
    other = ffmpeg(tmp_path / "other.mp3", *BEEPS, "-ar", "22050", "-ac", "2").read_bytes()
    samples, degraded = read(tmp_path, "a.mp3", made("a.mp3") + TAGS["ID3v1"] + picture + other + made("a.mp3"))
    assert len(samples) / media.SAMPLE_RATE == pytest.approx(3 * SECONDS, abs=0.2)
    for part in range(3):
        assert_times_are_right(
            samples[part * SECONDS * media.SAMPLE_RATE :][: SECONDS * media.SAMPLE_RATE], SECONDS, within=0.15
        )
    assert degraded == ["a.mp3: decoded 36.1 s, but the container says 12.0 s: all of it was taken"]


@pytest.mark.parametrize("name", ["a.aac", "a.ac3", "a.flac", "a.opus", "vorbis.ogg", "a.ts"])
def test_others_that_were_joined_are_all_read(name: str, made: Callable[[str], bytes], tmp_path: Path) -> None:
    samples, _ = read(tmp_path, name, made(name) * 2)
    assert len(samples) / media.SAMPLE_RATE == pytest.approx(2 * SECONDS, abs=0.2)


def test_an_avi_needs_neither_index_nor_sizes(made: Callable[[str], bytes], tmp_path: Path) -> None:
    content = made("a.avi")
    bare = bytearray(content[: content.rindex(b"idx1")])
    for size in (len(bare), 0):
        struct.pack_into("<I", bare, 4, size)
        struct.pack_into("<I", bare, bare.index(b"movi") - 4, size)
        samples, degraded = read(tmp_path, "a.avi", bytes(bare))
        assert_times_are_right(samples, SECONDS)
        assert degraded == [] or size


@pytest.mark.parametrize("codec", ["pcm_s16le", "pcm_u8", "pcm_s24le", "adpcm_ms", "adpcm_ima_wav", "mp2"])
@pytest.mark.parametrize("picture", ["mpeg4", "rawvideo"])
def test_a_whole_avi_misses_nothing_whatever_its_index_counts(codec: str, picture: str, tmp_path: Path) -> None:
    path = ffmpeg(tmp_path / "a.avi", *PICTURE, *BEEPS, "-c:v", picture, "-c:a", codec)
    samples, degraded = read(tmp_path, "a.avi", path.read_bytes())
    assert (len(beeps(samples)), degraded) == (SECONDS, [])


def test_a_flac_without_its_length_is_read_whole(made: Callable[[str], bytes], tmp_path: Path) -> None:
    content = bytearray(made("a.flac"))
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    samples, degraded = read(tmp_path, "a.flac", bytes(content))
    assert (len(beeps(samples)), degraded) == (SECONDS, [])


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov"])
@pytest.mark.parametrize("seconds", [3, 30])
def test_sound_and_picture_may_end_at_different_times(name: str, seconds: int, tmp_path: Path) -> None:
    path = ffmpeg(
        tmp_path / name,
        "-f",
        "lavfi",
        "-i",
        f"testsrc=s=64x48:r=10:d={seconds}",
        *BEEPS,
        "-c:v",
        "mpeg4",
        "-c:a",
        "aac",
    )
    samples, degraded = read(tmp_path, name, path.read_bytes())
    assert (len(beeps(samples)), degraded) == (SECONDS, [])


def test_the_picture_may_end_later_in_a_film_with_a_track_that_nothing_decodes(tmp_path: Path) -> None:
    """As the spatial sound of some phones: libav reads the whole film in search of what it is."""
    picture = (*PICTURE[:-1], f"testsrc=s=64x48:r=10:d={SECONDS + 3}")
    path = ffmpeg(
        tmp_path / "a.mov", *BEEPS, *picture, "-map", "1", "-map", "0", "-map", "0", "-c:a", "aac", "-c:v", "mpeg4"
    )
    content = path.read_bytes()
    at = content.rindex(b"trak")
    samples, degraded = read(tmp_path, "a.mov", content[:at] + content[at:].replace(b"mp4a", b"apac"))
    assert (len(beeps(samples)), degraded) == (SECONDS, [])


# Whatever PyAV raises


@pytest.mark.parametrize(
    "error",
    [
        IndexError("list index out of range"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
        OverflowError(),
        MemoryError(),
    ],
)
def test_whatever_pyav_raises_is_told_in_one_line(
    error: Exception, made: Callable[[str], bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.flac").write_bytes(made("a.flac"))

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(sys.modules["sutradhar.pipeline.media.probe"], "_audio", fail)
    with pytest.raises(
        UsageError, match=rf"^a\.flac cannot be read \({type(error).__name__}.*\): repair it or copy it again$"
    ):
        media.probe(tmp_path / "a.flac")


class WithLateStream:
    """A container in which a stream has appeared while it was read: PyAV looks for it in its own list at the end."""

    def __init__(self, container: InputContainer) -> None:
        self._container = container

    def __getattr__(self, name: str) -> object:
        return getattr(self._container, name)

    def demux(self) -> Iterator[Packet[Stream]]:
        yield from self._container.demux()
        raise IndexError("list index out of range")


def test_a_stream_that_appears_behind_the_header_is_left_out(
    made: Callable[[str], bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def opened(path: Path, *, strict: bool, whole: bool = False) -> Iterator[WithLateStream]:
        with open_media(path, strict=strict, whole=whole) as container:
            yield WithLateStream(container)

    monkeypatch.setattr(sys.modules["sutradhar.pipeline.media.decode"], "open_media", opened)
    samples, degraded = read(tmp_path, "a.flv", made("a.flv"))
    assert (len(beeps(samples)), degraded) == (SECONDS, [])
