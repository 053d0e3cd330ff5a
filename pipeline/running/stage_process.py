"""Starts a stage in a child process, follows it, and makes sure that nothing of it stays behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec

from sutradhar.pipeline.console import Console, line_of
from sutradhar.pipeline.errors import StageFailed, UsageError
from sutradhar.pipeline.jobs.stage import Outcome
from sutradhar.pipeline.processes.children import end_group, entry, without_secrets
from sutradhar.pipeline.processes.ending import signals_held
from sutradhar.pipeline.progress import Progress
from sutradhar.pipeline.running.child import Assignment, Event, Failed, Finished, Note

ATTEMPT = b"=== attempt "
CHILD = entry("sutradhar.pipeline.running.child")


@dataclass(frozen=True)
class Result:
    outcome: Outcome
    packages: dict[str, str]
    attempt: int
    before: float = 0.0  # the share of the work that earlier runs had kept


def call(assignment: Assignment, log_path: Path, console: Console, progress: Callable[[Progress], None]) -> Result:
    """Run one stage. Raises StageFailed or UsageError with the stage's own message, and lets Interrupted through."""
    attempt = _attempts(log_path) + 1
    with _open_log(log_path, console) as log, contextlib.ExitStack() as started:
        _write(log, ATTEMPT + f"{attempt}, {time.strftime('%Y-%m-%d %H:%M:%S')}".encode())
        with signals_held():
            child = subprocess.Popen(
                (*CHILD, str(os.getpid())), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, start_new_session=True, env=without_secrets()
            )
            started.callback(_end, child)
        last = _follow(child, assignment, log, console, progress)
    if isinstance(last, Finished):
        return Result(last.outcome, last.packages, attempt)
    console.error(f"❌ Stage {assignment.stage}: FAILED")
    if isinstance(last, Failed):
        kind = UsageError if last.exit_code == UsageError.exit_code else StageFailed
        raise kind(f"{assignment.stage}: {last.message}")
    raise StageFailed(f"{assignment.stage}: {_how_it_ended(child.returncode)}; its log is {log_path}")


def _follow(
    child: subprocess.Popen[bytes], assignment: Assignment, log: IO[bytes], console: Console, progress: Callable[[Progress], None]
) -> Event | None:
    """Hand over the assignment, then read events until the child ends. Returns its last word, if there was one."""
    assert child.stdin
    assert child.stdout
    with contextlib.suppress(BrokenPipeError), child.stdin:
        child.stdin.write(msgspec.json.encode(assignment))
    last: Event | None = None
    for line in child.stdout:
        event = _decode(line)
        if isinstance(event, Progress):
            progress(event)
        elif isinstance(event, Note):
            _write(log, line_of(event.level, event.message).encode())
            console.say(event.level, event.message)
        elif event is not None:
            last = event
    child.wait()
    return last


def _decode(line: bytes) -> Event | None:
    """None for a line that the child did not finish before it was killed."""
    try:
        event: Event = msgspec.json.decode(line, type=Event)
        return event
    except msgspec.MsgspecError:
        return None


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the child and whatever it has started."""
    with signals_held():
        end_group(child)
    for pipe in (child.stdin, child.stdout):
        if pipe:
            with contextlib.suppress(OSError):
                pipe.close()


def _how_it_ended(code: int) -> str:
    if code == -signal.SIGKILL:
        return "the process was killed (SIGKILL): out of memory is the usual reason. Lower BATCH_SIZE or choose a smaller WHISPER_MODEL"
    if code < 0:
        return f"the process was ended by {signal.Signals(-code).name}"
    return f"the process ended with code {code}"


def _attempts(log_path: Path) -> int:
    if not log_path.is_file():
        return 0
    with contextlib.suppress(OSError), log_path.open("rb") as file:
        return sum(line.startswith(ATTEMPT) for line in file)
    return 0


def _open_log(path: Path, console: Console) -> IO[bytes]:
    try:
        return path.open("ab", buffering=0)
    except OSError as error:
        console.warn(f"Cannot write the log {path}: {error.strerror}; going on without it")
        return open(os.devnull, "wb", buffering=0)


def _write(log: IO[bytes], line: bytes) -> None:
    """A log that cannot be written is no reason to fail: the console and the marker hold what matters."""
    with contextlib.suppress(OSError):
        log.write(line + b"\n")
