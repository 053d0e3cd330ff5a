from __future__ import annotations

import contextlib
import io
import re
import threading
import time
from pathlib import Path

import pytest

from sutradhar.pipeline.console import Console, LogText, clock, pace
from sutradhar.pipeline.progress import Progress


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.4, "0:59"), (59.6, "1:00"), (3725, "1:02:05")])
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_pace_tells_share_speed_and_time_left() -> None:
    assert pace(Progress(30, 120), 10) == "25 %, 3.0x real time, 0:30 left"
    assert pace(Progress(120, 120), 10) == "100 %, 12.0x real time"
    assert pace(Progress(30, 120, left=75.0), 10) == "25 %, 3.0x real time, 1:15 left"
    assert pace(Progress(0, 120), 0) == "0 %, 0.0x real time"
    assert (
        pace(Progress(60, 120, already=30, note="2 of 9 files", now="now 4.0x"), 10)
        == "50 %, 3.0x real time, 0:20 left (2 of 9 files, now 4.0x)"
    )


def test_lines_go_to_the_stream_and_with_the_time_to_the_log(tmp_path: Path) -> None:
    stream = io.StringIO()
    console = Console(stream)
    with console.logging_to(tmp_path / "log"):
        console.info("[x] is not markup")
        console.warn("careful")
    console.error("after")
    assert stream.getvalue() == "[INFO] [x] is not markup\n[WARN] careful\n[ERROR] after\n"
    assert [line[20:] for line in (tmp_path / "log").read_text().splitlines()] == [
        "[INFO] [x] is not markup",
        "[WARN] careful",
    ]


def test_what_was_foretold_is_for_the_log_alone(tmp_path: Path) -> None:
    stream = io.StringIO()
    console = Console(stream)
    console.foretold.add("mp4 cannot hold it")
    with console.logging_to(tmp_path / "log"):
        console.warn_of_deed("mp4 cannot hold it")
        console.warn_of_deed("damaged")
    assert stream.getvalue() == "[WARN] damaged\n"
    assert [line[20:] for line in (tmp_path / "log").read_text().splitlines()] == [
        "[WARN] mp4 cannot hold it",
        "[WARN] damaged",
    ]


def test_text_from_outside_is_escaped_in_all_that_is_shown_and_logged(tmp_path: Path) -> None:
    stream = io.StringIO()
    console = Console(stream)
    with console.logging_to(tmp_path / "log"):
        console.warn("track \x1b]0;gotcha\x07\u202e\nsecond")
        console.print("file\r\x1b[2K")
    assert stream.getvalue() == "[WARN] track \\x1b]0;gotcha\\x07\\u202e\\nsecond\nfile\\r\\x1b[2K\n"
    assert (tmp_path / "log").read_text()[20:] == "[WARN] track \\x1b]0;gotcha\\x07\\u202e\\nsecond\n"
    assert pace(Progress(30, 120, note="\x1b[1m"), 0) == r"25 %, 0.0x real time (\x1b[1m)"


def test_a_log_of_what_libraries_print_keeps_its_lines_and_escapes_the_rest() -> None:
    log = io.BytesIO()
    with LogText(log) as text:
        print("Traceback:\n  'a\x1b[31m\udcff'", file=text)
        said = log.getvalue()
    assert said == b"Traceback:\n  'a\\x1b[31m\\xff'\n"


def test_without_a_terminal_a_line_tells_now_and_then_how_far_it_is_or_that_it_still_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sutradhar.pipeline.console.PLAIN_INTERVAL", 0.05)
    stream = io.StringIO()
    console = Console(stream)
    with console.stage("asr"):
        wait_for_lines(stream, 1)
        console.progress(Progress(31, 100))
        wait_for_lines(stream, 3)
    said = stream.getvalue()
    time.sleep(0.15)
    assert stream.getvalue() == said
    first, second, third = said.splitlines()[:3]
    assert re.fullmatch(r"\[INFO\] Stage asr: still working \(0:0\d so far\)", first)
    assert re.fullmatch(r"\[INFO\] Stage asr: 31 %, \d+\.\dx real time, \d:\d\d left", second)
    assert re.fullmatch(r"\[INFO\] Stage asr: still working \(0:0\d so far\), 31 %", third)


def wait_for_lines(stream: io.StringIO, count: int) -> None:
    deadline = time.monotonic() + 10
    while stream.getvalue().count("\n") < count:
        assert time.monotonic() < deadline, stream.getvalue()
        time.sleep(0.005)


class SlowStream(io.StringIO):
    def write(self, text: str) -> int:
        time.sleep(0.001)
        return super().write(text)


def test_lines_of_two_threads_do_not_mix() -> None:
    stream = SlowStream()
    console = Console(stream)

    def speak() -> None:
        for _ in range(10):
            console.info("x" * 50)

    threads = [threading.Thread(target=speak) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(stream.getvalue().splitlines()) == {f"[INFO] {'x' * 50}"}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_one_live_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    console = Console(stream)
    with console.stage("asr"):
        console.progress(Progress(50, 100))
        console.info("a note above it")
    assert "asr" in stream.getvalue()
    assert "50 %" in stream.getvalue()
    assert "[INFO] a note above it" in stream.getvalue()


def test_a_stream_that_is_gone_does_not_matter() -> None:
    with open("/dev/full", "w") as full:
        console = Console(full)
        console.info("x" * 100_000)
        console.print("still here")
        full.truncate = lambda *_: 0  # type: ignore[method-assign]
        with contextlib.suppress(OSError):
            full.close()
