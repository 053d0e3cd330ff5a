from __future__ import annotations

import pytest

from sutradhar.stages.recognisers.contract import Recognition
from sutradhar.stages.recognisers.joins import segments_of_windows
from sutradhar.stages.transcript import Span, Window, Word


def window(number: int, start_ms: int, end_ms: int, speaker: str = "") -> Window:
    return Window(number, start_ms, end_ms, (Span(start_ms, end_ms),), speaker=speaker)


def heard(one: Window, text: str, *starts_ms: int) -> tuple[Window, Recognition]:
    """A text of one phrase, whose words take 300 ms each."""
    words = tuple(
        Word(f" {word}", start, start + 300, 0.9) for word, start in zip(text.split(), starts_ms, strict=True)
    )
    return one, Recognition(one.id, text, "en", 1.0, (words,) if words else (), 0.9)


def joined(*pairs: tuple[Window, Recognition]) -> list[str]:
    return [segment.text for segment in segments_of_windows(pairs)]


FIRST, SECOND = window(0, 0, 23_000), window(1, 21_000, 40_000)  # cut at 22 s


def test_words_in_the_sound_that_both_windows_have_are_taken_once() -> None:
    first = heard(FIRST, "we went over the hill", 20_500, 20_900, 21_300, 21_800, 22_300)
    second = heard(SECOND, "over the hill and home", 21_340, 21_780, 22_360, 23_400, 23_800)
    assert joined(first, second) == ["we went over the", "hill and home"]


def test_a_word_that_the_end_of_one_cuts_off_comes_from_the_other() -> None:
    first = heard(FIRST, "he is under", 21_300, 21_800, 22_650)
    second = heard(SECOND, "is is understanding it", 21_000, 21_850, 22_500, 23_200)
    assert joined(first, second) == ["he is", "understanding it"]


def test_the_same_word_said_twice_is_told_apart_by_its_time() -> None:
    first = heard(FIRST, "no no no", 21_000, 21_700, 22_400)
    second = heard(SECOND, "no no no stop", 21_060, 21_740, 22_420, 23_100)
    assert joined(first, second) == ["no no", "no stop"]


def test_where_no_word_is_the_same_the_middle_parts_them() -> None:
    first = heard(FIRST, "a tale of", 21_000, 21_500, 22_100)
    second = heard(SECOND, "entail love dogs", 21_200, 22_200, 23_000)
    assert joined(first, second) == ["a tale", "love dogs"]


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        ([("last", 22_200)], [], ["last"]),
        ([], [("first", 21_200)], ["first"]),
        ([("colour", 22_100)], [("red", 22_900)], ["colour", "red"]),
        ([("colour", 22_100)], [("color", 21_800)], ["colour"]),
        ([("go", 21_200), ("colour", 21_700)], [("color", 22_050), ("red", 22_500)], ["go colour", "red"]),
        ([("tale", 22_300)], [("entail", 21_900), ("love", 22_800)], ["entail love"]),
    ],
)
def test_no_word_is_lost_or_doubled_where_windows_disagree(
    first: list[tuple[str, int]], second: list[tuple[str, int]], both: list[str]
) -> None:
    assert joined(*(_heard(one, words) for one, words in ((FIRST, first), (SECOND, second)))) == both


def _heard(one: Window, words: list[tuple[str, int]]) -> tuple[Window, Recognition]:
    return heard(one, " ".join(text for text, _ in words), *(start for _, start in words))


def test_the_same_word_at_another_time_parts_nothing() -> None:
    first = heard(FIRST, "yes he said", 21_100, 21_400, 21_700)
    assert joined(first, heard(SECOND, "go yes", 22_100, 22_600)) == ["yes he said", "go yes"]


def test_the_same_word_outside_the_sound_that_both_have_parts_nothing() -> None:
    first = heard(FIRST, "well we", 20_500, 21_600)
    assert joined(first, heard(SECOND, "well go", 20_900, 22_300)) == ["well we", "go"]


def test_windows_that_share_no_sound_are_left_alone() -> None:
    first, second = window(0, 0, 21_000), window(1, 21_000, 30_000)
    assert joined(heard(first, "yes", 20_700), heard(second, "yes", 21_000)) == ["yes", "yes"]


@pytest.mark.parametrize("speakers", [("1", "2"), ("2", "1")])
def test_speakers_are_joined_apart_and_ordered_by_time(speakers: tuple[str, str]) -> None:
    late, early = window(0, 0, 23_000, speakers[0]), window(1, 0, 23_000, speakers[1])
    found = segments_of_windows([heard(late, "well", 21_600), heard(early, "well", 21_500)])
    assert [(segment.id, segment.speaker, segment.start_ms) for segment in found] == [
        (0, speakers[1], 21_500),
        (1, speakers[0], 21_600),
    ]


def test_a_window_whose_words_are_all_the_neighbours_makes_no_segment() -> None:
    first = heard(FIRST, "over", 22_400)
    second = heard(SECOND, "over here", 22_420, 23_100)
    assert joined(first, second) == ["over", "here"]
    assert joined(first, heard(SECOND, "over", 22_420)) == ["over"]
