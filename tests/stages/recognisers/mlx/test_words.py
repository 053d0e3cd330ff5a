from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

pytest.importorskip("mlx_whisper", reason="MLX is not installed: ./install-mlx.sh")

import mlx.core as mx
from mlx_whisper.timing import find_alignment
from mlx_whisper.tokenizer import get_tokenizer

from sutradhar.stages.recognisers.mlx.words import Aligner, warp
from sutradhar.stages.recognisers.whisper.requests import Alignment
from sutradhar.stages.recognisers.whisper.words import FRAME_MS, from_alignment
from tests.stages.recognisers.mlx.tiny import FRAMES, MELS, PLAIN, SMALL, multilingual, small, sound

TEXTS = [[10, 20, 30, 40, 50, 60], [70], [5, 6, 5, 6, 5]]
HEARD = [40, 60, 7]  # frames


def costs(*rows: Sequence[float]) -> np.ndarray:
    return np.array(rows, np.float32)


@pytest.mark.parametrize(
    ("matrix", "path"),
    [
        (costs([1, 5, 9, 9], [9, 1, 1, 9], [9, 9, 9, 1]), [(0, 0), (1, 1), (1, 2), (2, 3)]),
        (costs([1, 9], [1, 9], [9, 1]), [(0, 0), (1, 0), (2, 1)]),
        (costs([-1, -4, -4], [-3, -1, -4]), [(0, 0), (0, 1), (0, 2), (1, 2)]),
        (costs([1, 9, 9], [-1, 2, 1]), [(0, 0), (1, 0), (1, 1), (1, 2)]),  # down, then right
        (costs([0, 0], [0, 0]), [(0, 0), (1, 0), (1, 1)]),
        (costs([3, 1, 2]), [(0, 0), (0, 1), (0, 2)]),
        (costs([3], [1]), [(0, 0), (1, 0)]),
    ],
)
def test_the_cheapest_way_through_a_matrix(matrix: np.ndarray, path: list[tuple[int, int]]) -> None:
    assert [tuple(cell) for cell in warp(matrix).tolist()] == path


def align(windows: Sequence[int]) -> list[Alignment]:
    features = mx.stack([sound(number) for number in windows])
    return Aligner(small()).align(
        features,
        [PLAIN] * len(windows),
        [TEXTS[number] for number in windows],
        SMALL.eot,
        [HEARD[number] for number in windows],
    )


def assert_same(alignments: Sequence[Alignment], expected: Sequence[Alignment]) -> None:
    for alignment, other in zip(alignments, expected, strict=True):
        assert alignment.pairs == other.pairs
        assert alignment.probabilities == pytest.approx(other.probabilities, rel=1e-3)


def test_windows_are_aligned_together_as_one_by_one() -> None:
    """Texts of other lengths and windows of other lengths."""
    together = align([0, 1, 2])
    assert_same(together, [align([number])[0] for number in range(3)])
    assert_same(align([2, 0, 1]), [together[number] for number in (2, 0, 1)])


def test_every_token_has_its_place_in_the_sound_and_the_end_too() -> None:
    for alignment, text, frames in zip(align([0, 1, 2]), TEXTS, HEARD, strict=True):
        assert sorted({token for token, _ in alignment.pairs}) == list(range(len(text) + 1))
        assert [frame for _, frame in alignment.pairs] == sorted(frame for _, frame in alignment.pairs)
        assert (alignment.pairs[0], alignment.pairs[-1]) == (
            (0, 0),
            (len(text), frames - 1),
        )  # nothing lies behind the sound
        assert len(alignment.probabilities) == len(text)
        assert all(0 < probability < 1 for probability in alignment.probabilities)


def test_an_empty_text_has_a_place_for_its_end_only() -> None:
    (alignment,) = Aligner(small()).align(sound(0)[None], [PLAIN], [[]], SMALL.eot, [3])
    assert alignment == Alignment([(0, 0), (0, 1), (0, 2)], [])


@pytest.mark.parametrize("frames", [FRAMES, 33])
@pytest.mark.parametrize("text", [" This is a test of words, and of what they take.", " मैं कल आऊँगा।"])
def test_times_and_probabilities_are_mlx_whispers(text: str, frames: int) -> None:
    whisper, network = multilingual()
    tokenizer = get_tokenizer(multilingual=True, language="hi", task="transcribe")
    mel, tokens = (
        mx.array(np.random.default_rng(3).normal(size=(2 * FRAMES, MELS)).astype(np.float32)),
        tokenizer.encode(text),
    )
    expected: list[Any] = find_alignment(whisper, tokenizer, tokens, mel, 2 * frames)
    start = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
    (alignment,) = Aligner(network).align(network.encode(mel[None]), [start], [tokens], tokenizer.eot, [frames])
    words, word_tokens = tokenizer.split_to_word_tokens([*tokens, tokenizer.eot])
    timings = from_alignment(words, word_tokens, alignment.pairs, alignment.probabilities)
    assert len(timings) == len(expected) >= 3
    assert [(timing.start_ms, timing.end_ms) for timing in timings] == [
        (round(word.start * 50) * FRAME_MS, round(word.end * 50) * FRAME_MS) for word in expected
    ]
    assert [sum(alignment.probabilities)] == pytest.approx(
        [sum(word.probability * len(word.tokens) for word in expected)], rel=1e-3
    )
