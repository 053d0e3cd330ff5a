"""How long a file says that it is, read from its own structure, where libav does not tell.

A download or copy that stopped half-way is the most common damage there is. libav reads such a file to its end without an
error and adjusts the duration that it reports; what the header promised shows only here.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

_UNKNOWN_SIZES = (0, 0xFFFFFFFF)  # written by programs that could not go back to fill in the size
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_MP4_BOXES = frozenset(
    (b"ftyp", b"moov", b"mdat", b"moof", b"mfra", b"free", b"skip", b"wide", b"uuid", b"sidx", b"styp", b"meta", b"udta", b"pdin", b"prft", b"emsg")
)
_OGG_PAGE = 27 + 255 + 255 * 255  # bytes of the largest possible page


def missing_bytes(path: Path) -> int:
    """How many bytes the file's own structure promises beyond its end; 0 where it is whole or does not say. Raises OSError."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(16)
        if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
            end = _wav_end(file)
        elif head[:4] == b"RIFF" and head[8:12] == b"AVI ":
            end = _avi_end(file, size)
        elif head[:4] == b"caff":
            end = _caf_end(file, size)
        elif head == _ASF_HEADER:
            end = _asf_end(file)
        elif head[:4] == b"OggS":
            end = _ogg_end(file, size)
        elif head[4:8] in _MP4_BOXES:
            end = _mp4_end(file, size)
        else:
            end = 0
    return max(0, end - size)


def promises_duration(path: Path) -> bool:
    """Whether an MP3 file has a header with its number of frames, without which its duration is a guess from the bit rate."""
    with path.open("rb") as file:
        head = file.read(10)
        if head[:3] == b"ID3":
            tag_size = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
            file.seek(10 + tag_size)
        first_frame = file.read(2048)
    return any(mark in first_frame for mark in (b"Xing", b"Info", b"VBRI"))


def _wav_end(file: BinaryIO) -> int:
    """Where the data chunk ends. The RIFF size before it is wrong so often that it means nothing."""
    file.seek(12)
    long_size = 0
    while len(header := file.read(8)) == 8:
        name, size = struct.unpack("<4sI", header)
        if name == b"ds64":
            long_size = int.from_bytes(file.read(16)[8:], "little")
            size -= 16
        if name == b"data":
            size = long_size if long_size and size == 0xFFFFFFFF else size
            return 0 if size in _UNKNOWN_SIZES else file.tell() + int(size)
        file.seek(size + size % 2, 1)
    return 0


def _avi_end(file: BinaryIO, file_size: int) -> int:
    """Where the last RIFF list ends: past a gigabyte there are several."""
    position = end = 0
    while position < file_size:
        file.seek(position)
        name, size = struct.unpack("<4sI", file.read(8).ljust(8, b"\0"))
        if name != b"RIFF" or size in _UNKNOWN_SIZES:
            break
        end = position + 8 + size
        position = end + size % 2
    return end


def _caf_end(file: BinaryIO, file_size: int) -> int:
    position = 8
    while position < file_size:
        file.seek(position)
        name, size = struct.unpack(">4sq", file.read(12).ljust(12, b"\0"))
        if size < 0:  # only the data chunk may leave its size open
            return 0
        position += 12 + int(size)
        if name == b"data":
            return position
    return 0


def _asf_end(file: BinaryIO) -> int:
    file.seek(0)
    head = file.read(1 << 16)
    at = head.find(_ASF_FILE_PROPERTIES)
    if at < 0 or len(head) < at + 92:
        return 0
    size, flags = struct.unpack_from("<Q", head, at + 40)[0], struct.unpack_from("<I", head, at + 88)[0]
    is_broadcast = flags & 1  # then the size is not valid
    return 0 if is_broadcast else int(size)


def _ogg_end(file: BinaryIO, file_size: int) -> int:
    """Where the last page ends."""
    file.seek(max(0, file_size - _OGG_PAGE))
    tail_at = file.tell()
    tail = file.read()
    at = tail.rfind(b"OggS\0")
    if at < 0:
        return 0
    page = tail[at:]
    if len(page) < 27 or len(page) < 27 + page[26]:
        return tail_at + at + 27 + 255
    return tail_at + at + 27 + page[26] + sum(page[27 : 27 + page[26]])


def _mp4_end(file: BinaryIO, file_size: int) -> int:
    position = 0
    while position < file_size:
        file.seek(position)
        header = file.read(16).ljust(16, b"\0")
        size, name = struct.unpack_from(">I4s", header)
        if size == 1:
            size = struct.unpack_from(">Q", header, 8)[0]
        if name not in _MP4_BOXES or size < 8:  # 0: to the end of the file
            return 0
        position += size
    return position
