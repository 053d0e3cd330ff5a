from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sutradhar.stages.recognisers.contract import AudioWindow
from sutradhar.stages.recognisers.whisper.timestamps import split_at_timestamps, timestamped_phrases
from sutradhar.stages.transcript import Span

T0 = 1000  # <|0.00|>
VOCABULARY = {1: " I'll", 2: " come", 3: " back", 4: ".", 5: " Wait"}


def at(seconds: float) -> int:
    return T0 + round(seconds / 0.02)


def decode(tokens: Sequence[int]) -> str:
    return "".join(VOCABULARY[token] for token in tokens)


def test_text_lies_between_its_timestamps() -> None:
    tokens = [at(0.5), 1, 2, at(2), at(3), 5, at(4.5)]
    assert split_at_timestamps(tokens, T0) == [(500, 2000, [1, 2]), (3000, 4500, [5])]


def test_text_that_was_cut_off_has_no_end() -> None:
    assert split_at_timestamps([at(0), 1, at(1), at(1), 5], T0) == [(0, 1000, [1]), (1000, None, [5])]
    assert split_at_timestamps([at(0.5)], T0) == []


def window(seconds: float, *speech: tuple[int, int]) -> AudioWindow:
    return AudioWindow(0, 60_000, np.zeros(round(seconds * 16_000), np.float32), tuple(Span(*span) for span in speech))


def test_words_share_the_speech_of_their_phrase() -> None:
    tokens = [at(0), 1, 2, 3, 4, at(4), at(6), 5, at(8)]
    first, second = timestamped_phrases(tokens, T0, decode, window(8, (61_000, 63_000), (66_500, 68_000)), 0.8)
    assert [word.text for word in first] == [" I'll", " come", " back."]
    assert (first[0].start_ms, first[-1].end_ms) == (61_000, 63_000)
    assert [(word.text, word.start_ms, word.end_ms) for word in second] == [(" Wait", 66_500, 68_000)]
    assert {word.probability for word in (*first, *second)} == {0.8}


def test_times_past_the_window_stay_inside_it() -> None:
    (phrase,) = timestamped_phrases([at(0.5), 5, at(29)], T0, decode, window(2, (60_000, 62_000)), 0.8)
    assert (phrase[0].start_ms, phrase[-1].end_ms) == (60_500, 62_000)


def test_a_phrase_where_nobody_was_heard_keeps_its_own_times() -> None:
    (phrase,) = timestamped_phrases([at(3), 5, at(4)], T0, decode, window(8, (60_000, 61_000)), 0.8)
    assert (phrase[0].start_ms, phrase[0].end_ms) == (63_000, 64_000)
