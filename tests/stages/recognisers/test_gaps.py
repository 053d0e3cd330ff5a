from __future__ import annotations

import pytest

from sutradhar.stages.recognisers.gaps import unheard, without_words
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
