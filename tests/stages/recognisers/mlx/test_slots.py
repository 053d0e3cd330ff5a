from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("mlx_whisper", reason="MLX is not installed: ./install-mlx.sh")

import mlx.core as mx
from mlx_whisper.decoding import DecodingOptions, DecodingTask

from sutradhar.stages.recognisers.mlx.choice import Search
from sutradhar.stages.recognisers.mlx.network import Network
from sutradhar.stages.recognisers.mlx.slots import NotANumber, Slots, Task, Text
from tests.stages.recognisers.mlx import plain
from tests.stages.recognisers.mlx.tiny import (
    COLUMNS,
    FRAMES,
    PLAIN,
    SMALL,
    TIMED,
    decode,
    make_whisper,
    multilingual,
    small,
    sound,
)

# Every kind of text: with times and without, sampled, after text of before, of several limits.
TASKS = [
    Task(sound(0), PLAIN, limit=20),
    Task(sound(1), TIMED, limit=20),
    Task(sound(2), PLAIN, 0.4, sample=3, limit=20),
    Task(sound(3), (506, 30, 31, 32, *TIMED), limit=9),
    Task(sound(4), (506, 40, *PLAIN), limit=3),
    Task(sound(5), TIMED, 1.0, limit=20),
    Task(sound(6), PLAIN, limit=12),
]
BEAMS = Search(beams=3)


@pytest.fixture(scope="module")
def alone() -> dict[int, list[Text]]:
    """Each task by itself in slots that nothing else was in, by the width of the search."""
    return {beams: [decode([task], slots=1, search=Search(beams))[0] for task in TASKS] for beams in (1, 3)}


def assert_same(texts: Sequence[Text], expected: Sequence[Text]) -> None:
    assert [(text.tokens, text.ended) for text in texts] == [(text.tokens, text.ended) for text in expected]
    assert [text.sum_logprob for text in texts] == pytest.approx([text.sum_logprob for text in expected], abs=1e-4)
    assert [text.no_speech_prob for text in texts] == pytest.approx(
        [text.no_speech_prob for text in expected], abs=1e-6
    )


# --- What is decoded together


def test_the_tasks_are_of_all_lengths(alone: dict[int, list[Text]]) -> None:
    """Else the tests below would show little."""
    assert len({len(text.tokens) for text in alone[1]}) >= 4
    assert {text.ended for text in alone[1]} == {True, False}


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("slots", [1, 2, 3])
def test_a_text_does_not_depend_on_the_number_of_slots(slots: int, beams: int, alone: dict[int, list[Text]]) -> None:
    assert_same(decode(TASKS, slots, Search(beams)), alone[beams])


@pytest.mark.parametrize("beams", [1, 3])
def test_a_text_does_not_depend_on_the_order(beams: int, alone: dict[int, list[Text]]) -> None:
    assert_same(decode(TASKS[::-1], 3, Search(beams))[::-1], alone[beams])


def test_a_slot_that_was_taken_over_often_gives_what_a_new_one_gives() -> None:
    """Through one slot, whose past is a ring that the steps go round several times."""
    texts = decode(TASKS * 2, slots=1)
    assert sum(len(task.prompt) + len(text.tokens) for task, text in zip(TASKS * 2, texts, strict=True)) > 2 * COLUMNS
    assert_same(texts[len(TASKS) :], texts[: len(TASKS)])


def test_a_sampled_text_does_not_depend_on_its_mates() -> None:
    sampled = Task(sound(0), PLAIN, 0.8, limit=20)
    expected = decode([sampled], slots=1)
    for mates in (TASKS[:1], TASKS[1:3], [replace(sampled, sample=1), replace(sampled, temperature=0.4)]):
        assert_same(decode([*mates, sampled])[-1:], expected)


def test_samples_are_other_texts_and_a_wide_slot_draws_the_same_ones() -> None:
    """Five of a slot with five beams are those of five slots with one, of which the likeliest is taken."""
    draws = decode([Task(sound(0), TIMED, 1.0, sample, limit=20) for sample in range(5)])
    assert len({tuple(text.tokens) for text in draws}) == 5
    likeliest = max(draws, key=lambda text: text.sum_logprob / len(text.tokens))
    assert_same(decode([Task(sound(0), TIMED, 1.0, limit=20)], search=Search(beams=5)), [likeliest])
    last = max(draws[3:], key=lambda text: text.sum_logprob / len(text.tokens))
    assert_same(
        decode([Task(sound(0), TIMED, 1.0, sample=3, limit=20, samples=2)], search=BEAMS), [last]
    )  # of three beams two are wanted


# --- What others decode


@pytest.mark.parametrize("prompt", [PLAIN, TIMED], ids=["plain", "timed"])
@pytest.mark.parametrize(
    "search", [Search(), BEAMS, Search(3, patience=2.0, length_penalty=1.5)], ids=["greedy", "beams", "patient"]
)
def test_finds_what_a_plain_search_finds(search: Search, prompt: tuple[int, ...]) -> None:
    tasks = [Task(sound(number), prompt, limit=8) for number in range(3)]
    expected = [plain.decode(small(), task, search) for task in tasks]
    texts = decode(tasks, search=search)
    assert [(text.tokens, text.ended) for text in texts] == [(tokens, ended) for tokens, _, ended in expected]
    assert [text.sum_logprob for text in texts] == pytest.approx([score for _, score, _ in expected], abs=1e-3)


@pytest.mark.parametrize("before", [[], [1770, 2436, 11]], ids=["no prompt", "prompt"])
def test_greedy_texts_are_mlx_whispers(before: list[int]) -> None:
    whisper, network = multilingual()
    options = DecodingOptions(language="en", without_timestamps=True, fp16=False, sample_len=16, prompt=before)
    expected = DecodingTask(whisper, options).run(mx.stack([sound(number) for number in range(3)]))
    prompt = (*((50_361, *before) if before else ()), 50_258, 50_259, 50_359, 50_363)
    texts = decode([Task(sound(number), prompt, limit=16) for number in range(3)], network=network)
    assert [text.tokens for text in texts] == [result.tokens for result in expected]
    assert [text.sum_logprob / (len(text.tokens) + 1) for text in texts] == pytest.approx(
        [result.avg_logprob for result in expected], abs=1e-4
    )
    assert [text.no_speech_prob for text in texts] == pytest.approx(
        [result.no_speech_prob for result in expected], rel=1e-3
    )


# --- Ends


def test_the_limit_ends_a_text_and_says_so() -> None:
    for search in (Search(), BEAMS):
        (text,) = decode([Task(sound(1), PLAIN, limit=5)], search=search)
        assert (len(text.tokens), text.ended) == (5, False)
    (whole,) = decode([Task(sound(1), TIMED, limit=20)])
    assert whole.ended
    assert len(whole.tokens) < 20


def test_the_positions_that_the_model_knows_end_a_text() -> None:
    network = Network(make_whisper(context=16), mx.float32)
    (text,) = decode([Task(sound(1), PLAIN, limit=40)], network=network)
    assert (len(PLAIN) + len(text.tokens), text.ended) == (16, False)


@pytest.mark.parametrize("search", [Search(), BEAMS], ids=["greedy", "beams"])
@pytest.mark.parametrize("temperature", [0.0, 0.6])
def test_scores_that_are_not_numbers_are_a_fault(search: Search, temperature: float) -> None:
    with pytest.raises(NotANumber):
        decode([Task(sound(0) * mx.array(float("nan")), PLAIN, temperature, limit=4)], search=search)


# --- Slots


def test_a_task_goes_where_its_sound_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A further temperature computes nothing of the sound anew."""
    network, looked_up = small(), list[Any]()
    replace_cross = network.replace_cross

    def noting(cross: Any, rows: Sequence[int], features: mx.array) -> Any:
        looked_up.append(list(rows))
        return replace_cross(cross, rows, features)

    monkeypatch.setattr(network, "replace_cross", noting)
    slots = Slots(network, SMALL, Search(), 3, COLUMNS)
    tasks = [Task(sound(number), PLAIN, limit=2) for number in range(3)]
    slots.admit(list(enumerate(tasks)))
    assert (slots.room, slots.busy) == (0, True)
    while slots.busy:
        slots.advance()
    slots.admit(
        [
            ("new", Task(sound(9), PLAIN)),
            ("again", replace(tasks[0], temperature=0.4)),
            ("also", replace(tasks[2], temperature=0.4)),
        ]
    )
    assert looked_up == [[0, 1, 2], [1]]
    assert [key for key, _ in slots.tasks()] == ["again", "new", "also"]


def test_the_logits_of_a_trial_are_those_of_reading() -> None:
    task = Task(sound(0), PLAIN)
    logits = Slots(small(), SMALL, Search(), 2, COLUMNS).trial(task)
    expected = small().read_plainly(mx.array([PLAIN]), task.features[None])
    assert logits.shape == (len(PLAIN), 2, SMALL.size)
    assert task.features.shape[0] == FRAMES
    assert mx.abs(mx.array(logits[:, 1]) - expected[0]).max().item() < 1e-3
