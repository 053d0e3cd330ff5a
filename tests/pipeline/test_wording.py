from __future__ import annotations

import pytest

from pipeline.wording import counted, size


def test_counted() -> None:
    assert [counted(number, "window") for number in (0, 1, 2)] == ["0 windows", "1 window", "2 windows"]


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0.0 MB"), (870_000, "0.9 MB"), (134_400_000, "134 MB"), (999_000_000, "999 MB"), (3_086_000_000, "3.1 GB")]
)
def test_sizes_below_a_gigabyte_are_in_megabytes(count: int, words: str) -> None:
    assert size(count) == words
