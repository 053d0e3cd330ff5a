"""The end of a command: by itself, by a signal, or because nobody reads what it prints any more."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NoReturn

from sutradhar.pipeline.errors import Interrupted, SutradharError, in_one_line
from sutradhar.pipeline.wording import escaped

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE = 8.0  # seconds in which further signals do not disturb a command that is ending


class _Interrupts:
    """The receiver of the signals of this process. They reach it in the main thread, between any two steps of it."""

    def __init__(self) -> None:
        self.message = Interrupted.message
        self.raises = False
        self.held = 0
        self._waiting = 0  # number of a signal that came while signals were held
        self._first = 0.0  # when the first one raised

    def take(self, number: int, frame: FrameType | None = None) -> None:
        if self.held:
            self._waiting = number
        elif not self.raises or (self._first and time.monotonic() > self._first + PATIENCE):
            self._end(number)
        elif not self._first:
            self._first = time.monotonic()
            raise Interrupted(number, self.message)

    def release(self) -> None:
        self.held -= 1
        if self._waiting and not self.held:
            number, self._waiting = self._waiting, 0
            self.take(number)

    def begin(self, *, raises: bool) -> None:
        self.raises, self._first = raises, 0.0

    def _end(self, number: int) -> NoReturn:
        with contextlib.suppress(OSError):
            os.write(2, f"[ERROR] {self.message}\n".encode())
        os._exit(128 + number)


_interrupts = _Interrupts()


def when_interrupted(message: str) -> None:
    """Set the message that an interruption prints from now on."""
    _interrupts.message = message


def take_signals(message: str) -> None:
    """Let Ctrl-C, SIGTERM and SIGHUP end this process at once from now on, with this line: there is nothing to tidy up.
    A SIGHUP that nohup ignores stays ignored."""
    when_interrupted(message)
    for number in SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupts.take)


@contextlib.contextmanager
def tidying_up() -> Iterator[None]:
    """Raise Interrupted in the main thread at the first signal within the block, so that the work ends in order.
    Signals that come meanwhile change nothing; where it takes longer than PATIENCE, the next one ends the process,
    and its children with it."""
    try:
        _interrupts.begin(raises=True)
        yield
    finally:
        _interrupts.begin(raises=False)


@contextlib.contextmanager
def signals_held() -> Iterator[None]:
    """Hold signals within the block, and take them afterwards. Meant for what takes a moment."""
    _interrupts.held += 1
    try:
        yield
    finally:
        _interrupts.release()


def exit_code_of(
    work: Callable[[], int | None],
    interrupted: str = "run the same command again to go on from here",
    tell: Callable[[str], None] | None = None,
) -> int:
    """Run the work of a command as `code_of` does. It ends in order when it is interrupted, and the line says how to
    go on."""
    take_signals(f"Interrupted; {interrupted}")

    def tidied() -> int | None:
        with tidying_up():
            return work()

    return code_of(tidied, tell)


def code_of(work: Callable[[], int | None], tell: Callable[[str], None] | None = None) -> int:
    """Return the exit code of work, None of which means 0. Our own errors, the system's and interruptions are told in a
    line each, on stderr where nothing else is said."""
    try:
        return work() or 0
    except (SutradharError, Interrupted, OSError) as error:
        (tell or _complain)(in_one_line(error))
        return getattr(error, "exit_code", 1)


def _complain(message: str) -> None:
    print(f"[ERROR] {escaped(message)}", file=sys.stderr)


def print_result(line: str) -> None:
    """Print what a command was asked for on standard output. Raises SutradharError where that cannot be written, but
    not where nobody reads on."""
    try:
        print(line, flush=True)
    except OSError as error:
        if message := _unwritten(error):
            raise SutradharError(message) from None


def exit_code_of_output(fault: OSError | None) -> int:
    """Return the exit code of a command whose work is what it prints, once its output met this fault; the fault is told
    on stderr."""
    if message := _unwritten(fault):
        _complain(message)
    return 1 if message else 0


def _unwritten(fault: OSError | None) -> str:
    if fault is None or fault.errno == errno.EPIPE:
        return ""
    return f"Standard output cannot be written: {fault.strerror}; give the command another place to print to"


def end_with(main: Callable[[], int]) -> NoReturn:
    """Run a command to its exit code. Once it has one, no signal and no stream that nobody reads changes it."""
    try:
        code: int | str | None = main()
    except SystemExit as error:  # argparse's
        code = error.code
    except ModuleNotFoundError as error:
        _complain(in_one_line(error))
        code = 1
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            # Python shall not try again, and complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(code)
