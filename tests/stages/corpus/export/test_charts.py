from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from sutradhar.stages.corpus.export.charts import histogram


def heights(chart: str) -> list[float]:
    return [float(height) for height in re.findall(r'<rect [^>]*height="([\d.]+)"', chart)]


def test_bars_stand_at_their_values_and_the_axes_tell_the_ends_and_the_largest_count() -> None:
    svg = ElementTree.fromstring(histogram("Speed", [10, 100, 100, 1000], "{:g}x".format, logarithmic=True)).find("svg")
    assert svg is not None
    assert (svg.get("width"), svg.get("height"), svg.get("viewBox")) == ("312", "150", "0 0 312 150")
    assert svg.get("aria-label") == "Speed: 10x to 1000x, median 100x"
    assert [text.text for text in svg.iter("text")] == ["10x", "median 100x", "1000x", "2", "0"]
    assert [(bar.get("x"), bar.get("height")) for bar in svg.iter("rect")] == [
        ("45.0", "60.0"),
        ("179.0", "120.0"),
        ("301.8", "60.0"),
    ]


def test_equal_values_are_one_bar() -> None:
    assert heights(histogram("x", [90.0, 90.0], str)) == [120.0]


@pytest.mark.parametrize(
    ("value", "logarithmic"), [(float("nan"), False), (float("-inf"), False), (float("inf"), True), (0.0, True)]
)
def test_values_that_are_no_numbers_have_no_bar(value: float, logarithmic: bool) -> None:
    assert histogram("x", [value], str, logarithmic=logarithmic) == ""
    assert heights(histogram("x", [value, 1.0], str, logarithmic=logarithmic)) == [120.0]
