"""Call ffmpeg: every call goes through here."""

from __future__ import annotations

import contextlib
import re
import shutil
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from sutradhar.pipeline.errors import StageFailed
from sutradhar.pipeline.media.container import SEARCH, WHITELISTS, url
from sutradhar.pipeline.processes import children

_PROGRESS = re.compile(
    r"(frame|fps|stream_\d+_\d+_\w+|bitrate|total_size|out_time\w*|dup_frames|drop_frames|speed|progress)=(.*)"
)
# Lines that only say that ffmpeg has ended, and those that only follow from what an earlier line says.
_SAYS_NOTHING = (
    "Conversion failed!",
    "Error opening input file file:",
    "Error opening input files",
    "Error opening output file ",
    "Error opening output files",
    "Error sending frames",
    "Terminating thread",
    "Task finished",
    "Nothing was written",
    "Last message repeated",
)
_FOLLOWS = (
    "Could not write header",
    "Could not open encoder before EOF",
    "Error initializing output stream",
    "Error initializing the muxer",
    "Error muxing a packet",
    "Error submitting a packet",
    "Error writing trailer",
    "Error while opening encoder",
    "If you would like",
    "av_interleaved_write_frame(): Invalid",
)
# The disk's own refusals: another run may go well.
_DISK = ("No space left on device", "Disk quota exceeded", "Read-only file system", "Input/output error")
_PATIENCE = 120  # seconds for a question about a film
_ASKED = 2  # times that a question is asked at most
_KILLED = (-signal.SIGKILL, 128 + signal.SIGKILL)
_SPEAKER = re.compile(r"^(\[[^\]]* @ 0x[0-9a-f]+\] )+")


def ffmpeg_path() -> str:
    """Return the system's ffmpeg, or the one that came with imageio-ffmpeg. Raises StageFailed where neither can be
    started."""
    found = shutil.which("ffmpeg")
    if found:
        return found
    with contextlib.suppress(RuntimeError):
        return _packaged()
    try:  # somebody may have killed the process that it was tried in
        return _packaged()
    except RuntimeError:
        raise StageFailed(
            "There is no ffmpeg that can be started: install one (apt install ffmpeg, brew install ffmpeg) "
            "or run scripts/bootstrap.sh,"
            " then run the same command again"
        ) from None


def _packaged() -> str:
    """Return the ffmpeg of imageio-ffmpeg. Raises RuntimeError."""
    from imageio_ffmpeg import _utils

    _utils._get_ffmpeg_exe.cache_clear()  # it keeps a refusal too
    return str(_utils.get_ffmpeg_exe())


def ffmpeg_version() -> str:
    """Return the version as ffmpeg says it: `ffmpeg version 7.1`. Other versions may write other bytes."""
    return answer(["-version"]).partition(" Copyright")[0].strip()


def input_arguments(path: Path, format_name: str = "") -> list[str]:
    """Return `-i` for a file, with the same whitelists as in `open_media`, or for one file of our own in the format
    named."""
    if format_name:
        return ["-protocol_whitelist", "file", "-format_whitelist", format_name, "-f", format_name, "-i", url(path)]
    return [text for option, value in (WHITELISTS | SEARCH).items() for text in (f"-{option}", value)] + [
        "-i",
        url(path),
    ]


class NotWritten(StageFailed):
    """Error where ffmpeg cannot make this file of that input, however often it is tried."""


def complaint(arguments: Sequence[str]) -> str:
    """Say why ffmpeg would refuse such a call, by its telling line; "" where it would not, or where that cannot be told
    in a moment."""
    done = _ask(arguments)
    return _reason(done.stderr.splitlines(), done.returncode) if done and done.returncode > 0 else ""


def answer(arguments: Sequence[str]) -> str:
    """Return all that ffmpeg writes to standard output, however it ends; "" where that takes more than a moment."""
    done = _ask(arguments)
    return done.stdout if done else ""


def _ask(arguments: Sequence[str]) -> subprocess.CompletedProcess[str] | None:
    """Ask ffmpeg, and again where it was killed: by somebody, or for want of memory, which says nothing of the film."""
    command = [ffmpeg_path(), "-nostdin", "-hide_banner", "-v", "error", *arguments]
    try:
        for _ in range(_ASKED):
            done = children.run(command, env=children.without_secrets(), timeout=_PATIENCE)
            if done.returncode not in _KILLED:
                break
        return done
    except subprocess.TimeoutExpired:
        return None


def run_ffmpeg(
    arguments: Sequence[str], output: Path, progress: Callable[[float], None] = lambda seconds: None
) -> None:
    """Run ffmpeg to the end; `progress` gets the seconds of output written so far. Raises StageFailed with ffmpeg's
    own reason, a NotWritten where the fault is not the disk's and ffmpeg was not ended by a signal.

    However this process ends, the child ends with it."""
    command = [
        ffmpeg_path(),
        "-nostdin",
        "-hide_banner",
        "-v",
        "error",
        "-nostats",
        "-progress",
        "pipe:1",
        *arguments,
        "-y",
        url(output),
    ]
    child = subprocess.Popen(
        children.leashed(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,  # progress and messages come down one pipe: neither can block the other
        text=True,
        errors="replace",
        env=children.without_secrets(),
    )
    messages: deque[str] = deque(maxlen=20)
    try:
        assert child.stdout
        for line in child.stdout:
            _follow(line.rstrip("\n"), messages, progress)
        code = child.wait()
    finally:
        children.end(child)
        if child.stdout:
            child.stdout.close()
    if code != 0:
        reason = _reason(messages, code)
        kind = StageFailed if code < 0 or reason.endswith(_DISK) else NotWritten
        raise kind(f"ffmpeg could not write {output.suffix.lstrip('.')}: {reason}")


def _follow(line: str, messages: deque[str], progress: Callable[[float], None]) -> None:
    match = _PROGRESS.fullmatch(line)
    if match is None:
        messages.append(line)
    elif match[1] == "out_time_us" and match[2].lstrip("-").isdecimal():
        progress(max(0, int(match[2])) / 1_000_000)


def _reason(messages: Sequence[str], code: int) -> str:
    lines = (_SPEAKER.sub("", line).strip() for line in messages)
    telling = [line for line in lines if line and not line.startswith(_SAYS_NOTHING)]
    if refused := next((words for line in telling for words in _DISK[:2] if words in line), ""):
        return refused
    if telling:
        return next((line for line in reversed(telling) if not line.startswith(_FOLLOWS)), telling[-1])
    return f"it was ended by signal {-code}" if code < 0 else f"it ended with code {code} and no message"
