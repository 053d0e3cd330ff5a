"""Open a media file with libav: only a regular file, only the formats on our list, and nothing that it refers to."""

from __future__ import annotations

import errno
import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sutradhar.pipeline.errors import StageFailed, UsageError
from sutradhar.pipeline.media import extent
from sutradhar.pipeline.media.formats import FORMATS, impostor, lost_part, unsupported
from sutradhar.pipeline.media.view import mended
from sutradhar.pipeline.wording import escaped

if TYPE_CHECKING:
    from av.container import InputContainer

# As options of libav and of ffmpeg. The first minute tells what streams hold: in a recording of broadcast television
# sound may begin late, and the usual five seconds would miss it.
WHITELISTS = {"protocol_whitelist": "file", "format_whitelist": ",".join(FORMATS)}
SEARCH = {"probesize": str(50 << 20), "analyzeduration": "60000000"}  # bytes, microseconds
REMEDY = "Repair or copy it again, or accept it with --set ALLOW_TRUNCATED=true"  # of prepare-job and of run-pipeline
_STRICT = "crccheck+explode"  # check sums are checked, and damage is an error instead of a guess
# Errors that PyAV raises beside its own, where a file lacks what it takes for granted: a stream that appears after
# the header, a time base of 0, names in no known encoding, numbers and pictures beyond its types, a missing codec.
_PYAV_RAISES = (ArithmeticError, AttributeError, LookupError, MemoryError, RuntimeError, TypeError, ValueError)
_GENERATE_PTS = 1  # AVFMT_FLAG_GENPTS, which PyAV sets: it reads ahead without bound where a stream has no times


def url(path: Path) -> str:
    """Return the file as libav is told it: no name can be read as an option, a protocol, a pattern or a playlist."""
    return "file:" + os.path.abspath(path)  # noqa: PTH100  (resolve() would follow links, absolute() leaves ..)


def shown(path: Path) -> str:
    """Return the file's name for a message."""
    return escaped(path.name)


def without_name(message: str, path: Path) -> str:
    """Return a message without the file's name at its beginning: "a.wav is cut short", "a.wav: decoded 3 s"."""
    name = shown(path)
    return next(
        (message.removeprefix(start) for start in (f"{name}: ", f"{name} ") if message.startswith(start)), message
    )


def check_file(path: Path) -> None:
    """Raise UsageError unless `path` is a regular file, or a link to one, that holds something and may be read."""
    name = shown(path)
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno not in (errno.ENOENT, errno.ENOTDIR):
            raise UsageError(f"{name} cannot be read: {error.strerror}") from None
        raise UsageError(
            f"{escaped(str(path))} does not exist: give the path of a film or recording on this machine"
        ) from None
    if stat.S_ISDIR(status.st_mode):
        raise UsageError(f"{name} is a folder: give one film or recording in it")
    if not stat.S_ISREG(status.st_mode):
        raise UsageError(f"{name} is a device or pipe: save the recording to a file first")
    if status.st_size == 0:
        raise UsageError(f"{name} is empty (0 bytes): copy it again")
    if not os.access(path, os.R_OK):
        raise UsageError(f"{name} may not be read by you: change its permissions")


@contextmanager
def open_media(path: Path, *, strict: bool, whole: bool = False) -> Iterator[InputContainer]:
    """Yield the file opened by libav, closed at the end. Strict: damage raises av.FFmpegError while reading. Whole:
    an edit list of MP4 is not heeded: it tells by false times what to leave out.

    Raises UsageError where it is no media, and for whatever else PyAV raises inside the `with`; StageFailed where
    that is a mistake of the program, as with a PyAV that knows other arguments."""
    import av

    _keep_quiet()
    check_file(path)
    options = (
        WHITELISTS | SEARCH | ({"err_detect": _STRICT} if strict else {}) | ({"ignore_editlist": "1"} if whole else {})
    )
    container = view = None
    try:
        view = mended(path, url(path))
        with av.open(view or url(path), container_options=options, metadata_errors="replace") as container:
            container.flags &= ~_GENERATE_PTS
            yield container
    except (av.FFmpegError, *_PYAV_RAISES) as error:
        reason = reason_of(error)
        if _is_mistake(error):
            raise StageFailed(
                f"{shown(path)} was not read, and is not to blame: {reason}, with PyAV {av.__version__}; "
                "run ./scripts/bootstrap.sh, which installs the one that was tested"
            ) from error
        why = (
            f"{shown(path)} cannot be read ({reason}): repair it or copy it again"
            if container
            else _why_refused(path, reason)
        )
        raise UsageError(why) from error
    finally:
        if view:
            view.close()


def _is_mistake(error: Exception) -> bool:
    """Return whether the program is wrong, and not the file: of what a file lacks, PyAV makes None."""
    return isinstance(error, (AttributeError, TypeError)) and "NoneType" not in str(error)


def be_strict(container: InputContainer) -> None:
    """Let damage in sound raise av.FFmpegError from now on, where it is decoded."""
    for stream in container.streams.audio:
        if stream.codec_context:
            stream.codec_context.options = {"err_detect": _STRICT}


def reason_of(error: Exception) -> str:
    """Return the error of libav or PyAV in a few words."""
    import av

    if isinstance(error, av.FFmpegError):
        return error.strerror or "unknown error"
    return escaped(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)


def _keep_quiet() -> None:
    """Have libav's errors where they can be captured (PyAV drops them otherwise), and let none reach the terminal."""
    import av.logging

    av.logging.set_level(av.logging.ERROR)
    av.logging.set_skip_repeated(False)
    logging.getLogger("libav").setLevel(logging.CRITICAL + 1)


def _why_refused(path: Path, reason: str) -> str:
    name = shown(path)
    with path.open("rb") as file:
        head = file.read(512)
    if what := impostor(head):
        return f"{name} is {what}: give the film or recording itself"
    if known := unsupported(head):
        return f"{name}: {known} is not supported: convert it first"
    if missing := extent.missing(path).bytes:
        return f"{name} is cut short, and its index is in what is missing ({missing:,} bytes): copy it again"
    if part := "index" if extent.is_mp4(head) else lost_part(head):
        return f"{name} is damaged: its {part} cannot be found ({reason}): repair it or copy it again"
    return (
        f"{name} is not a media file that can be read ({reason}): "
        "give a film or recording, such as mkv, mp4, mp3 or wav"
    )
