"""Opens a media file with libav: only a regular file, only the formats on our list, and nothing that it refers to."""

from __future__ import annotations

import errno
import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import StageFailed, UsageError
from pipeline.media import extent
from pipeline.media.formats import FORMATS, impostor
from pipeline.wording import escaped

if TYPE_CHECKING:
    from av.container import InputContainer

# As options of libav and of ffmpeg. What streams hold is looked for in the first minute: in a recording of broadcast
# television sound may begin late, and the usual five seconds would miss it.
WHITELISTS = {"protocol_whitelist": "file", "format_whitelist": ",".join(FORMATS)}
SEARCH = {"probesize": str(50 << 20), "analyzeduration": "60000000"}  # bytes, microseconds
REMEDY = "Repair or copy it again, or accept it with ALLOW_TRUNCATED=true"
_STRICT = "crccheck+explode"  # check sums are checked, and what is wrong is an error instead of a guess
_GENERATE_PTS = 1  # AVFMT_FLAG_GENPTS, which PyAV sets: it reads ahead without bound where a stream has no times


def url(path: Path) -> str:
    """The file as libav is told it: no name can be read as an option, a protocol, a pattern or a playlist."""
    return "file:" + os.path.abspath(path)  # noqa: PTH100  (resolve() would follow links, absolute() leaves ..)


def shown(path: Path) -> str:
    """The file's name in a message."""
    return escaped(path.name)


def without_name(message: str, path: Path) -> str:
    """What is said of a file, without its name where it begins with that: "a.wav is cut short", "a.wav: decoded 3 s"."""
    name = shown(path)
    return next((message.removeprefix(start) for start in (f"{name}: ", f"{name} ") if message.startswith(start)), message)


def check_file(path: Path) -> None:
    """Raises UsageError unless `path` is a regular file, or a link to one, that has something in it and may be read."""
    name = shown(path)
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno not in (errno.ENOENT, errno.ENOTDIR):
            raise UsageError(f"{name} cannot be read: {error.strerror}") from None
        raise UsageError(f"{escaped(str(path))} does not exist: give the path of a film or recording on this machine") from None
    if stat.S_ISDIR(status.st_mode):
        raise UsageError(f"{name} is a folder: give one film or recording in it")
    if not stat.S_ISREG(status.st_mode):
        raise UsageError(f"{name} is a device or pipe: save the recording to a file first")
    if status.st_size == 0:
        raise UsageError(f"{name} is empty (0 bytes): copy it again")
    if not os.access(path, os.R_OK):
        raise UsageError(f"{name} may not be read by you: change its permissions")


@contextmanager
def open_media(path: Path, *, strict: bool) -> Iterator[InputContainer]:
    """The file opened by libav, closed at the end. Strict: damage raises av.FFmpegError while reading.

    Raises UsageError where it is no media, and when strict StageFailed where its header is damaged."""
    import av

    _keep_quiet()
    check_file(path)
    options = WHITELISTS | SEARCH | ({"err_detect": _STRICT} if strict else {})
    try:
        container = av.open(url(path), container_options=options, metadata_errors="replace")
    except av.FFmpegError as error:
        reason = error.strerror or "unknown error"
        if strict and _opens(path):
            raise StageFailed(f"{shown(path)} is damaged at its beginning ({reason}). {REMEDY}") from None
        raise UsageError(_why_refused(path, reason)) from None
    with container:
        container.flags &= ~_GENERATE_PTS
        if strict:
            for stream in container.streams.audio:
                if stream.codec_context:
                    stream.codec_context.options = {"err_detect": _STRICT}
        yield container


def _opens(path: Path) -> bool:
    """Whether a file that is refused when damage counts can be opened otherwise."""
    try:
        with open_media(path, strict=False):
            return True
    except UsageError:
        return False


def _keep_quiet() -> None:
    """Have libav's errors where they can be captured (PyAV drops them otherwise), and let none reach the terminal."""
    import av.logging

    av.logging.set_level(av.logging.ERROR)
    av.logging.set_skip_repeated(False)
    logging.getLogger("libav").setLevel(logging.CRITICAL + 1)


def _why_refused(path: Path, reason: str) -> str:
    name = shown(path)
    with path.open("rb") as file:
        what = impostor(file.read(512))
    if what:
        return f"{name} is {what}: give the film or recording itself"
    if missing := extent.missing_bytes(path):
        return f"{name} is cut short, and its index is in what is missing ({missing:,} bytes): copy it again"
    return f"{name} is not a media file that can be read ({reason}): give a film or recording, such as mkv, mp4, mp3 or wav"
