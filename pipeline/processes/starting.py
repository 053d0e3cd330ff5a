"""The first moments of a command: its standard streams, its encoding, and the effect of a signal before there is
anything to tidy up."""

from __future__ import annotations

import io
import os
import signal
import sys


def begin() -> None:
    let_signals_end()
    _open_closed_streams()
    _take_names_as_utf8()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that cannot show a letter shows its number


def let_signals_end() -> None:
    """Have Ctrl-C end the process like any other signal, where Python would raise an error, which nobody catches
    while modules are imported."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])  # scripts/env.sh has held it back


def _open_closed_streams() -> None:
    """Open closed streams: the next file that is opened would take the place of one, and be written to in its stead."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest number that is free
    sys.stdin = sys.stdin or io.TextIOWrapper(io.FileIO(0, closefd=False))
    sys.stdout = sys.stdout or io.TextIOWrapper(io.FileIO(1, "w", closefd=False))
    sys.stderr = sys.stderr or io.TextIOWrapper(io.FileIO(2, "w", closefd=False))


def _take_names_as_utf8() -> None:
    """Take names of files as UTF-8 also where the locale has another encoding: names kept in a job mean the same in
    every shell."""
    if sys.getfilesystemencoding() != "utf-8" and os.environ.get("PYTHONUTF8") != "1":
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | {"PYTHONUTF8": "1"})
