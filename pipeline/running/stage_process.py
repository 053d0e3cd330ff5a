"""Start a stage in a child process, follow it, and make sure that nothing of it stays behind."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sutradhar.pipeline.console import Console, line_of
from sutradhar.pipeline.errors import LESS_MEMORY, StageFailed
from sutradhar.pipeline.jobs.stage import Outcome
from sutradhar.pipeline.processes.channel import Broken, Child, Note, how_it_ended, spawned
from sutradhar.pipeline.processes.children import entry
from sutradhar.pipeline.progress import Progress
from sutradhar.pipeline.running.child import Assignment, Event, Finished, LastWord

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
    with _open_log(log_path, console) as log:
        _write(log, ATTEMPT + f"{attempt}, {time.strftime('%Y-%m-%d %H:%M:%S')}".encode())
        with spawned(CHILD, assignment, Event, log) as child:
            last = _follow(child, log, console, progress)
    if isinstance(last, Finished):
        return Result(last.outcome, last.packages, attempt)
    console.error(f"❌ Stage {assignment.stage}: FAILED")
    if last:
        raise last.error(f"{assignment.stage}: ", otherwise=StageFailed)
    remedy = f"; {LESS_MEMORY}" if child.code == -signal.SIGKILL else ""
    raise StageFailed(f"{assignment.stage}: {how_it_ended(child.code, 'the process')}{remedy}; its log is {log_path}")


def _follow(child: Child, log: IO[bytes], console: Console, progress: Callable[[Progress], None]) -> LastWord | None:
    """Tell what the child tells until it ends. Returns its last word, if there was one."""
    last = None
    for event in child.events():
        match event:
            case Progress():
                progress(event)
            case Note(level, message):
                _write(log, line_of(level, message).encode())
                console.say(level, message)
            case Finished() | Broken():
                last = event
    return last


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
    """Write a line into the log. A failure there fails nothing: the console and the marker hold what matters."""
    with contextlib.suppress(OSError):
        log.write(line + b"\n")
