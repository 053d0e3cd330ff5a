from __future__ import annotations

import pytest

from sutradhar.stages.recognisers.gaps import is_much, unheard, without_words
from sutradhar.stages.transcript import Likely, Segment, Span, Window, Word


def word(text: str, start_ms: int, end_ms: int) -> Word:
    return Word(text, start_ms, end_ms, 0.9)


@pytest.mark.parametrize(
    ("said", "left"),
    [
        (word(" yes", 1000, 1400), [(0, 850), (1550, 5000)]),
        (word(" yes", 0, 4000), [(0, 4000 - 400 - 3 * 120 - 150), (4150, 5000)]),
        (word(" yes", 4900, 5200), [(0, 4750)]),
        (word(" yes", 100, 300), [(450, 5000)]),
        (word(" yes", 6000, 6400), [(0, 5000)]),
        (word("?", 1000, 4000), [(0, 5000)]),
    ],
    ids=["inside", "too long", "at the end", "at the beginning", "elsewhere", "a mark"],
)
def test_a_word_takes_its_time_and_a_margin_of_a_span(said: Word, left: list[tuple[int, int]]) -> None:
    assert [(span.start_ms, span.end_ms) for span in without_words([Span(0, 5000)], [said])] == left


def test_likely_speech_without_words_is_unheard_unless_it_is_shorter_than_a_word() -> None:
    windows = [
        Window(0, 0, 9000, (), (Likely(0, 2000, 0.8), Likely(3000, 9000, 0.5))),
        Window(1, 20_000, 30_000, (), (Likely(20_000, 29_000, 0.4),), sure=False),
    ]
    words = (word("Do", 0, 300), word(" you", 900, 1450), word(" live", 3100, 8000), word(" here", 28_000, 29_000))
    segment = Segment(0, 0, 9000, "", words, "en", 1.0, -0.1, 0.0, 1.0, 0.0)
    assert unheard(windows, [segment]) == (
        Likely(1600, 2000, 0.8),
        Likely(3000, 8000 - 400 - 4 * 120 - 150, 0.5),
        Likely(8150, 9000, 0.5),
        Likely(20_000, 29_000 - 400 - 4 * 120 - 150, 0.4),
    )


def test_sound_that_windows_share_is_unheard_once() -> None:
    windows = [
        Window(0, 0, 30_000, (), (Likely(20_000, 30_000, 0.8),)),
        Window(1, 28_000, 50_000, (), (Likely(28_000, 40_000, 0.7),)),
    ]
    assert unheard(windows, []) == (Likely(20_000, 30_000, 0.8), Likely(30_000, 40_000, 0.7))


def test_words_of_one_speaker_do_not_stand_for_anothers() -> None:
    windows = [
        Window(number, 0, 5000, (), (Likely(0, 2000, 0.9),), speaker=name) for number, name in enumerate(["1", "2"])
    ]
    segment = Segment(0, 0, 2000, "", (word(" unquestionably", 0, 2000),), "en", 1.0, -0.1, 0.0, 1.0, 0.0, speaker="1")
    assert unheard(windows, [segment]) == (Likely(0, 2000, 0.9),)


@pytest.mark.parametrize(("lost_ms", "speech_ms", "much"), [(3000, 150_000, True), (2999, 9000, False)])
def test_three_seconds_and_two_percent_are_much(lost_ms: int, speech_ms: int, much: bool) -> None:
    lost = (Likely(0, lost_ms, 0.9),)
    assert is_much(lost, [Window(0, 0, speech_ms, (Span(0, speech_ms),))]) == much
    assert not is_much(lost, [Window(0, 0, 200_000, (Span(0, 200_000),))])
