"""The search, on scores that are literal: those of a token depend on the one before it alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("mlx_whisper", reason="MLX is not installed: ./install-mlx.sh")

import mlx.core as mx

from sutradhar.stages.recognisers.mlx.choice import Search
from sutradhar.stages.recognisers.mlx.rules import Vocabulary
from sutradhar.stages.recognisers.mlx.slots import Slots, Task, Text

A, B, C, END, START, NO_SPEECH, PLAIN, TIME = range(8)
LETTERS = Vocabulary(
    size=8,
    eot=END,
    sot=START,
    no_speech=NO_SPEECH,
    no_timestamps=PLAIN,
    timestamp_begin=TIME,
    suppressed=(NO_SPEECH,),
    blank=(C, END),
)
Chances = Mapping[int, Mapping[int, float]]

# B is the better begin, but less likely at first.
DETOUR: Chances = {PLAIN: {A: 0.6, B: 0.4}, A: {C: 0.4, B: 0.35, END: 0.25}, B: {END: 1.0}, C: {END: 1.0}}


class PlainChain:
    """A network that knows of each token how likely which ones follow it."""

    dims = SimpleNamespace(n_text_ctx=448)

    def __init__(self, chances: Chances) -> None:
        table = np.full((LETTERS.size, LETTERS.size), -np.inf, np.float32)
        for token, following in {START: {PLAIN: 1.0}, END: {END: 1.0}, **chances}.items():
            for other, chance in following.items():
                table[token, other] = np.log(chance)
        self._table = mx.array(table)

    def empty_past(self, *_: int) -> list[Any]:
        return []

    def empty_cross(self, *_: int) -> list[Any]:
        return []

    def replace_cross(self, cross: list[Any], *_: Any) -> list[Any]:
        return cross

    def step(
        self, tokens: mx.array, positions: mx.array, column: mx.array, mask: mx.array, past: Any, cross: Any
    ) -> tuple[mx.array, Any]:
        return self._table[tokens], past


def decode(
    chances: Chances, search: Search, tasks: Sequence[tuple[float, int]] = ((0.0, 0),), limit: int = 10
) -> list[Text]:
    """Texts by temperature and sample."""
    slots = Slots(PlainChain(chances), LETTERS, search, len(tasks), columns=16)  # type: ignore[arg-type]
    slots.admit(
        [
            (number, Task(mx.zeros((1, 1)), (START, PLAIN), temperature, sample, limit))
            for number, (temperature, sample) in enumerate(tasks)
        ]
    )
    texts: dict[int, Text] = {}
    while slots.busy:
        texts.update(slots.advance())
    return [texts[number] for number in range(len(tasks))]


def found(chances: Chances, search: Search) -> tuple[list[int], float]:
    """Tokens, and how likely they and the end are together."""
    (text,) = decode(chances, search)
    return text.tokens, pytest.approx(np.exp(text.sum_logprob), rel=1e-3)


def test_one_beam_takes_the_likeliest_token_every_time() -> None:
    assert found(DETOUR, Search()) == ([A, C], 0.24)


def test_more_beams_find_what_is_likelier_in_the_end() -> None:
    assert found(DETOUR, Search(2, length_penalty=0)) == ([B], 0.4)


def test_the_length_penalty_favours_longer_texts() -> None:
    assert found(DETOUR, Search(2, length_penalty=1)) == ([A, C], 0.24)  # log 0.24 / 2 > log 0.4


def test_patience_says_how_many_texts_end_a_search() -> None:
    assert [Search(5, patience).enough for patience in (0.1, 1.0, 1.5, 2.0)] == [1, 5, 8, 10]
    assert found(DETOUR, Search(2, patience=0.5)) == ([B], 0.4)  # the first that ended; [A, C] would have been better


def test_a_text_does_not_begin_with_a_blank() -> None:
    assert found({PLAIN: {C: 0.5, END: 0.3, A: 0.2}, A: {C: 0.9, END: 0.1}, C: {END: 1.0}}, Search()) == ([A, C], 0.9)


def test_no_speech_is_what_the_model_says_at_the_start_of_text() -> None:
    (text,) = decode({START: {NO_SPEECH: 0.3, PLAIN: 0.7}, PLAIN: {A: 0.5, NO_SPEECH: 0.5}, A: {END: 1.0}}, Search())
    assert text.no_speech_prob == pytest.approx(0.3)
    assert text.tokens == [A]


@pytest.mark.parametrize("beams", [1, 2])
def test_a_text_without_end_is_cut_at_the_limit(beams: int) -> None:
    (text,) = decode({PLAIN: {A: 1.0}, A: {A: 0.9, B: 0.1}, B: {B: 1.0}}, Search(beams), limit=6)
    assert (text.tokens, text.ended) == ([A] * 6, False)
    assert text.sum_logprob == pytest.approx(5 * np.log(0.9))


@pytest.mark.parametrize(
    ("temperature", "expected"), [(1.0, (0.5, 0.3, 0.2)), (0.5, (0.66, 0.24, 0.1))]
)  # squares of the first
def test_samples_are_as_frequent_as_they_are_likely(temperature: float, expected: tuple[float, ...]) -> None:
    chances = {PLAIN: {A: 1.0}, A: {A: 0.5, B: 0.3, C: 0.2}}
    texts = decode(chances, Search(), [(temperature, sample) for sample in range(400)], limit=2)
    counts = Counter(text.tokens[1] for text in texts)
    assert [counts[token] / 400 for token in (A, B, C)] == pytest.approx(expected, abs=0.05)
    assert {round(float(np.exp(text.sum_logprob)), 3) for text in texts} == {
        0.5,
        0.3,
        0.2,
    }  # not those of the temperature


def test_of_the_samples_of_a_slot_the_likeliest_is_taken() -> None:
    chances = {PLAIN: {A: 1.0}, A: {A: 0.5, B: 0.3, C: 0.2}}
    (text,) = decode(chances, Search(5), [(1.0, 0)], limit=2)
    assert text.tokens == [A, A]
    assert (
        len({tuple(one.tokens) for one in decode(chances, Search(), [(1.0, sample) for sample in range(5)], limit=2)})
        > 1
    )


def test_a_slot_draws_only_the_samples_that_are_wanted_and_waits_for_no_others() -> None:
    chances = {PLAIN: {A: 0.7, B: 0.3}, A: {END: 1.0}, B: {END: 1.0}}
    expected = decode(chances, Search(), [(1.0, sample) for sample in range(20)])
    slots = Slots(PlainChain(chances), LETTERS, Search(3), 20, columns=16)  # type: ignore[arg-type]
    slots.admit(
        [(sample, Task(mx.zeros((1, 1)), (START, PLAIN), 1.0, sample, limit=14, samples=1)) for sample in range(20)]
    )
    texts = dict(done for _ in range(4) for done in slots.advance())
    assert [texts[sample].tokens for sample in range(20)] == [text.tokens for text in expected]


def test_greedy_and_sampled_texts_go_through_together() -> None:
    texts = decode(DETOUR, Search(2, length_penalty=0), [(0.0, 0), (1.0, 0), (0.0, 0)])
    assert [texts[0].tokens, texts[2].tokens] == [[B], [B]]
