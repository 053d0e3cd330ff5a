"""Child processes that run our own code for this one, and the messages between both.

A parent spawns a function of one of our modules and sends it messages, the first of which says what to do. The
child answers with events: notes for the log, how far the work is, whatever else the work has to tell, and at last
the result, or a Broken that says in words why there is none. Both are JSON, one a line, on the child's standard
input and output; messages to it may have paths in them. These are taken away before the work begins: what libraries
print goes to standard error. A child that is killed tells nothing; `how_it_ended` does.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import IO, Any, NoReturn, TypeVar

import msgspec

from sutradhar.pipeline.console import LogText
from sutradhar.pipeline.errors import Interrupted, SutradharError, UsageError, in_one_line, is_unwritable
from sutradhar.pipeline.processes import children
from sutradhar.pipeline.processes.ending import signals_held, take_signals, tidying_up
from sutradhar.pipeline.processes.starting import let_signals_end
from sutradhar.pipeline.progress import Progress

PROGRESS_INTERVAL = 0.2  # seconds between two progress events
ENDED_BY_SOMEBODY = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
T = TypeVar("T")
First = TypeVar("First", bound=msgspec.Struct)


class Note(msgspec.Struct, frozen=True, tag=True):
    """A line for the log."""

    level: int
    message: str


class Broken(msgspec.Struct, frozen=True, tag=True):
    """The end of a child without a result. With exit code 2 nothing can be done with these settings, else what it
    had begun is suspect."""

    message: str
    exit_code: int
    hopeless: bool = False  # no other process would fare better: nothing can be written

    def error(self, before: str = "", otherwise: type[SutradharError] = SutradharError) -> SutradharError:
        kind = UsageError if self.exit_code == UsageError.exit_code else otherwise
        return kind(before + self.message)


class Call(msgspec.Struct, frozen=True):
    """A function of one of our modules, and its arguments."""

    module: str
    function: str
    arguments: tuple[str, ...]


def as_line(message: msgspec.Struct) -> bytes:
    return msgspec.json.encode(message, enc_hook=os.fspath) + b"\n"


# --- The parent's side


def start(
    command: Sequence[str],
    *,
    leads: bool = False,
    log: IO[bytes] | int | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a command that calls `begin`, with pipes to it, in our environment without secrets and with
    `environment` added. With `leads` it is the first of a process group."""
    return subprocess.Popen(
        (*command, str(os.getpid())),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        start_new_session=leads,
        env=children.without_secrets() | dict(environment or {}),
    )


class Child:
    """A process that was spawned, until it is ended."""

    def __init__(self, process: subprocess.Popen[bytes], events: Any, *, leads: bool = False) -> None:
        """Take a process whose events are of type `events`."""
        self._process, self._leads = process, leads
        self._decoder = msgspec.json.Decoder(events)
        self.pid = process.pid

    def send(self, message: msgspec.Struct) -> None:
        """Send a message; to a process that is dead already it goes nowhere."""
        assert self._process.stdin
        with contextlib.suppress(OSError):
            self._process.stdin.write(as_line(message))
            self._process.stdin.flush()

    def events(self) -> Iterator[Any]:
        """Yield the events of the child until it has ended."""
        assert self._process.stdout
        for line in self._process.stdout:
            if event := self._decode(line):
                yield event
        self._process.wait()

    def _decode(self, line: bytes) -> Any:
        """Decode a line; None for one that a killed process did not finish."""
        with contextlib.suppress(msgspec.MsgspecError):
            return self._decoder.decode(line)
        return None

    def deliver_to(self, deliver: Callable[[Any], None]) -> None:
        """Have its events delivered by a thread, and None when it has ended."""

        def listen() -> None:
            for event in self.events():
                deliver(event)
            deliver(None)

        threading.Thread(target=listen, daemon=True).start()

    def end(self) -> None:
        """Ask it to end, by the end of its input, and all of its group where it leads one; after GRACE seconds kill
        what is left."""
        assert self._process.stdin
        with signals_held():
            with contextlib.suppress(OSError):
                self._process.stdin.close()
            if self._leads:
                children.end_group(self._process)
            else:
                children.wait_or_kill(self._process)

    @property
    def code(self) -> int:
        """Return its exit code, once it has ended; below 0 the number of the signal that has ended it."""
        return self._process.returncode

    def how_it_ended(self) -> tuple[str, bool]:
        """Say how it ended; and whether somebody ended it, which may have nothing to do with its work."""
        return how_it_ended(self.code), -self.code in ENDED_BY_SOMEBODY


def how_it_ended(code: int, name: str = "") -> str:
    """Say how a process of this name, or without one, ended: "ended by SIGABRT"."""
    subject = f"{name} {'was ' * (code < 0)}" if name else ""
    if code == -signal.SIGKILL:
        return f"{subject}killed (SIGKILL): out of memory is the usual reason"
    return subject + (f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}")


@contextlib.contextmanager
def spawned(command: Sequence[str], first: msgspec.Struct, events: Any, log: IO[bytes] | int) -> Iterator[Child]:
    """Give a child at the head of its own process group, of which nothing is left after the block."""
    with contextlib.ExitStack() as started:
        with signals_held():
            child = Child(start(command, leads=True, log=log), events, leads=True)
            started.callback(child.end)
        child.send(first)
        yield child


def call(name: str, module: str, function: str, *arguments: str) -> None:
    """Call a function in a child, which takes away with it all that it has brought into memory. `name` is what messages
    call the child. Raises UsageError and SutradharError with the function's own message."""
    command, first = children.entry(__name__, "answer_call"), Call(module, function, arguments)
    with spawned(command, first, Note | Broken, subprocess.DEVNULL) as child:
        broken = [event for event in child.events() if isinstance(event, Broken)]
    if broken:
        raise broken[-1].error()
    if child.code:
        raise SutradharError(how_it_ended(child.code, name))


# --- The child's side


class EventWriter:
    """A writer of events to the parent, for any thread."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._lock = stream, threading.Lock()
        self._last_progress, self._last_kept = 0.0, ""

    def send(self, event: msgspec.Struct) -> None:
        with self._lock, contextlib.suppress(BrokenPipeError):
            self._stream.write(as_line(event))
            self._stream.flush()

    def progress(self, progress: Progress) -> None:
        now, matters = time.monotonic(), progress.done >= progress.total or progress.kept != self._last_kept
        if matters or now - self._last_progress >= PROGRESS_INTERVAL:
            self._last_progress, self._last_kept = now, progress.kept
            self.send(progress)


class _Handler(logging.Handler):
    def __init__(self, say: Callable[[int, str], None]) -> None:
        super().__init__(logging.INFO)
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        self._say(record.levelno, record.getMessage())


def log_to(say: Callable[[int, str], None]) -> logging.Logger:
    """Return the log of this process, each line of which is said from now on."""
    log = logging.getLogger("sutradhar")
    log.setLevel(logging.DEBUG)
    log.addHandler(_Handler(say))
    return log


def log_as_notes(tell: Callable[[Note], None]) -> None:
    log_to(lambda level, message: tell(Note(level, message)))


def begin(*, group: bool = True) -> tuple[IO[bytes], IO[bytes]]:
    """Make this process the child of the one that has started it: it dies with it, its files are private, and standard
    input and output are for messages alone. Returns where those come from, and where they go. `group`: see
    `die_with_parent`."""
    children.keep_numpy_to_one_thread()
    let_signals_end()
    children.die_with_parent(int(sys.argv[1]), group=group)
    os.umask(0o077)
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr = LogText(io.FileIO(2, "wb", closefd=False))
    return incoming, outgoing


def boundary(work: Callable[[], T], places: Sequence[Path] = ()) -> T | Broken:
    """Return what the work returns, or why it broke. `places`: see `in_one_line`."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - the boundary: the log gets the traceback, the user one line
        if not isinstance(error, SutradharError):
            traceback.print_exc()
        return Broken(in_one_line(error, places), getattr(error, "exit_code", 1), is_unwritable(error))


def _received(incoming: IO[bytes], kind: type[First]) -> First:
    return msgspec.json.decode(incoming.readline(), type=kind, dec_hook=lambda path, text: path(text))


def serve(first: type[First], work: Callable[[First, IO[bytes], EventWriter], msgspec.Struct | None]) -> NoReturn:
    """Live the life of a child. `work` gets the first message, the stream of those that follow, and whom to tell; what
    it returns is the last event."""
    incoming, outgoing = begin()
    events = EventWriter(outgoing)
    log_as_notes(events.send)
    try:
        last = boundary(lambda: work(_received(incoming, first), incoming, events))
    except Interrupted as error:
        os._exit(error.exit_code)
    if last is not None:
        events.send(last)
    # All is told. Libraries' clean-up at exit (thread pools, a full disk under stdout) must not change it.
    os._exit(isinstance(last, Broken))


def answer_call() -> NoReturn:
    """Run the child of `call`, which ends in order when it is asked to."""

    def work(call: Call, incoming: IO[bytes], events: EventWriter) -> None:
        take_signals(Interrupted.message)
        with tidying_up():
            getattr(import_module(call.module), call.function)(call.arguments)

    serve(Call, work)
