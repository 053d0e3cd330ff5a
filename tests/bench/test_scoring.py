from __future__ import annotations

from bench.scoring import Rates, figures, rates


def test_rates_are_of_all_files_together() -> None:
    assert rates(["It's two cats.", "no"], ["it is 2 bats", ""], "en") == Rates(40.0, 3 / 14 * 100)
    assert rates(["मैं, हूँ।"], ["मैं हूँ"], "hi") == Rates(0.0, 0.0)


def test_files_in_which_nothing_is_said_count_for_nothing() -> None:
    assert rates(["", "no"], ["thank you", "no"], "en") == Rates(0.0, 0.0)


def test_differences_are_over_files() -> None:
    said, first, other = ["yes sir"] * 6, ["yes sir"] * 6, ["yes"] * 6
    difference = figures(said, other, "en")["wer"].difference(figures(said, first, "en")["wer"])
    assert difference == (50.0, 50.0, 50.0)
