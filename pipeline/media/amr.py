"""Find frames in an AMR file, which mark neither their begin nor the file's end: libav takes all that follows for
more."""

from __future__ import annotations

from typing import BinaryIO

# Bytes of a frame by its type: speech, comfort noise, nothing.
_NARROW = {0: 13, 1: 14, 2: 16, 3: 18, 4: 20, 5: 21, 6: 27, 7: 32, 8: 6, 15: 1}
_WIDE = {0: 18, 1: 24, 2: 33, 3: 37, 4: 41, 5: 47, 6: 51, 7: 59, 8: 61, 9: 6, 14: 1, 15: 1}
_SIZES = {"amr_nb": _NARROW, "amr_wb": _WIDE}
CODECS = frozenset(_SIZES)
_ALWAYS = 0x87  # bits of a frame's first byte that are the same in all good ones
_GOOD = 0x04
_SURE = 5  # frames in a row, which nothing else looks like
_SEARCHED = 1 << 16  # bytes in which they are found again behind damage


def begins_frame(codec: str, byte: int) -> bool:
    """Tell whether a good frame can begin with this byte."""
    return byte & _ALWAYS == _GOOD and byte >> 3 & 15 in _SIZES[codec]


def goes_on(file: BinaryIO, at: int, codec: str) -> bool:
    """Tell whether frames follow one another anywhere behind this byte of a file. Raises OSError."""
    file.seek(at)
    data = file.read(_SEARCHED)
    return any(_is_row(data, start, codec) for start in range(len(data)))


def _is_row(data: bytes, at: int, codec: str) -> bool:
    for _ in range(_SURE):
        if at >= len(data) or not begins_frame(codec, data[at]):
            return False
        at += _SIZES[codec][data[at] >> 3 & 15]
    return True
