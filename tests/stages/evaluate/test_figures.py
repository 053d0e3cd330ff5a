from __future__ import annotations

from sutradhar.stages.evaluate.figures import Addend, ratio


def test_a_ratio_is_that_of_sums() -> None:
    assert ratio("wer", "WER", [Addend(1, 2), Addend(0, 8)]).value == 10
    assert ratio("wer", "WER", [Addend(1, 0)]).value is None


def test_the_interval_is_about_that_of_the_normal_distribution() -> None:
    figure = ratio("wer", "WER", [Addend(number % 5 == 0, 1) for number in range(400)])
    assert figure.value == 20
    assert figure.interval is not None
    low, high = figure.interval
    assert abs(low - 16.1) < 0.5  # 20 - 1.96 * sqrt(20 * 80 / 400)
    assert abs(high - 23.9) < 0.5


def test_few_parts_have_no_interval() -> None:
    figure = ratio("wer", "WER", [Addend(1, 4)] * 4)
    assert figure.interval is None
    assert figure.difference(figure) is None


def test_differences_are_drawn_in_pairs() -> None:
    """One that has an error more in every unit is surely worse, however much the units differ."""
    first = ratio("wer", "WER", [Addend(number, 10) for number in range(10)])
    other = ratio("wer", "WER", [Addend(number + 1, 10) for number in range(10)])
    found = other.difference(first)
    assert found is not None
    assert [round(number, 6) for number in found] == [10, 10, 10]
