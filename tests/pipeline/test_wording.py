from __future__ import annotations

from pipeline.wording import counted


def test_counted() -> None:
    assert [counted(number, "window") for number in (0, 1, 2)] == ["0 windows", "1 window", "2 windows"]
