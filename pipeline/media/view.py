"""Show a file as libav should see it, where its own header misleads: some stretches of it one after the other,
behind a mended header."""

from __future__ import annotations

import os
from pathlib import Path

from sutradhar.pipeline.media import chunks

_LARGEST_HEAD = 64 << 20  # bytes before the sound, which are held in memory


class View:
    """Reader that acts like a binary file. Raises OSError as files do."""

    def __init__(self, path: Path, name: str, sound: chunks.SoundInFile) -> None:
        self.name = name  # libav's
        self._file = path.open("rb")
        self._stretches = sound.stretches
        self._head = sound.mended(self._file.read(sound.chunk.start))
        self._length = len(self._head) + sound.length
        self._position = 0

    def read(self, count: int) -> bytes:
        if self._position < len(self._head):
            data = self._head[self._position : self._position + count]
            self._position += len(data)
            return data
        behind = self._position - len(self._head)
        for begin, end in self._stretches:
            if behind < end - begin:
                self._file.seek(begin + behind)
                data = self._file.read(min(count, end - begin - behind))
                self._position += len(data)
                return data
            behind -= end - begin
        return b""

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._position = max(
            0, offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._length}[whence]
        )
        return self._position

    def tell(self) -> int:
        return self._position

    def close(self) -> None:
        self._file.close()


def mended(path: Path, name: str) -> View | None:
    """Return the file as it should be seen; None where it may be seen as it is. Raises OSError."""
    sound = chunks.locate(path)
    return View(path, name, sound) if sound and sound.misleads and sound.chunk.start <= _LARGEST_HEAD else None
