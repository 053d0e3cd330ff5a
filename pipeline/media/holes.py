"""Measure holes in formats that have no times: by the bytes between two good frames and the rate at which frames
take bytes."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, BinaryIO

from sutradhar.pipeline.media import amr, mp3
from sutradhar.pipeline.media.chunks import TAGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.packet import Packet
    from av.stream import Stream

_CHUNK_HEADER = 8  # bytes of name and size
CHECKED_EACH = 8  # packets: a hole of which libav says nothing is noticed a fifth of a second late, and costs no time
_CHECKED = ("ac3", "eac3")  # codecs whose check sums tell that a frame is whole
_SIZES_TRIED = 4  # most have frames of one size or two
_NEEDLE = 24  # bytes by which a frame is found again in the file
_PIECE = 1 << 20


def uncounted(stream: Stream, packet: Packet[Stream]) -> int:
    """Count the units of the stream's time that libav has left out before this chunk of an AVI file, by the file's
    index."""
    if packet.pts is None or packet.pos is None:
        return 0
    entries, position, unit = stream.index_entries, packet.pos - _CHUNK_HEADER, _index_unit(stream, packet)
    number = entries.search_timestamp(packet.pts * unit)
    if number < 0 or entries[number].pos == position:
        return 0
    number = bisect_left(entries, position, key=lambda entry: entry.pos)
    return (
        entries[number].timestamp // unit - packet.pts
        if number < len(entries) and entries[number].pos == position
        else 0
    )


def _index_unit(stream: Stream, packet: Packet[Stream]) -> int:
    """Say by how much the index counts on in a unit of the stream's time: by the unit's bytes where all are of one size
    (PCM, ADPCM), else by 1."""
    entries = stream.index_entries
    if len(entries) < 2 or not packet.duration or entries[1].timestamp - entries[0].timestamp != entries[0].size:
        return 1
    return max(1, packet.size // packet.duration)


class HoleMeter:
    """Meter that follows the frames of one pass, in the order of their bytes."""

    def __init__(self, file: BinaryIO, codec: str) -> None:
        self._file = file
        self._codec = codec
        self._sizes: set[int] = set()  # of good packets
        self._end = -1  # of the last good packet; -1 before the first
        self._passed = 0  # bytes that libav passed over without counting them in the positions that it tells
        self._at = 0  # of the packet in hand
        self._tag_end = self._asked = 0
        self._bytes = self._us = 0

    def is_tag(self, packet: Packet[Stream]) -> bool:
        """Tell whether this packet lies in a tag, where pictures can look like frames, or behind an AMR file's last
        frame. Each packet must be asked about."""
        self._at, head = max(0, packet.pos or 0) + self._passed, bytes(packet)[:_NEEDLE]
        self._asked += 1
        if head.startswith(TAGS):
            self._tag_end = self._at + mp3.tags_size(self._file, self._at)
        elif self._is_behind_amr(head):
            self._tag_end = self._file.seek(0, 2)
        elif self._at != self._end or self._asked % CHECKED_EACH == 0:
            self._at = self._found(head)
        return self._at < self._tag_end

    def _is_behind_amr(self, head: bytes) -> bool:
        is_amr = self._codec in amr.CODECS
        return (
            is_amr and not amr.begins_frame(self._codec, head[0]) and not amr.goes_on(self._file, self._at, self._codec)
        )

    def bare(self, packet: Packet[Stream]) -> Iterator[Packet[Stream]]:
        """Cut off the bytes that may follow the frame in a packet: libav adds to the last one all that stands
        behind it."""
        from av.packet import Packet

        data = bytes(packet)
        for size in sorted(self._sizes)[:_SIZES_TRIED] if self._codec in _CHECKED else ():
            if size < len(data):
                cut: Packet[Stream] = Packet(data[:size])
                cut.pts, cut.time_base = packet.pts, packet.time_base
                yield cut

    def hole_us(self, packet: Packet[Stream]) -> int:
        """Estimate how much sound stood between the last good packet and this one, which is good, in µs."""
        hole = self._us_of(self._at) if self._end >= 0 else 0
        self._end = self._at + packet.size
        return hole

    def count(self, packet: Packet[Stream], us: int) -> None:
        """Count a good packet, which holds so much sound."""
        self._sizes.add(packet.size)
        self._bytes += packet.size
        self._us += us

    def rest_us(self) -> int:
        """Estimate how much sound stood behind the last good packet, in µs."""
        return self._us_of(self._file.seek(0, 2)) if self._end >= 0 else 0

    def _us_of(self, position: int) -> int:
        self._file.seek(self._end)
        is_hole = position > self._end and self._bytes and not self._file.read(16).startswith(TAGS)
        return (position - self._end) * self._us // self._bytes if is_hole else 0

    def _found(self, needle: bytes) -> int:
        """Find the byte where the packet in hand really begins: where libav says, or behind that."""
        self._file.seek(self._at)
        searched = b""
        while piece := self._file.read(_PIECE if searched else _NEEDLE):
            searched = searched[-_NEEDLE:] + piece
            at = searched.find(needle)
            if at >= 0:
                found = self._file.tell() - len(searched) + at
                self._passed += found - self._at
                return found
        return self._at
