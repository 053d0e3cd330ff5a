from __future__ import annotations

import pytest

from sutradhar.pipeline.errors import UsageError
from sutradhar.stages.alignment.edges import check, on_edges, words_on_edges
from sutradhar.stages.transcript import Segment, Span, Word

CLIP = Span(0, 10_000)


def times(words: list[tuple[int, int]], quiet: list[tuple[int, int]], early_ms: int = 0) -> list[tuple[int, int]]:
    given = [Word(f" w{number}", *time, 0.9) for number, time in enumerate(words)]
    better = words_on_edges(given, [Span(*one) for one in quiet], CLIP, early_ms)
    assert [word.text for word in better] == [word.text for word in given]
    return [(word.start_ms, word.end_ms) for word in better]


def test_words_between_words_only_lose_the_bias() -> None:
    assert times([(1000, 1300), (1300, 1600)], [], early_ms=45) == [(1045, 1345), (1345, 1645)]


def test_at_a_pause_words_end_and_begin_with_the_sound() -> None:
    assert times([(1000, 1600), (1600, 2400)], [(1400, 1900)]) == [(1000, 1400), (1880, 2400)]


def test_the_first_word_begins_and_the_last_ends_with_the_sound() -> None:
    assert times([(800, 1500)], [(0, 1000), (1400, 10_000)]) == [(980, 1400)]


def test_a_noise_in_a_pause_belongs_to_no_word() -> None:
    assert times([(1000, 1600), (1900, 2400)], [(1400, 1650), (1700, 2000)]) == [(1000, 1400), (1980, 2400)]


def test_no_edge_moves_far() -> None:
    assert times([(1000, 1300), (1300, 1700)], [(700, 800), (1200, 1750)]) == [(1000, 1200), (1300, 1700)]


def test_words_that_nothing_quiet_parts_are_left_alone() -> None:
    assert times([(1000, 1600), (1600, 2200)], [(3000, 9000)]) == [(1000, 1600), (1600, 2200)]


def test_a_word_that_takes_seconds_is_as_long_as_its_speech() -> None:
    assert times([(1000, 4000), (4000, 4300)], [(1500, 1900), (2900, 3500)]) == [(1900, 2900), (4000, 4300)]


def test_words_without_length_are_spread_over_the_sound_around_them() -> None:
    words = [(1000, 1400), (2500, 2520), (2520, 2540), (3600, 3900)]
    assert times(words, [(1400, 1700), (3300, 3600)]) == [(1000, 1400), (2100, 2520), (2520, 2940), (3580, 3900)]


def test_words_without_length_share_the_time_of_those_that_touch_them() -> None:
    words = [(1000, 1600), (1600, 1620), (1620, 1640), (1640, 2200)]
    assert times(words, []) == [(1000, 1300), (1300, 1600), (1600, 1900), (1900, 2200)]


def test_words_stay_in_order_and_inside_the_clip() -> None:
    assert times([(9000, 9500), (9500, 9990)], [], early_ms=45) == [(9045, 9534), (9534, 10_000)]


def test_each_speaker_has_a_sound_of_his_own() -> None:
    one, other = (
        Segment(
            number, 1000, 1600, "hey", (Word(" hey", 1000, 1600, 0.9),), "en", 1.0, -0.2, 0.0, 1.2, 0.0, speaker=speaker
        )
        for number, speaker in enumerate("12")
    )
    quiet = {"1": (Span(0, 1200),), "2": (Span(1300, 5000),)}
    found = on_edges((one, other), quiet, CLIP, 0)
    assert [(segment.speaker, segment.start_ms, segment.end_ms) for segment in found] == [
        ("1", 1180, 1600),
        ("2", 1000, 1300),
    ]
    assert found[0].words == (Word(" hey", 1180, 1600, 0.9),)


def test_a_folder_is_refused_where_nothing_aligns_with_a_model() -> None:
    with pytest.raises(UsageError, match="ALIGNMENT_MODEL=align-en: only films are aligned by a model"):
        check("align-en")
