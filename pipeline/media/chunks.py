"""Find where a WAV, RF64, AIFF, CAF, W64 or AU file has its sound, which is often not where its header says.

A header of 32 bits wraps at 4 GB, a recorder that dies leaves the size with which it began, and files are joined.
libav believes the header: what it should see instead is told here as stretches of the file and a size to put into
the header.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

# Sizes that programs write which do not know the size: ffmpeg and others into a pipe, sox, arecord. Some leave room
# for the header.
_PLACEHOLDERS = (0xFFFFFFFF, 0x80000000, 0x7FFFFFFF, 0x7FFFF000)
_NEAR = 256  # bytes below a placeholder: the header, or a whole number of blocks
# Others write a size at which no recording was stopped: one where 32 bits end, or that of days.
_WRAPS = (1 << 31, 1 << 32)
_NEAR_WRAP = 1 << 16  # bytes, on both sides
_LONGEST = 24 * 3600  # seconds: a day's recording
_FASTEST = 48_000 * 8 * 4  # bytes a second where the rate is not told in one number: 8 channels of floats
_FAR_MORE = 8  # times the bytes that are there: less may be a copy that stopped
_PADDING = 1 << 16  # bytes behind the sound that libav may see; it looks for another chunk in them, 8 by 8
_PIECE = 1 << 20
_LARGEST = 1 << 32
_FARTHEST = 1 << 43  # bytes: no file reaches so far, and file systems refuse to look
_NEGATIVE = 1 << 31  # counts of 32 bits from here on are negative to libav
_LEAST = 1024  # bytes behind the sound that may be sound
_LARGEST_FORM = 1 << 12
_EXTRA = {b"FORM": 8, b"caff": 4}  # bytes at the begin of the chunk that are no sound
_COMPARED = {b"COMM": 2}  # bytes of the form that joined files have in common: in AIFF their length follows
TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICSBEGIN")  # tags of MP3, which programs write behind others too


@dataclass(frozen=True)
class Layout:
    """The way in which a format writes its chunks."""

    magic: bytes  # at 0
    kind: bytes  # behind the first size
    first: int  # where the first chunk begins
    name: int  # bytes of a chunk's name
    size: str  # as struct has it
    sound: bytes  # name of the chunk with the sound
    form: bytes  # name of the chunk that tells rate and channels
    align: int = 2
    counts_header: bool = False  # a chunk's size includes its header


_W64 = bytes.fromhex("f3acd3118cd100c04f8edb8a")  # how names end in W64
LAYOUTS = (
    Layout(b"RIFF", b"WAVE", 12, 4, "<I", b"data", b"fmt "),
    Layout(b"RF64", b"WAVE", 12, 4, "<I", b"data", b"fmt "),
    Layout(b"FORM", b"AIFF", 12, 4, ">I", b"SSND", b"COMM"),
    Layout(b"FORM", b"AIFC", 12, 4, ">I", b"SSND", b"COMM"),
    Layout(b"caff", b"", 8, 4, ">q", b"data", b"desc", align=1),
    Layout(b"riff\x2e\x91\xcf\x11", b"", 40, 16, "<q", b"data" + _W64, b"fmt " + _W64, align=8, counts_header=True),
)
_AU = b".snd"


@dataclass(frozen=True)
class SoundChunk:
    layout: Layout | None  # None: AU, which is one chunk
    size_at: int  # where the size stands in the file
    size: str  # as struct has it
    extra: int  # bytes that the size counts beside the sound
    start: int  # of the sound
    declared: int  # bytes of sound by the header
    open: bool  # the header leaves it open how many they are
    form: bytes  # the chunk that tells rate and channels
    unpadded: tuple[int, ...] = ()  # ends of chunks before it that lack the byte which should make them even
    frames_at: int = 0  # where AIFF counts the samples once more

    @property
    def declared_end(self) -> int:
        return self.start + self.declared


@dataclass(frozen=True)
class SoundInFile:
    """The sound of a file, by the places where its samples really are."""

    chunk: SoundChunk
    stretches: tuple[tuple[int, int], ...]  # begin and end, in bytes of the file
    file_size: int
    foreign: int = 0  # bytes of further recordings of another form, which cannot be read together with the first
    unreal_frames: int = 0  # a count of samples in the header with which libav refuses the file

    @property
    def length(self) -> int:
        return sum(end - begin for begin, end in self.stretches)

    @property
    def hidden(self) -> int:
        """Count the bytes of sound that the header does not tell of."""
        return 0 if self.chunk.open else max(0, self.length - self.chunk.declared)

    @property
    def misleads(self) -> bool:
        """Tell whether libav would miss sound, or search padding for it, if it were given the file as it is."""
        end = self.stretches[-1][1]
        is_odd = (
            self.unreal_frames > 0
            or len(self.chunk.unpadded) > 0
            or (self.chunk.open and self.chunk.declared > self.length)
        )
        return is_odd or self.length > self.chunk.declared or self.file_size - end > _PADDING

    def mended(self, head: bytes) -> bytes:
        """Return the file's bytes before the sound, as they should be."""
        data, size, form = bytearray(head), self.length + self.chunk.extra, self.chunk.size
        struct.pack_into(form, data, self.chunk.size_at, min(size, _LARGEST - 1) if form[1] == "I" else size)
        if self.unreal_frames:
            struct.pack_into(">I", data, self.chunk.frames_at, 0)
        for end in reversed(self.chunk.unpadded):
            data[end:end] = b"\0"
        return bytes(data)


def find(file: BinaryIO, at: int = 0) -> SoundChunk | None:
    """Return the chunk with the sound of a file that begins at this byte of `file`; None where it has none of these
    formats, or no sound."""
    file.seek(at)
    head = file.read(40)
    if head[:4] == _AU and len(head) >= 24:
        start, declared = struct.unpack_from(">II", head, 4)
        is_open = _is_placeholder(declared, start) or _cannot_be(declared, _rest(file, at + start), _FASTEST)
        return SoundChunk(None, at + 8, ">I", 0, at + start, declared, is_open, head[12:24])
    layout = next(
        (known for known in LAYOUTS if head.startswith(known.magic) and head[8 : 8 + len(known.kind)] == known.kind),
        None,
    )
    return _sound_chunk(file, layout, at) if layout else None


def locate(path: Path) -> SoundInFile | None:
    """Find the sound of a file: what its header tells of, what stands behind that, and what was joined to it.

    Returns None where the file has none of these formats. Raises OSError."""
    file_size = path.stat().st_size
    with path.open("rb") as file:
        chunk = find(file)
        if chunk is None:
            return None
        end = file_size if chunk.open else min(chunk.declared_end, file_size)
        frames = _unreal_frames(file, chunk)
        return _follow(
            file, SoundInFile(chunk, ((chunk.start, max(end, chunk.start)),), file_size, unreal_frames=frames)
        )


def _unreal_frames(file: BinaryIO, chunk: SoundChunk) -> int:
    """Return a count of samples that libav takes for a negative one; 0 where there is none."""
    if not chunk.frames_at:
        return 0
    file.seek(chunk.frames_at)
    frames = int.from_bytes(file.read(4), "big")
    return frames if frames >= _NEGATIVE else 0


def _sound_chunk(file: BinaryIO, layout: Layout, at: int) -> SoundChunk | None:
    form, long_size_at, frames_at, position = b"", 0, 0, at + layout.first
    unpadded: list[int] = []
    while header := _header(file, layout, position):
        name, size = header
        content = position + layout.name + struct.calcsize(layout.size)
        if name == layout.sound:
            extra = _EXTRA.get(layout.magic, 0)
            size_at, size_form = content - struct.calcsize(layout.size), layout.size
            if long_size_at and size == 0xFFFFFFFF:
                size_at, size_form = long_size_at, "<Q"
                file.seek(size_at)
                size = int.from_bytes(file.read(8), "little")
            start = content + extra
            extra += content - position if layout.counts_header else 0
            is_open = size < 0 or (size_form[1] == "I" and _is_placeholder(size, start - at))
            is_open = is_open or _cannot_be(size, _rest(file, start), _bytes_a_second(layout, form))
            return SoundChunk(
                layout,
                size_at,
                size_form,
                extra,
                start,
                max(0, size - extra),
                is_open,
                form,
                tuple(unpadded),
                frames_at,
            )
        if name == b"ds64":
            long_size_at = content + 8
        if name == layout.form:
            file.seek(content)
            form = file.read(min(size, _LARGEST_FORM))[: _COMPARED.get(layout.form, _LARGEST_FORM)]
            frames_at = content + _COMPARED[layout.form] if layout.form in _COMPARED else 0
        end = position + size + (0 if layout.counts_header else content - position)
        position += _whole(layout, end - position)
        if end != position and _lacks_padding(file, layout, end, position):
            unpadded.append(end)
            position = end
    return None


def _lacks_padding(file: BinaryIO, layout: Layout, end: int, padded: int) -> bool:
    """Tell whether the next chunk begins right behind the odd end of one: the byte that should make it even may be
    0 or anything."""
    there, here = (_header(file, layout, at) for at in (padded, end))
    is_known = there is not None and there[0] in (layout.sound, layout.form)
    return not is_known and here is not None and _is_name(here[0])


def _header(file: BinaryIO, layout: Layout, position: int) -> tuple[bytes, int] | None:
    """Name and size of the chunk at this byte; None at the end of the file, and where no chunk can be."""
    if position > _FARTHEST:
        return None
    file.seek(position)
    header = file.read(layout.name + struct.calcsize(layout.size))
    if len(header) < layout.name + struct.calcsize(layout.size):
        return None
    size = struct.unpack_from(layout.size, header, layout.name)[0]
    name = header[: layout.name]
    if size < (len(header) if layout.counts_header else 0) and name != layout.sound:
        return None
    return name, size


def _whole(layout: Layout, size: int) -> int:
    return size + -size % layout.align


def _is_placeholder(size: int, start: int) -> bool:
    return any(value - max(_NEAR, start) <= size <= value for value in _PLACEHOLDERS)


def _cannot_be(size: int, there: int, bytes_a_second: int) -> bool:
    """Tell whether nobody counted this size, of which so many bytes are there."""
    is_longer = size > _LONGEST * bytes_a_second
    return size > _FAR_MORE * there and (is_longer or any(abs(size - wrap) <= _NEAR_WRAP for wrap in _WRAPS))


def _bytes_a_second(layout: Layout, form: bytes) -> int:
    """Read the rate from the form of WAV, RF64 and W64; in others it follows from several numbers, and the fastest
    is taken."""
    told = struct.unpack_from("<I", form, 8)[0] if layout.form.startswith(b"fmt ") and len(form) >= 12 else 0
    return int(told) or _FASTEST


def _rest(file: BinaryIO, at: int) -> int:
    return max(0, file.seek(0, 2) - at)


def _follow(file: BinaryIO, sound: SoundInFile) -> SoundInFile:
    """Take in what belongs to the sound behind its first stretch, from chunk to chunk. A file may have thousands."""
    stretches = list(sound.stretches)
    position = stretches[-1][1]
    while position < sound.file_size:
        joined = find(file, position)
        if joined and joined.form != sound.chunk.form:
            return replace(sound, stretches=tuple(stretches), foreign=sound.file_size - position)
        if joined:
            its_end = sound.file_size if joined.open else min(joined.declared_end, sound.file_size)
            further: tuple[int, int] | None = (joined.start, its_end)
        else:
            further = _further_sound(file, sound, position)
        if further:
            stretches.append(further)
            position = max(further[1], further[0])
            continue
        behind = _behind_chunk(file, sound.chunk.layout, position, sound.file_size)
        if behind is None:
            break
        position = behind
    stretches[-1] = _with_rest(file, stretches[-1], position, sound.file_size)
    return replace(sound, stretches=tuple(stretches))


def _with_rest(file: BinaryIO, stretch: tuple[int, int], position: int, file_size: int) -> tuple[int, int]:
    """Return the last stretch, with the bytes right behind it up to the end of the file, where they may be sound."""
    begin, end = stretch
    last = last_byte(file, position, file_size)
    if last - position < _LEAST or position - end > 1 or _is_tag(file, position):
        return stretch
    return begin, last if file_size - last > _PADDING else file_size  # a few zeros are the sound's own end


def _further_sound(file: BinaryIO, sound: SoundInFile, position: int) -> tuple[int, int] | None:
    """Return begin and end of another chunk of sound at this byte or at the next even one: a paused recorder begins
    a new one."""
    layout = sound.chunk.layout
    for at in dict.fromkeys((_whole(layout, position), position)) if layout else ():
        header = _header(file, layout, at) if layout else None
        if layout and header and header[0] == layout.sound:
            content = at + layout.name + struct.calcsize(layout.size)
            begin = content + _EXTRA.get(layout.magic, 0)
            end = (at if layout.counts_header else content) + header[1]
            is_open = header[1] <= 0 or _is_placeholder(header[1], begin)
            return (
                (begin, sound.file_size if is_open else min(end, sound.file_size)) if begin < sound.file_size else None
            )
    return None


def _behind_chunk(file: BinaryIO, layout: Layout | None, position: int, file_size: int) -> int | None:
    """Find the end of the chunk at this byte, or at the next even one; None where there is no chunk."""
    if layout is None:
        return None
    for at in dict.fromkeys((_whole(layout, position), position)):
        header = _header(file, layout, at)
        if header and _is_name(header[0]):
            taken = header[1] + (0 if layout.counts_header else layout.name + struct.calcsize(layout.size))
            if 0 <= header[1] and at + taken <= file_size:
                return at + taken
    return None


def _is_name(name: bytes) -> bool:
    return name.endswith(_W64) if len(name) == 16 else all(0x20 <= byte < 0x7F for byte in name)


def _is_tag(file: BinaryIO, position: int) -> bool:
    file.seek(position)
    return file.read(16).startswith(TAGS)


def last_byte(file: BinaryIO, position: int, end: int) -> int:
    """Find the end of the last byte that is not 0, between `position` and `end`; `position` where all are 0."""
    while end > position:
        begin = max(position, end - _PIECE)
        file.seek(begin)
        held = len(file.read(end - begin).rstrip(b"\0"))
        if held:
            return begin + held
        end = begin
    return position
