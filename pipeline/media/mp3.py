"""Read how long an MP3 file says that it is: libav drops that where unknown bytes follow, such as tags, and guesses."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

_RATES = (44100, 48000, 32000)  # Hz, in MPEG-1; half of it in MPEG-2, a quarter in 2.5
_MPEG1, _MPEG25 = 3, 0
_ID3V1 = 128  # bytes
_SEARCHED = 4096  # bytes behind the tag, in which the first frame begins


def promised_ms(path: Path) -> int:
    """Return the milliseconds by the number of frames that the first frame tells of; 0 where it tells none. Raises
    OSError."""
    with path.open("rb") as file:
        file.seek(tag_size(file.read(10)))
        head = file.read(_SEARCHED)
    mark, frames = _frames(head)
    sync = next((at for at in range(mark - 4, -1, -1) if head[at] == 0xFF and head[at + 1] >= 0xE0), -1)
    if frames == 0 or sync < 0:
        return 0
    version, rate = head[sync + 1] >> 3 & 3, head[sync + 2] >> 2 & 3
    if rate == 3:
        return 0
    hertz = _RATES[rate] // {_MPEG1: 1, _MPEG25: 4}.get(version, 2)
    return frames * (1152 if version == _MPEG1 else 576) * 1000 // hertz


def tag_size(head: bytes) -> int:
    """Return the bytes of the ID3 tag that begins with these ten, which count too; 0 where they begin none."""
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    return 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))


def tags_size(file: BinaryIO, at: int) -> int:
    """Return the bytes of all tags that follow one another from this byte of a file on. Raises OSError."""
    begin, size = at, 1
    while size:
        file.seek(at)
        head = file.read(32)
        size = _ID3V1 if head[:3] == b"TAG" else _ape_size(head) or tag_size(head)
        at += size
    return at - begin


def _ape_size(head: bytes) -> int:
    """Return the bytes of an APE tag by its header, which counts only what follows itself; 0 where it is none."""
    return 32 + int(struct.unpack_from("<I", head, 12)[0]) if head[:8] == b"APETAGEX" and len(head) == 32 else 0


def _frames(head: bytes) -> tuple[int, int]:
    """Find the place of the mark, and the number of frames that stands behind it; 0 for what is not there."""
    for mark in (b"Xing", b"Info"):
        at = head.find(mark)
        if at >= 0 and len(head) >= at + 12:
            flags, frames = struct.unpack_from(">II", head, at + 4)
            return at, frames if flags & 1 else 0
    at = head.find(b"VBRI")
    return (at, struct.unpack_from(">I", head, at + 14)[0]) if at >= 0 and len(head) >= at + 18 else (0, 0)
