"""A file as libav should see it, where its own header misleads: some stretches of it one after the other, with another size in front."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.media import chunks


class View:
    """Reads like a binary file. Raises OSError as files do."""

    def __init__(self, path: Path, name: str, sound: chunks.Sound) -> None:
        self.name = name  # libav's
        self._file = path.open("rb")
        self._stretches = ((0, sound.chunk.start), *sound.stretches)
        self._size_at, self._size_field = sound.chunk.size_at, sound.size_field()
        self._length = sound.chunk.start + sound.length
        self._position = 0

    def read(self, count: int) -> bytes:
        behind = self._position
        for begin, end in self._stretches:
            if behind < end - begin:
                self._file.seek(begin + behind)
                data = self._with_size(self._file.read(min(count, end - begin - behind)))
                self._position += len(data)
                return data
            behind -= end - begin
        return b""

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._position = max(0, offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._length}[whence])
        return self._position

    def tell(self) -> int:
        return self._position

    def close(self) -> None:
        self._file.close()

    def _with_size(self, data: bytes) -> bytes:
        """These bytes, which begin at the present position, with what they have of the size as it should be."""
        at = self._size_at - self._position
        if at <= -len(self._size_field) or at >= len(data):
            return data
        mended = bytearray(data)
        for number, byte in enumerate(self._size_field):
            if 0 <= at + number < len(data):
                mended[at + number] = byte
        return bytes(mended)


def mended(path: Path, name: str) -> View | None:
    """The file as it should be seen; None where it may be seen as it is. Raises OSError."""
    sound = chunks.locate(path)
    return View(path, name, sound) if sound and sound.misleads else None
