from __future__ import annotations

from itertools import pairwise

import pytest
import tokenizers
from faster_whisper.tokenizer import Tokenizer
from hypothesis import given
from hypothesis import strategies as st

from sutradhar.stages.recognisers.whisper.words import (
    Timing,
    from_alignment,
    merge_punctuation,
    shorten_at_sentence_ends,
    snap_to_speech,
    spread,
    time_words,
)
from sutradhar.stages.transcript import Span, Word
from tests.conftest import ROOT

BASE = ROOT / "models" / "base"

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


# --- From tokens to words


def test_a_word_lasts_from_its_first_token_to_the_next_words() -> None:
    words, tokens = [" Good", " morning", "<|endoftext|>"], [[1], [2, 3], [9]]
    pairs = [(0, 5), (0, 6), (1, 10), (2, 12), (2, 13), (3, 20), (3, 21)]
    assert from_alignment(words, tokens, pairs, [0.9, 0.5, 0.7]) == [
        Timing(" Good", 100, 200, 0.9),
        Timing(" morning", 200, 400, 0.6),
    ]


@pytest.mark.skipif(not BASE.is_dir(), reason="needs models/base")
def test_tokens_that_share_a_letter_of_devanagari_make_one_word() -> None:
    """Byte-level tokens: most letters of Hindi are two tokens or more, none of them a letter by itself."""
    tokenizer = Tokenizer(
        tokenizers.Tokenizer.from_file(str(BASE / "tokenizer.json")), True, task="transcribe", language="hi"
    )
    text = "मैं कल आऊँगा। तुम कहाँ हो?"
    tokens = tokenizer.encode(text)
    assert len(tokens) > len(text)
    assert any("\ufffd" in tokenizer.decode([token]) for token in tokens)
    words, word_tokens = tokenizer.split_to_word_tokens([*tokens, tokenizer.eot])
    pairs = [(index, index) for index in range(len(tokens) + 1)]
    timings = merge_punctuation(from_alignment(words, word_tokens, pairs, [0.9] * len(tokens)))
    assert [timing.text for timing in timings] == ["मैं", " कल", " आऊँगा।", " तुम", " कहाँ", " हो?"]
    assert all(timing.start_ms < timing.end_ms for timing in timings)


def test_bytes_that_make_no_letter_are_left_out() -> None:
    pairs = [(0, 0), (1, 4), (2, 8)]
    assert [
        timing.text for timing in from_alignment([" a", " \ufffd", "<|endoftext|>"], [[1], [2], [9]], pairs, [0.9, 0.9])
    ] == [" a", " "]
    assert merge_punctuation([Timing(" a", 0, 80, 0.9), Timing(" ", 80, 160, 0.9)]) == [Timing(" a", 0, 80, 0.9)]


def timed(*words: tuple[str, int, int]) -> list[Timing]:
    return [Timing(text, start, end, 0.9) for text, start, end in words]


def test_marks_join_the_words_that_they_belong_to() -> None:
    spoken = timed(
        (" He", 0, 100),
        (" said", 100, 200),
        (",", 200, 300),
        (' "', 300, 400),
        ("no", 400, 500),
        (".", 500, 900),
        ('"', 900, 950),
    )
    assert merge_punctuation(spoken) == timed((" He", 0, 100), (" said,", 100, 200), (' "no."', 400, 500))


def test_the_pause_at_the_end_of_a_sentence_is_in_no_word() -> None:
    spoken = timed(
        (" one", 0, 200), (" two", 200, 400), (".", 400, 2000), (" Three", 2000, 4000), (" four", 4000, 4200)
    )
    shortened = [(timing.start_ms, timing.end_ms) for timing in shorten_at_sentence_ends(spoken)]
    assert shortened == [(0, 200), (200, 400), (400, 800), (3600, 4000), (4000, 4200)]


def test_spread_words_share_the_speech_by_their_length() -> None:
    words = spread("Hi there friend", (Span(1000, 2000), Span(5000, 5500)), 0.7)
    assert [(word.text, word.start_ms, word.end_ms) for word in words] == [
        ("Hi", 1000, 1200),
        (" there", 1200, 1800),
        (" friend", 5000, 5500),
    ]
    assert spread("", (Span(0, 1000),), 0.7) == ()


@given(
    st.lists(st.tuples(st.integers(-500, 40_000), st.integers(-500, 40_000)), max_size=60),
    st.lists(st.integers(0, 30_000), min_size=2, max_size=8, unique=True).filter(
        lambda times: max(times) - min(times) > 60
    ),
)
def test_words_come_out_in_order_apart_and_inside_the_window(times: list[tuple[int, int]], bounds: list[int]) -> None:
    bounds = sorted(bounds)
    speech = [Span(begin, end) for begin, end in zip(bounds[::2], bounds[1::2], strict=False)]
    start_ms, end_ms = bounds[0], max(bounds[-1], bounds[0] + len(times))
    words = time_words([Timing(" a", min(pair), max(pair), 0.9) for pair in times], start_ms, end_ms, speech)
    assert len(words) == len(times)
    assert all(start_ms <= word.start_ms < word.end_ms <= end_ms for word in words)
    assert all(before.end_ms <= after.start_ms for before, after in pairwise(words))
    if len(words) * 20 <= end_ms - start_ms:
        assert all(word.end_ms - word.start_ms >= 20 for word in words)
