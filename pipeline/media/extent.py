"""Tell how long a file says that it is, read from its own structure, where libav does not tell.

A download or copy that stopped half-way is the most common damage there is. libav reads such a file to its end
without an error and adjusts the duration that it reports; what the header promised shows only here.
"""

from __future__ import annotations

import mmap
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from sutradhar.pipeline.media import chunks

# A recording that was stopped ends so, or a download; nothing tells them apart.
TORN = "ends inside a packet: its end may be missing"

# No file of its size holds more than this: speech takes 700 bits a second at the least, MP3 8,000 even of silence.
_MOST_MS_A_BYTE = {"mp3": 1}
_MOST_MS_A_BYTE_OF_OTHERS = 16  # 500 bits a second
_OPEN_SIZES = (0, 0xFFFFFFFF)  # written by programs that could not go back to fill in the size
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_MP4_BOXES = frozenset(
    (
        b"ftyp",
        b"moov",
        b"mdat",
        b"moof",
        b"mfra",
        b"free",
        b"skip",
        b"wide",
        b"uuid",
        b"sidx",
        b"styp",
        b"meta",
        b"udta",
        b"pdin",
        b"prft",
        b"emsg",
    )
)
_MP4_FILLING = frozenset((b"free", b"skip", b"wide", b"uuid", b"meta", b"udta", b"mfra"))  # nothing is lost with them
_FLV = b"FLV\x01"
_OGG_PAGE = 27 + 255 + 255 * 255  # bytes of the largest possible page
_OGG_LAST = 4  # flag of a stream's last page
_PS_PACK = b"\0\0\1\xba"
_PS_PACKET = (1 << 16) + 6  # bytes of the largest possible packet
_PS_START = re.compile(rb"\x00\x00\x01[\xbc-\xef]")
_DV = b"\x1f\x07\0"
_DV_PAL, _DV_NTSC = 144_000, 120_000  # bytes of a frame
_NUT_INDEX = bytes.fromhex("4e58dd672f23e64e")  # the index, written at the end
_NUT_TAIL = 1 << 20
_TS_TAIL = 1 << 14
_TS_MARK = b"G"
_TS_SURE = 20  # packets
_TS_PACKETS = (188, 192, 204)  # bytes; with a time stamp before each, with a check sum behind


@dataclass(frozen=True)
class Missing:
    """The bytes that a file's structure promises beyond its end."""

    bytes: int = 0
    more: bool = False  # more is missing than these bytes, and nothing says how much
    zeros: int = 0  # zero bytes where something should be: a download that set the whole file's room aside


def missing(path: Path) -> Missing:
    """Measure what the end of the file has cut off; nothing where the file is whole or does not say. Raises OSError."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(16)
        if sound := chunks.find(file):
            return Missing(0 if sound.open else max(0, sound.declared_end - size))
        zeros = size - chunks.last_byte(file, 0, size)
        if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
            return Missing(max(0, _avi_end(file, size) - size), zeros=zeros)
        if head == _ASF_HEADER:
            return Missing(max(0, _asf_end(file) - size), zeros=zeros)
        if head[:4] == b"OggS":
            return replace(_ogg_missing(file, size), zeros=0 if has_last_page(path) else zeros)
        if is_mp4(head):
            return _mp4_missing(file, size)
        if head[:4] == _PS_PACK:
            return replace(_ps_missing(file, size), zeros=zeros)
        if head[:3] == _DV:
            frame = _DV_PAL if head[3] & 0x80 else _DV_NTSC
            return Missing(-size % frame, size % frame > 0, zeros)
        if head[:4] == b"nut/":
            file.seek(max(0, size - _NUT_TAIL))
            is_whole = _NUT_INDEX in file.read()
            return Missing(0 if is_whole else 1, not is_whole, zeros)  # nothing tells how much is missing
        torn = _ts_missing(file, size - zeros) if _is_transport_stream(file) else Missing()
        return replace(torn if torn.bytes > zeros else Missing(), zeros=zeros)


def joined_bytes(path: Path) -> int:
    """Count the bytes of a second recording that was joined to the first, the only one that libav reads. Returns 0
    where there is none, and for formats of which libav reads both. Raises OSError."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(16)
        if head == _ASF_HEADER:
            begin = _asf_end(file)
            file.seek(begin)
            return size - begin if 0 < begin < size and file.read(len(_ASF_HEADER)) == _ASF_HEADER else 0
        if head[:4] == _FLV:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held:
                begin = held.find(held[:13], 1)
            return size - begin if begin > 0 else 0
        return size - begin if is_mp4(head) and (begin := _second_mp4(file, size)) else 0


def _second_mp4(file: BinaryIO, size: int) -> int:
    """Find where a second file begins that has an index of its own; 0 where none does."""
    boxes = list(_mp4_boxes(file, size))
    indexes = [begin for begin, name in boxes if name == b"moov"]
    second = next((begin for begin, name in boxes if name == b"ftyp" and begin > indexes[0]), 0) if indexes else 0
    return second if second and second < indexes[-1] else 0


def _mp4_boxes(file: BinaryIO, file_size: int) -> Iterator[tuple[int, bytes]]:
    """Yield where each box begins, and its name, up to bytes that are no box."""
    position = 0
    while position < file_size:
        file.seek(position)
        size, name = _mp4_box(file.read(16))
        yield position, name
        if name not in _MP4_BOXES or size < 8:
            return
        position += size


def _mp4_box(header: bytes) -> tuple[int, bytes]:
    """Read the size of a box and its name; a size of 0 means up to the end of the file."""
    header = header.ljust(16, b"\0")
    size, name = struct.unpack_from(">I4s", header)
    return (struct.unpack_from(">Q", header, 8)[0] if size == 1 else size), name


def is_mp4(head: bytes) -> bool:
    return head[4:8] in _MP4_BOXES


def is_possible(promised_ms: int, size: int, form: str) -> bool:
    """Tell whether a file of so many bytes can hold what its header promises."""
    return promised_ms <= size * _MOST_MS_A_BYTE.get(form, _MOST_MS_A_BYTE_OF_OTHERS)


def _ts_missing(file: BinaryIO, end: int) -> Missing:
    """Measure what is missing of a transport stream's last packet: a recorder ends between two packets, a download
    anywhere."""
    begin = max(0, end - _TS_TAIL)
    file.seek(begin)
    tail = file.read(end - begin)
    for length in _TS_PACKETS:
        # The mark stands at the same place of all packets, so the last ones tell where the next would begin.
        starts = [
            at
            for at in range(length)
            if len(tail) >= _TS_SURE * length and tail[at::length][-_TS_SURE:] == _TS_MARK * _TS_SURE
        ]
        behind = [(len(tail) - at + (4 if length == 192 else 0)) % length for at in starts]
        if behind:
            return Missing(length - behind[0], more=True) if all(behind) else Missing()
    return Missing()


def _ps_missing(file: BinaryIO, end: int) -> Missing:
    """Measure what is missing of a program stream's last packet."""
    file.seek(max(0, end - _PS_PACKET))
    tail = file.read()
    last = max(_PS_START.finditer(tail), key=lambda found: found.start(), default=None)
    if last is None or len(tail) < last.start() + 6:
        return Missing()
    length = struct.unpack_from(">H", tail, last.start() + 4)[0]
    lacking = last.start() + 6 + length - len(tail)
    return Missing(lacking, more=True) if length and lacking > 0 else Missing()


def has_last_page(path: Path) -> bool:
    """Tell whether an Ogg file's last page is marked as such, and whole: then its time is the file's length. Raises
    OSError."""
    size = path.stat().st_size
    with path.open("rb") as file:
        page = _last_page(file, chunks.last_byte(file, 0, size))
    return len(page) >= 27 and page[5] & _OGG_LAST > 0 and _page_length(page) <= len(page)


def is_ended(path: Path) -> bool:
    """Tell whether the file ends where its writer stopped, although its last sound may not be whole. Raises OSError.

    A transport stream does between two packets, an Ogg file with its last page."""
    with path.open("rb") as file:
        return (
            has_last_page(path)
            if file.read(4) == b"OggS"
            else _is_transport_stream(file) and not _ts_missing(file, path.stat().st_size).bytes
        )


def _is_transport_stream(file: BinaryIO) -> bool:
    file.seek(0)
    head = file.read(5 * max(_TS_PACKETS))
    return any(
        head[at : at + 3 * length + 1 : length] == _TS_MARK * 4 for length in _TS_PACKETS for at in range(length)
    )


def _avi_end(file: BinaryIO, file_size: int) -> int:
    """Find the end of the last list of sound and pictures: past a gigabyte there are several. What follows is an index,
    which can be done without."""
    position, end = 0, 0
    while position < file_size:
        file.seek(position)
        name, size, kind = struct.unpack("<4sI4s", file.read(12).ljust(12, b"\0"))
        if name == b"RIFF" and kind in (b"AVI ", b"AVIX"):
            position += 12
            continue
        if not name.strip(b"\0") or (name == b"LIST" and size in _OPEN_SIZES):
            break
        position += 8 + size + size % 2
        if (name, kind) == (b"LIST", b"movi"):
            end = position - size % 2
    return end


def _asf_end(file: BinaryIO) -> int:
    file.seek(0)
    head = file.read(1 << 16)
    at = head.find(_ASF_FILE_PROPERTIES)
    if at < 0 or len(head) < at + 92:
        return 0
    size, flags = struct.unpack_from("<Q", head, at + 40)[0], struct.unpack_from("<I", head, at + 88)[0]
    is_broadcast = flags & 1  # then the size is not valid
    return 0 if is_broadcast else int(size)


def _ogg_missing(file: BinaryIO, file_size: int) -> Missing:
    """Measure what is missing of the last page. How many pages should follow it is unknown, unless it is marked as the
    very last."""
    page = _last_page(file, file_size)
    lacking = max(0, _page_length(page) - len(page)) if page else 0
    return Missing(lacking, lacking > 0 and (len(page) < 6 or not page[5] & _OGG_LAST))


def _last_page(file: BinaryIO, end: int) -> bytes:
    file.seek(max(0, end - _OGG_PAGE))
    tail = file.read()
    at = tail.rfind(b"OggS\0")
    return tail[at:] if at >= 0 else b""


def _page_length(page: bytes) -> int:
    if len(page) < 27 or len(page) < 27 + page[26]:
        return 27 + 255
    return 27 + page[26] + sum(page[27 : 27 + page[26]])


def _behind_fragments(file: BinaryIO, position: int, file_size: int) -> Missing:
    rest = file_size - position
    return Missing(zeros=rest) if chunks.last_byte(file, position, file_size) == position else Missing(rest, more=True)


def _mp4_missing(file: BinaryIO, file_size: int) -> Missing:
    """Measure what is missing of the last box. In a fragmented file, whose index is in its fragments, all bytes
    from the first that are no box count."""
    position, name, fragments = 0, b"", False
    while position < file_size:
        file.seek(position)
        size, name = _mp4_box(file.read(16))
        if name not in _MP4_BOXES or size < 8:
            return _behind_fragments(file, position, file_size) if fragments else Missing()  # 0: to the end of the file
        fragments = fragments or name == b"moof"
        position += size
    lacking = position - file_size
    return Missing(lacking, fragments) if lacking > 0 and name not in _MP4_FILLING else Missing()
