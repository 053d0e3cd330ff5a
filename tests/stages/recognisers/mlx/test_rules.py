from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

pytest.importorskip("mlx_whisper", reason="MLX is not installed: ./install-mlx.sh")

import mlx.core as mx

from sutradhar.stages.recognisers.mlx.rules import LogitFilters, Timestamps, Vocabulary

# Tokens 0 to 4 are text, 5 ends it, 9 to 88 are times.
WORDS = Vocabulary(
    size=89, eot=5, sot=6, no_speech=7, no_timestamps=8, timestamp_begin=9, suppressed=(3, 6, 7), blank=(0, 5)
)
TEXT, SPECIAL, BEGIN, END = {0, 1, 2, 3, 4}, {5, 6, 7}, 9, 89
UNLIKELY_TIMES = [0.0] * BEGIN + [-20.0] * (END - BEGIN)


def left(logits: mx.array) -> set[int]:
    return set(np.flatnonzero(np.array(logits) > -np.inf).tolist())


def after(*texts: Sequence[int]) -> Timestamps:
    """Of a row whose beams have these texts, of one length."""
    timestamps = Timestamps.none(1, len(texts))
    for tokens in zip(*texts, strict=True):
        timestamps = timestamps.after(mx.array([tokens]), WORDS)
    return timestamps


def may_follow(*text: int, logits: Sequence[float] = UNLIKELY_TIMES) -> set[int]:
    return left(LogitFilters(WORDS).time(mx.array([[logits]]), mx.array([not text]), after(text))[0, 0])


def test_some_tokens_are_never_chosen() -> None:
    logits = LogitFilters(WORDS).suppress(mx.zeros((2, 1, WORDS.size)))
    assert [left(row) for row in logits[:, 0]] == [set(range(END)) - {3, 6, 7}] * 2


def test_a_text_begins_neither_with_a_blank_nor_with_its_end() -> None:
    logits = LogitFilters(WORDS).suppress_blank(mx.zeros((2, 1, WORDS.size)), mx.array([True, False]))
    assert left(logits[0, 0]) == set(range(END)) - {0, 5}
    assert left(logits[1, 0]) == set(range(END))


def test_a_timed_text_begins_with_a_time_within_the_first_second() -> None:
    assert may_follow() == set(range(BEGIN, BEGIN + 51))


def test_text_follows_the_first_time() -> None:
    assert may_follow(BEGIN) == TEXT | SPECIAL
    assert may_follow(BEGIN + 3) == TEXT | SPECIAL


def test_text_goes_on_or_ends_at_a_later_time() -> None:
    assert may_follow(BEGIN + 3, 1) == TEXT | SPECIAL | set(range(BEGIN + 4, END))
    assert may_follow(BEGIN + 3, 1, 2) == TEXT | SPECIAL | set(range(BEGIN + 4, END))


def test_a_time_that_ends_text_is_followed_by_one_that_begins_the_next_no_earlier_or_by_the_end() -> None:
    assert may_follow(BEGIN + 3, 1, BEGIN + 7) == SPECIAL | set(range(BEGIN + 7, END))


def test_text_follows_a_pair_of_times() -> None:
    assert may_follow(BEGIN + 3, 1, BEGIN + 7, BEGIN + 7) == TEXT | SPECIAL
    assert may_follow(BEGIN + 3, 1, BEGIN + 7, BEGIN + 9, 2) == TEXT | SPECIAL | set(range(BEGIN + 10, END))


def test_times_win_where_they_are_likelier_together_than_any_other_token() -> None:
    times = [-20.0] * (END - BEGIN)
    times[10], times[20] = np.log(0.3), np.log(0.3)  # 0.6 together
    for token in (2, WORDS.eot):
        likely, likelier = ([-20.0] * BEGIN for _ in range(2))
        likely[token], likelier[token] = np.log(0.59), np.log(0.61)
        assert may_follow(BEGIN, 1, logits=likely + times) == set(range(BEGIN + 1, END))
        assert may_follow(BEGIN, 1, logits=likelier + times) == TEXT | SPECIAL | set(range(BEGIN + 1, END))


def test_times_that_are_forbidden_do_not_count() -> None:
    times = [-20.0] * (END - BEGIN)
    times[4] = 5.0
    logits = [0.0] * BEGIN + times
    assert may_follow(BEGIN + 4, 1, logits=logits) == TEXT | SPECIAL | set(range(BEGIN + 5, END))
    assert may_follow(BEGIN + 3, 1, logits=logits) == set(range(BEGIN + 4, END))


def test_every_beam_has_its_own_past() -> None:
    timestamps = after([BEGIN + 3, 1, BEGIN + 7], [BEGIN + 3, 1, 2])
    logits = LogitFilters(WORDS).time(mx.array([[UNLIKELY_TIMES] * 2]), mx.array([False]), timestamps)
    assert left(logits[0, 0]) == SPECIAL | set(range(BEGIN + 7, END))
    assert left(logits[0, 1]) == TEXT | SPECIAL | set(range(BEGIN + 4, END))
