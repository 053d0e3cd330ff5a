from __future__ import annotations

from stages.asr.words import snap_to_speech
from stages.transcript import Span, Word

SPEECH = (Span(1000, 5000), Span(9000, 12_000))


def snapped(start_ms: int, end_ms: int) -> tuple[int, int]:
    (word,) = snap_to_speech([Word(" so", start_ms, end_ms, 0.9)], SPEECH)
    return word.start_ms, word.end_ms


def test_a_word_in_speech_stays() -> None:
    assert snapped(2000, 2400) == (2000, 2400)


def test_a_word_without_length_stays_where_it_is() -> None:
    assert snapped(3000, 3000) == (3000, 3000)


def test_a_word_that_reaches_into_silence_is_clipped() -> None:
    assert snapped(4800, 7000) == (4800, 5000)
    assert snapped(500, 1300) == (1000, 1300)


def test_a_word_in_silence_moves_to_the_nearest_speech() -> None:
    assert snapped(5500, 5900) == (4600, 5000)
    assert snapped(8500, 8900) == (9000, 9400)
