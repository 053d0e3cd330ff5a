"""One run of one stage, in a process of its own.

The runner writes an Assignment to standard input and reads events, one JSON object a line, from standard output. Both
are taken away from the stage before it starts: whatever a library prints goes to the stage's log.
"""

from __future__ import annotations

import contextlib
import errno
import io
import logging
import os
import sys
import tempfile
import time
import traceback
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, Any

import msgspec

from sutradhar.pipeline.console import LogText
from sutradhar.pipeline.errors import SutradharError, in_one_line, missing_package
from sutradhar.pipeline.files import room
from sutradhar.pipeline.jobs.settings import declared_settings
from sutradhar.pipeline.jobs.stage import Outcome, Stage, StageContext
from sutradhar.pipeline.processes.children import die_with_parent
from sutradhar.pipeline.processes.starting import let_signals_end
from sutradhar.pipeline.progress import Progress

PROGRESS_INTERVAL = 0.2  # seconds between two progress events


class Assignment(msgspec.Struct, frozen=True):
    workflow: str
    stage: str
    settings: dict[str, Any]  # those that the stage declares
    media: str
    reads: dict[str, str]  # by kind, the paths of artifacts
    writes: dict[str, str]
    artifacts: str
    scratch: str
    deliverables: str
    models: str
    pieces: str
    verify: bool = False
    cuda_visible_devices: str = ""


class Note(msgspec.Struct, frozen=True, tag=True):
    level: int
    message: str


class Finished(msgspec.Struct, frozen=True, tag=True):
    outcome: Outcome
    packages: dict[str, str]


class Failed(msgspec.Struct, frozen=True, tag=True):
    message: str
    exit_code: int


Event = Progress | Note | Finished | Failed


class EventWriter(logging.Handler):
    """Sends log records and progress to the runner."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(logging.INFO)
        self.stream = stream
        self.last_progress = 0.0
        self.last_kept = ""

    def send(self, event: Event) -> None:
        with contextlib.suppress(BrokenPipeError):
            self.stream.write(msgspec.json.encode(event) + b"\n")
            self.stream.flush()

    def emit(self, record: logging.LogRecord) -> None:
        self.send(Note(record.levelno, record.getMessage()))

    def progress(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.done >= progress.total or progress.kept != self.last_kept or now - self.last_progress >= PROGRESS_INTERVAL:
            self.last_progress, self.last_kept = now, progress.kept
            self.send(progress)


class LogStream(io.FileIO):
    """Standard output and error of a stage: its log. A full disk under the log is no reason for a stage to fail."""

    def write(self, data: Any) -> int:
        with contextlib.suppress(OSError):
            super().write(data)
        return len(data)


def run_stage(stage: Stage, assignment: Assignment, events: EventWriter) -> Event:
    log = logging.getLogger("sutradhar")
    log.setLevel(logging.DEBUG)
    log.addHandler(events)
    context = StageContext(
        stage=stage,
        settings=declared_settings(stage.name, assignment.settings),
        media=Path(assignment.media),
        reads=assignment.reads,
        writes=assignment.writes,
        artifacts=Path(assignment.artifacts),
        scratch=Path(assignment.scratch),
        deliverables=Path(assignment.deliverables),
        models=Path(assignment.models),
        pieces=Path(assignment.pieces),
        log=log,
        report=events.progress,
        verify=assignment.verify,
    )
    try:
        outcome = stage.run(context)
        return Finished(outcome, _versions(outcome.packages))
    except SutradharError as error:
        return Failed(str(error), error.exit_code)
    except MemoryError:
        traceback.print_exc()
        return Failed("Out of memory; lower BATCH_SIZE or choose a smaller WHISPER_MODEL in the job's settings", 1)
    except ModuleNotFoundError as error:
        traceback.print_exc()
        return Failed(missing_package(error), 1)
    except Exception as error:  # noqa: BLE001 - the stage boundary: the log gets the traceback, the user one line
        traceback.print_exc()
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return Failed(f"{error.strerror}: {_full(error, context)}; make room and run the same command again", 1)
        if isinstance(error, OSError) and error.errno:
            return Failed(_refused(error, context), 1)
        return Failed(f"{type(error).__name__}: {_first_line(error)}", 1)


def _refused(error: OSError, context: StageContext) -> str:
    """Name the place, as `_full` does, where the disk is broken or read-only, and say what to do."""
    if isinstance(error.filename, str):
        return in_one_line(error)
    where = f"in {context.artifacts.parent}, {context.deliverables.parent} or what the stage reads"
    return f"{error.strerror}, {where}; put right what is there and run the same command again"


def _full(error: OSError, context: StageContext) -> str:
    """The path that found no room; a write to an open file does not say which, so the folders that the stage may write to."""
    if isinstance(error.filename, str):
        return f"{room(Path(error.filename))} for {error.filename}"
    job, output = context.artifacts.parent, context.deliverables.parent
    return f"{room(job)} in {job}, {room(output)} in {output}"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:300]


def _versions(distributions: tuple[str, ...]) -> dict[str, str]:
    versions = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in distributions:
        with contextlib.suppress(PackageNotFoundError):
            versions[name] = version(name)
    return versions


def keep_temporary_files_in(scratch: Path) -> None:
    """Send the temporary files of libraries and their processes to the scratch folder: they go with it, however the
    processes end. Ray's stay elsewhere, since its sockets need short paths."""
    os.environ.setdefault("RAY_TMPDIR", tempfile.gettempdir())
    folder = scratch / "tmp"
    with contextlib.suppress(OSError):  # a full disk is told by the stage
        folder.mkdir()
        os.environ["TMPDIR"] = tempfile.tempdir = str(folder)


def main() -> None:
    let_signals_end()
    die_with_parent(int(sys.argv[1]))
    os.umask(0o077)
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # onnxruntime reports to Microsoft otherwise
    events = EventWriter(os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)
    sys.stdout = sys.stderr = LogText(LogStream(2, "wb", closefd=False))
    assignment = msgspec.json.decode(sys.stdin.buffer.read(), type=Assignment)
    keep_temporary_files_in(Path(assignment.scratch))
    if assignment.cuda_visible_devices:
        os.environ["CUDA_VISIBLE_DEVICES"] = assignment.cuda_visible_devices
    from sutradhar.stages import WORKFLOWS

    stage = next(stage for stage in WORKFLOWS[assignment.workflow] if stage.name == assignment.stage)
    events.send(run_stage(stage, assignment, events))
    # The result is told. Libraries' clean-up at exit (thread pools, a full disk under stdout) must not change it.
    os._exit(0)
