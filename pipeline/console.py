"""The display of a run: one live line a stage on a terminal, plain lines elsewhere, and the same in a log file."""

from __future__ import annotations

import contextlib
import io
import logging
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

from sutradhar.pipeline.installed import named
from sutradhar.pipeline.wording import escaped

if TYPE_CHECKING:
    import rich.progress

    from sutradhar.pipeline.progress import Progress

PLAIN_INTERVAL = 30.0  # seconds between two progress lines where there is no terminal
LEVEL_NAMES = {logging.WARNING: "WARN"}  # the wording users know


def line_of(level: int, message: str) -> str:
    """Return one line, whatever is in the message: names and tags from outside, words of libraries."""
    return f"[{LEVEL_NAMES.get(level, logging.getLevelName(level))}] {escaped(named(message))}"


def clock(seconds: float) -> str:
    """Return a time as 2:05 or 1:02:05."""
    minutes, second = divmod(int(seconds + 0.5), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def pace(progress: Progress, seconds: float) -> str:
    """Return how far, how fast and how long still: "45 %, 12.3x real time, 0:31 left"."""
    done, total = progress.done, progress.total
    speed = (done - progress.already) / seconds if seconds > 0 else 0.0
    to_go = (total - done) / speed if progress.left is None and speed > 0 else progress.left
    left = f", {clock(to_go)} left" if to_go and total > done else ""
    notes = ", ".join(filter(None, (progress.note, progress.now)))
    note = f" ({notes})" if notes else ""
    return escaped(f"{100 * done / total if total else 100:.0f} %, {speed:.1f}{progress.unit}{left}{note}")


class LogText(io.TextIOWrapper):
    """The stream into a log. It escapes names and tags from outside in what is printed; tracebacks keep their
    lines. A full disk under the log does not fail whoever prints."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(stream, encoding="utf-8", errors="replace", write_through=True)

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            super().write("\n".join(map(escaped, text.split("\n"))))
        return len(text)


class Console:
    """A writer to one stream and, while a job runs, to its log file. A stream or a disk that fails never ends a run."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        self.stream = stream or sys.stdout
        self.log_file: IO[str] | None = None
        self.fault: OSError | None = None  # the first error of the stream
        self.foretold: set[str] = set()  # warnings of what a stage will do that the user has seen before the run
        self.live: rich.progress.Progress | None = None
        self.task: rich.progress.TaskID | None = None
        self.started = 0.0
        self.pace = ""  # the last word of the running stage
        self.lock = threading.RLock()  # plain progress is written by a thread of its own

    @contextlib.contextmanager
    def logging_to(self, path: Path) -> Iterator[None]:
        try:
            self.log_file = path.open("a", encoding="utf-8", buffering=1)
        except OSError as error:
            self.warn(f"Cannot write the log {path}: {error.strerror}; going on without it")
        try:
            yield
        finally:
            self._close_log()

    def _close_log(self) -> None:
        if self.log_file:
            with contextlib.suppress(OSError):
                self.log_file.close()
            self.log_file = None

    def info(self, message: str) -> None:
        self.say(logging.INFO, message)

    def warn(self, message: str) -> None:
        self.say(logging.WARNING, message)

    def warn_of_deed(self, message: str) -> None:
        """Warn of what a stage did; the log alone gets it where the user knows it already."""
        if message in self.foretold:
            self.log_warning(message)
        else:
            self.warn(message)

    def log_warning(self, message: str) -> None:
        """Write a warning into the log alone."""
        with self.lock:
            self._write_log(line_of(logging.WARNING, message))

    def error(self, message: str) -> None:
        self.say(logging.ERROR, message)

    def say(self, level: int, message: str) -> None:
        line = line_of(level, message)
        with self.lock:
            self._write_log(line)
            self.print(line)

    def print(self, text: str) -> None:
        """Print one line."""
        text = escaped(text)
        if self.live:
            self.live.console.print(text, markup=False, highlight=False, soft_wrap=True)
            return
        try:
            print(text, file=self.stream, flush=True)
        except (OSError, UnicodeEncodeError) as error:
            self.fault = error if isinstance(error, OSError) else self.fault

    def _write_log(self, line: str) -> None:
        if not self.log_file:
            return
        try:
            self.log_file.write(time.strftime("%Y-%m-%d %H:%M:%S ") + line + "\n")
        except OSError as error:
            self._close_log()
            self.warn(f"The log cannot be written any more: {error.strerror}; going on without it")

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Show the progress of one stage until the block ends."""
        self.started, self.pace = time.monotonic(), ""
        with self._live_line(name) if self.stream.isatty() else self._plain_lines(name):
            yield

    @contextlib.contextmanager
    def _live_line(self, name: str) -> Iterator[None]:
        self.live = self._make_live()
        self.task = self.live.add_task(name, total=None, pace="")
        self.live.start()
        try:
            yield
        finally:
            self.live.stop()
            self.live = None

    @contextlib.contextmanager
    def _plain_lines(self, name: str) -> Iterator[None]:
        ended = threading.Event()
        writer = threading.Thread(target=self._write_plain_lines, args=(name, ended), daemon=True)
        writer.start()
        try:
            yield
        finally:
            ended.set()
            writer.join()

    def _write_plain_lines(self, name: str, ended: threading.Event) -> None:
        """Write a line every PLAIN_INTERVAL, also where the stage tells nothing: nobody shall think that it hangs."""
        told = ""
        while not ended.wait(PLAIN_INTERVAL):
            latest = self.pace
            share = latest and f", {latest.partition(',')[0]}"
            still = f"still working ({clock(time.monotonic() - self.started)} so far){share}"
            self.info(f"Stage {name}: {still if latest == told else latest}")
            told = latest

    def _make_live(self) -> rich.progress.Progress:
        from rich.console import Console as RichConsole
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[pace]}"),
        )
        return Progress(*columns, console=RichConsole(file=self.stream), transient=True)

    def progress(self, progress: Progress) -> None:
        self.pace = pace(progress, time.monotonic() - self.started)
        if self.live and self.task is not None:
            self.live.update(self.task, completed=progress.done, total=progress.total, pace=self.pace)
