from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.timecode import format_ms, parse_ms


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("0", 0),
        ("90", 90_000),
        ("90.5", 90_500),
        ("1:30", 90_000),
        ("90:00", 5_400_000),
        ("00:01:30.500", 90_500),
        ("00:01:30,5", 90_500),
        ("01:00:00.007", 3_600_007),
        (" 2:03 ", 123_000),
        ("100:00:00", 360_000_000),
    ],
)
def test_reads_what_people_write(text: str, milliseconds: int) -> None:
    assert parse_ms(text) == milliseconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-5",
        "1:60",
        "1:60:00",
        "1:2:3:4",
        "1h30",
        "10:",
        ":10",
        "1.2345",
        "1e3",
        "inf",
        "९०",
        "1:-2",
        "00:00:01.5\n2",
    ],
)
def test_refuses_anything_else_in_one_line(text: str) -> None:
    with pytest.raises(UsageError, match="is not a time") as refusal:
        parse_ms(text)
    assert "\n" not in str(refusal.value)


def test_formats_hours_minutes_seconds() -> None:
    assert format_ms(90_500) == "00:01:30.500"
    assert format_ms(360_000_000) == "100:00:00.000"


@given(st.integers(0, 10**9))
def test_reads_back_what_it_formats(milliseconds: int) -> None:
    assert parse_ms(format_ms(milliseconds)) == milliseconds
