from __future__ import annotations

import numpy as np

from sutradhar.stages.recognisers.contract import AudioWindow
from sutradhar.stages.recognisers.whisper.fallback import Attempt
from sutradhar.stages.recognisers.whisper.omissions import Gap, cuts, explains, fill, find_gaps, join
from sutradhar.stages.recognisers.whisper.words import Timing
from sutradhar.stages.transcript import Likely, Span

START = 100_000


def window(*likely: tuple[int, int]) -> AudioWindow:
    """20 s from 100 s on; the times of likely speech are from its start."""
    audio = np.arange(20 * 16_000, dtype=np.float32)
    spans = tuple(Likely(START + begin, START + end, 0.5) for begin, end in likely)
    return AudioWindow(3, START, audio, (Span(START, START + 20_000),), "en", "Names", likely=spans)


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


def test_a_mark_does_not_account_for_speech() -> None:
    assert find_gaps(SAID, window((0, 6500))) == [Gap(4, 1150, 5850)]  # the question mark stays before it


def test_only_likely_speech_is_looked_at() -> None:
    assert find_gaps(SAID, window((0, 1200), (5800, 6500))) == []
    assert find_gaps(SAID, window((0, 2500), (4000, 6500))) == [Gap(4, 1150, 2500), Gap(4, 4000, 5850)]


def test_a_word_counts_for_as_long_as_it_can_be_said_before_its_end() -> None:
    said = timings((" Stuff", 0, 12_000), (" it", 12_000, 12_200))
    assert find_gaps(said, window((300, 12_200))) == [Gap(0, 300, 10_850)]


def test_speech_after_the_last_word_is_a_gap() -> None:
    assert find_gaps(timings((" Yes", 0, 400)), window((0, 5000), (6000, 6700))) == [Gap(1, 550, 5000)]


def test_a_window_without_words_is_looked_at_wherever_speech_is_likely() -> None:
    assert find_gaps([], window((500, 5000))) == [Gap(0, 500, 5000)]


def test_a_word_between_two_gaps_belongs_behind_both() -> None:
    said = timings((" Hi", 0, 400), (" Look", 4000, 4400), (",", 4400, 4500), (" I", 9000, 9200))
    (gap,) = find_gaps(said, window((0, 9200)))
    assert gap == Gap(1, 550, 8850)
    filled = fill(said, gap, timings((" Stay", 0, 500), (" in", 500, 900)), delay_ms=600)
    assert texts(filled) == " Hi Stay in Look, I"
    assert filled[3] == Timing(" Look", 8850, 9000, 0.9)


def test_a_sentence_between_two_gaps_parts_them() -> None:
    said = timings((" I", 4000, 4200), (" do", 4200, 4400), (" not", 4400, 4600))
    assert find_gaps(said, window((0, 9200))) == [Gap(0, 0, 3850), Gap(3, 4750, 9200)]


def test_words_explain_a_gap_that_they_fill() -> None:
    gap, found = Gap(0, 1000, 3000), timings((" Stay", 0, 800), (" here", 1100, 1400))
    assert explains(found, gap, delay_ms=800)
    assert not explains(found[:1], gap, delay_ms=800)


def test_the_sound_of_a_gap_is_padded_and_doubtful_and_then_without_its_edges() -> None:
    (part, delay_ms), (inner, inner_delay_ms) = cuts(window((0, 9000)), Gap(1, 1600, 6000))
    assert (delay_ms, inner_delay_ms, inner.offset_ms, inner.end_ms) == (1400, 2000, START + 2000, START + 5600)
    assert (part.id, part.offset_ms, part.end_ms) == (3, START + 1400, START + 6200)
    assert part.speech == (Span(START + 1400, START + 6200),)
    assert (part.audio[0], part.sure, part.likely, part.prompt) == (1400 * 16, False, (), "")
    at_the_end, _ = next(cuts(window((0, 20_000)), Gap(1, 100, 19_900)))
    assert (at_the_end.offset_ms, at_the_end.end_ms) == (START, START + 20_000)


def test_what_was_found_is_put_into_the_gap() -> None:
    found = timings((" Strong", 100, 500), (" passwords", 500, 900), (".", 900, 950))
    filled = fill(SAID, Gap(4, 1150, 5850), found, delay_ms=950)
    assert texts(filled) == " Whose is it? Strong passwords. Yes."
    assert filled[3:5] == timings(("?", 1000, 1150), (" Strong", 1050, 1450))


def test_a_long_word_begins_after_what_was_found_before_it() -> None:
    said = timings((" Stuff", 0, 12_000), (" it", 12_000, 12_200))
    filled = fill(said, Gap(0, 300, 10_850), timings((" Come", 0, 400)), delay_ms=100)
    assert filled == timings((" Come", 100, 500), (" Stuff", 11_000, 12_000), (" it", 12_000, 12_200))


def test_words_at_the_edges_are_not_said_twice() -> None:
    found = timings((" Is", 0, 100), (" it,", 100, 200), (" then", 200, 900), (" yes", 900, 1100), (".", 1100, 1150))
    assert texts(fill(SAID, Gap(4, 1150, 5850), found, delay_ms=1000)) == " Whose is it? then Yes."


def test_scores_are_joined_by_tokens() -> None:
    joined = join(Attempt((1, 2, 3), "", -0.2, 0.1, 0.0, 20), Attempt((4,), "", -0.8, 0.3, 0.0, 3))
    assert joined.tokens == (1, 2, 3, 4)
    assert round(joined.avg_logprob, 6) == -0.4
