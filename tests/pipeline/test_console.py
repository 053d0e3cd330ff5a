from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest

from pipeline.console import Console, clock, pace


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.4, "0:59"), (59.6, "1:00"), (3725, "1:02:05")])
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_pace_tells_share_speed_and_time_left() -> None:
    assert pace(30, 120, 10) == "25 %, 3.0x real time, 0:30 left"
    assert pace(120, 120, 10) == "100 %, 12.0x real time"
    assert pace(0, 120, 0) == "0 %, 0.0x real time"


def test_lines_go_to_the_stream_and_with_the_time_to_the_log(tmp_path: Path) -> None:
    stream = io.StringIO()
    console = Console(stream)
    with console.logging_to(tmp_path / "log"):
        console.info("[x] is not markup")
        console.warn("careful")
    console.error("after")
    assert stream.getvalue() == "[INFO] [x] is not markup\n[WARN] careful\n[ERROR] after\n"
    assert [line[20:] for line in (tmp_path / "log").read_text().splitlines()] == ["[INFO] [x] is not markup", "[WARN] careful"]


def test_progress_without_a_terminal_is_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    console = Console(stream)
    now = iter([0.0, 10.0, 31.0, 32.0])
    monkeypatch.setattr("time.monotonic", lambda: next(now))
    with console.stage("asr"):
        for done in (10, 31, 32):
            console.progress("asr", done, 100)
    assert stream.getvalue() == "[INFO] Stage asr: 31 %, 1.0x real time, 1:09 left\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_one_live_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    console = Console(stream)
    with console.stage("asr"):
        console.progress("asr", 50, 100)
        console.info("a note above it")
    assert "asr" in stream.getvalue()
    assert "50 %" in stream.getvalue()
    assert "[INFO] a note above it" in stream.getvalue()


def test_a_stream_that_is_gone_does_not_matter() -> None:
    with open("/dev/full", "w") as full:
        console = Console(full)
        console.info("x" * 100_000)
        console.print("still here")
        full.truncate = lambda *_: 0  # type: ignore[method-assign, assignment]
        with contextlib.suppress(OSError):
            full.close()
