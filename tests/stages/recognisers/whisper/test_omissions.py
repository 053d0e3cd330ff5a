from __future__ import annotations

import numpy as np

from sutradhar.stages.recognisers.contract import AudioWindow
from sutradhar.stages.recognisers.whisper.fallback import Attempt
from sutradhar.stages.recognisers.whisper.omissions import Gap, cut_out, fill, find_gaps, join
from sutradhar.stages.recognisers.whisper.words import Timing
from sutradhar.stages.transcript import Span

START = 100_000


def window(*speech: tuple[int, int]) -> AudioWindow:
    """20 s from 100 s on; the times of speech are from its start."""
    audio = np.arange(20 * 16_000, dtype=np.float32)
    return AudioWindow(3, START, audio, tuple(Span(START + begin, START + end) for begin, end in speech))


def timings(*words: tuple[str, int, int]) -> list[Timing]:
    return [Timing(text, start, end, 0.9) for text, start, end in words]


def texts(made: list[Timing]) -> str:
    return "".join(timing.text for timing in made)


SAID = timings(
    (" Whose", 0, 400),
    (" is", 400, 700),
    (" it", 700, 1000),
    ("?", 1000, 6000),
    (" Yes", 6000, 6400),
    (".", 6400, 6500),
)


def test_a_mark_that_takes_seconds_of_speech_hides_some() -> None:
    assert find_gaps(SAID, window((0, 6500))) == [Gap(4, 4, 1000, 6000)]  # the question mark stays


def test_a_mark_that_takes_seconds_of_silence_hides_nothing() -> None:
    assert find_gaps(SAID, window((0, 1200), (5800, 6500))) == []


def test_a_word_that_takes_too_long_is_looked_at_with_its_slow_neighbours() -> None:
    said = timings((" The", 0, 200), (" earliest", 200, 4000), (",", 4000, 5200), (" printed", 5200, 5700))
    assert find_gaps(said, window((0, 5700))) == [Gap(1, 3, 200, 5200)]


def test_speech_after_the_last_word_is_a_gap() -> None:
    assert find_gaps(timings((" Yes", 0, 400)), window((0, 5000), (6000, 9000))) == [Gap(1, 1, 400, 20_000)]


def test_slow_words_are_no_gap() -> None:
    assert find_gaps(timings((" unbelievable", 0, 2500), (" so", 2500, 3500)), window((0, 3500))) == []


def test_the_sound_of_a_gap_is_its_speech() -> None:
    part = cut_out(window((0, 1500), (2000, 5000), (5500, 9000)), Gap(1, 1, 1600, 6000))
    assert (part.id, part.offset_ms, part.end_ms) == (3, START + 2000, START + 6000)
    assert part.speech == (Span(START + 2000, START + 5000), Span(START + 5500, START + 6000))
    assert part.audio[0] == 2000 * 16


def test_what_was_found_takes_the_place_of_the_gap() -> None:
    found = timings((" Strong", 100, 500), (" passwords", 500, 900), (".", 900, 950))
    filled = fill(SAID, Gap(4, 4, 1000, 6000), found, delay_ms=1000)
    assert texts(filled) == " Whose is it? Strong passwords. Yes."
    assert filled[4] == Timing(" Strong", 1100, 1500, 0.9)


def test_words_at_the_edges_are_not_said_twice() -> None:
    found = timings((" It,", 0, 200), (" then", 200, 900), (" yes", 900, 1100))
    assert texts(fill([*SAID[:3], *SAID[4:]], Gap(3, 3, 1000, 6000), found, delay_ms=1000)) == " Whose is it then Yes."


def test_a_word_that_was_not_found_again_stays_where_its_sentence_is() -> None:
    said = timings((" Go", 0, 300), (".", 300, 400), (" We", 400, 5000), (" always", 5000, 5400))
    found = timings((" He", 0, 300), (" left", 300, 700), (".", 700, 750))
    filled = fill(said, Gap(2, 3, 400, 5000), found, delay_ms=400)
    assert texts(filled) == " Go. He left. We always"
    assert (filled[5].start_ms, filled[5].end_ms) == (5000 - 400 - 2 * 120, 5000)
    assert texts(fill(said[2:], Gap(1, 2, 5000, 9000), found, delay_ms=5000)) == " We always He left."


def test_scores_are_joined_by_tokens() -> None:
    joined = join(Attempt((1, 2, 3), "", -0.2, 0.1, 0.0, 20), Attempt((4,), "", -0.8, 0.3, 0.0, 3))
    assert joined.tokens == (1, 2, 3, 4)
    assert round(joined.avg_logprob, 6) == -0.4
