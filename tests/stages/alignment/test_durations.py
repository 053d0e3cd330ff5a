from __future__ import annotations

import numpy as np
import pytest

from sutradhar.stages.alignment.durations import WEIGHT, weighed
from sutradhar.stages.transcript import Word


def times(*words: tuple[str, int, int]) -> list[tuple[int, int]]:
    return [(word.start_ms, word.end_ms) for word in weighed([Word(*word, 0.9) for word in words])]


def test_a_bound_moves_towards_the_durations_that_letters_lead_one_to_expect() -> None:
    assert times((" potatoes,", 1000, 1300), (" and", 1300, 1520)) == [(1000, 1332), (1332, 1520)]


def test_likely_durations_stay() -> None:
    assert times((" was", 1000, 1200), (" his", 1200, 1400)) == [(1000, 1200), (1200, 1400)]


def test_no_bound_moves_far() -> None:
    assert times((" he", 1000, 2000), (" counselled", 2000, 2200)) == [(1000, 1920), (1920, 2200)]


def test_words_apart_are_left_alone() -> None:
    assert times((" potatoes", 1000, 1300), (" and", 1310, 1520)) == [(1000, 1300), (1310, 1520)]
    assert times() == []


def test_the_bounds_are_those_of_the_least_squares() -> None:
    bounds = [1000, 1190, 1420, 1610, 1800]
    words = [" one", " fine", " old", " book"]
    found = times(*zip(words, bounds, bounds[1:], strict=False))
    expected = np.array([4, 5, 4, 5]) * 800 / 18
    weights = np.sqrt(WEIGHT * 200 / expected)
    durations = np.diff(np.eye(5)[:, 1:4], axis=0) * weights[:, None]
    given = weights * (expected - np.diff([1000, 0, 0, 0, 1800]))
    solution = np.linalg.lstsq(np.vstack([np.eye(3), durations]), np.concatenate([bounds[1:4], given]), rcond=None)[0]
    assert [end for _, end in found[:-1]] == pytest.approx(solution, abs=1)
