from __future__ import annotations

import pytest

from sutradhar.stages.recognisers.voting import choose_voters, vote


def test_voters_are_the_windows_that_speak_most_in_each_part_of_the_film() -> None:
    assert choose_voters([5, 9, 3, 30, 1, 2, 8, 8, 4, 20, 1, 7, 6, 6, 1, 2]) == [1, 3, 5, 6, 9, 11, 12, 15]
    assert choose_voters([100, 200, 300]) == [0, 1, 2]
    assert choose_voters([]) == []


def test_one_sure_window_does_not_outvote_the_rest() -> None:
    sure = {"en": 0.98, "hi": 0.01, "ur": 0.01}
    rest = {"en": 0.05, "hi": 0.65, "ur": 0.30}
    language, probability = vote([sure, rest, rest, rest, rest], [1, 1, 1, 1, 1])
    assert language == "hi"
    assert 0.4 < probability < 0.7


def test_a_window_counts_by_how_long_it_speaks() -> None:
    german, dutch = {"de": 0.8, "nl": 0.2}, {"de": 0.2, "nl": 0.8}
    assert vote([german, dutch], [2000, 9000])[0] == "nl"
    assert vote([german, dutch], [9000, 2000])[0] == "de"


def test_the_verdict_of_one_window_is_its_own() -> None:
    language, probability = vote([{"en": 0.7, "fr": 0.3}], [1000])
    assert (language, probability) == ("en", pytest.approx(0.7))


def test_no_window_rules_a_language_out_alone() -> None:
    assert (
        vote(
            [
                {"ta": 0.0, "te": 1.0},
                {"ta": 0.999, "te": 0.001},
                {"ta": 0.999, "te": 0.001},
                {"ta": 0.999, "te": 0.001},
            ],
            [1, 1, 1, 1],
        )[0]
        == "ta"
    )
