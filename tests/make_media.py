"""Makes small films and recordings with ffmpeg."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import imageio_ffmpeg
import pytest

PICTURE = ("-f", "lavfi", "-i", "testsrc=s=64x48:r=10:d=4")
TONE = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=4")  # 4 s, amplitude 1/8
FILM = (*PICTURE, *TONE, "-c:v", "mpeg4", "-bf", "0")


def ffmpeg(output: Path, *arguments: str) -> Path:
    made = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", *arguments, "-y", f"file:{output}"],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if "Unknown encoder" in made.stderr:
        pytest.skip(made.stderr.splitlines()[0])
    assert made.returncode == 0, made.stderr
    return output


def recording(output: Path, *arguments: str) -> Path:
    return ffmpeg(output, *TONE, *arguments)


def film(output: Path, *arguments: str) -> Path:
    return ffmpeg(output, *FILM, *arguments)


def wav(
    output: Path,
    samples: bytes,
    *,
    channels: int = 1,
    rate: int = 16_000,
    bits: int = 16,
    code: int = 1,
    declared: int | None = None,
) -> Path:
    """A WAV file whose data chunk says that it has `declared` bytes."""
    size = len(samples) if declared is None else declared
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", code, channels, rate, rate * block, block, bits)
    output.write_bytes(
        b"RIFF"
        + struct.pack("<I", (36 + size) % 2**32)
        + b"WAVEfmt "
        + struct.pack("<I", len(form))
        + form
        + b"data"
        + struct.pack("<I", size)
        + samples
    )
    return output


def cut(path: Path, keep: float = 0.5) -> Path:
    """The file as a download leaves it that stopped half-way."""
    with path.open("r+b") as file:
        file.truncate(int(path.stat().st_size * keep) + 13)
    return path
