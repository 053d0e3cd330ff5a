"""Our CUDA kernels against the same in float64, from the same rounded numbers; the choice of tokens against MLX's operations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("mlx_whisper", reason="MLX is not installed: ./install-mlx.sh")

import mlx.core as mx

from sutradhar.stages.recognisers.mlx import cuda, selftest, slots
from sutradhar.stages.recognisers.mlx.choice import Chooser, Phase, Search
from sutradhar.stages.recognisers.mlx.network import Network
from sutradhar.stages.recognisers.mlx.slots import Slots, Task
from tests.stages.recognisers.mlx.test_choice import PlainChain
from tests.stages.recognisers.mlx.tiny import COLUMNS, PLAIN, SMALL, TIMED, make_whisper

HALVES = pytest.mark.parametrize("dtype", [mx.float16, mx.bfloat16], ids=["float16", "bfloat16"])
ROUNDING = {mx.float16: 2**-11, mx.bfloat16: 2**-8}
Array = NDArray[np.float64]


@pytest.fixture(autouse=True)
def on_an_nvidia_gpu() -> Iterator[None]:
    if not mx.cuda.is_available():
        pytest.skip("MLX finds no NVIDIA GPU")
    before = mx.default_device()
    mx.set_default_device(mx.Device(mx.gpu))
    yield
    mx.set_default_device(before)


def normal(*shape: int, dtype: mx.Dtype, seed: int = 0, scale: float = 1.0) -> mx.array:
    return (mx.random.normal(shape, key=mx.random.key(seed)) * scale).astype(dtype)


def exact(x: mx.array) -> Array:
    return np.array(x.astype(mx.float32)).astype(np.float64)


def assert_rounded(found: mx.array, expected: Array) -> None:
    """As near as the number format can be, with the rounding of sums in float32, for the largest of them."""
    assert float(np.abs(exact(found) - expected).max()) <= 2 * ROUNDING[found.dtype] * float(np.abs(expected).max())


def attention(queries: Array, keys: Array, values: Array, mask: Array | None = None) -> Array:
    """Of (B, H, L, 64) over (B, H, N, 64): (B, L, H * 64)."""
    scores = queries @ keys.swapaxes(2, 3) / 8
    if mask is not None:
        scores = np.where(mask[:, None], scores, -np.inf)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    mixed = weights / weights.sum(axis=-1, keepdims=True) @ values
    return mixed.swapaxes(1, 2).reshape(len(queries), queries.shape[2], -1)


def by_heads(x: Array) -> Array:
    return x.reshape(*x.shape[:2], -1, 64).swapaxes(1, 2)


@HALVES
@pytest.mark.parametrize(
    ("rows", "heads", "beams", "keys"),
    [
        (1, 8, 1, 1500),
        (1, 20, 5, 1500),
        (3, 6, 2, 1500),
        (16, 20, 1, 1500),
        (48, 20, 1, 1500),
        (48, 8, 5, 1500),
        (2, 8, 8, 1500),
        (1, 6, 3, 65),
        (1, 2, 2, 7),
    ],
)
def test_attention_over_the_sound(dtype: mx.Dtype, rows: int, heads: int, beams: int, keys: int) -> None:
    queries = normal(rows, beams, heads * 64, dtype=dtype, scale=3)
    of_sound = [normal(rows, heads, keys, 64, dtype=dtype, seed=seed) for seed in (1, 2)]
    counters = cuda.make_counters()
    found = cuda.attend(queries, *of_sound, counters)
    assert_rounded(found, attention(by_heads(exact(queries)), *map(exact, of_sound)))
    assert mx.array_equal(found, cuda.attend(queries, *of_sound, counters))
    assert not counters.any()


@HALVES
@pytest.mark.parametrize(
    ("rows", "heads", "beams", "columns"),
    [(1, 8, 1, 256), (48, 20, 1, 256), (3, 6, 5, 256), (2, 8, 2, 512), (5, 2, 8, 64), (1, 6, 1, 448)],
)
def test_attention_over_the_past(dtype: mx.Dtype, rows: int, heads: int, beams: int, columns: int) -> None:
    assert cuda.past_fits(beams, columns)
    qkv = normal(rows, beams, 3 * heads * 64, dtype=dtype, scale=2)
    past = [normal(rows, heads, beams, columns, 64, dtype=dtype, seed=seed) for seed in (1, 2)]
    mask = np.random.default_rng(0).random((rows, beams, beams * columns)) < 0.3
    column = columns - 3
    mask[:, np.arange(beams), np.arange(beams) * columns + column] = True  # a beam sees itself
    queries, *own = (by_heads(part) for part in np.split(exact(qkv), 3, axis=-1))
    expected = [exact(one) for one in past]
    for one, new in zip(expected, own, strict=True):
        one[:, :, :, column] = new
    found = cuda.attend_past(qkv, *past, mx.array([column]), mx.array(mask))
    assert_rounded(found, attention(queries, *(one.reshape(rows, heads, -1, 64) for one in expected), mask))
    assert all(np.array_equal(exact(one), new) for one, new in zip(past, expected, strict=True))


@HALVES
@pytest.mark.parametrize("parts", ["", "bias", "bias residual", "bias norm", "bias norm gelu"])
@pytest.mark.parametrize(
    ("rows", "count", "size"),
    [
        (1, 384, 384),
        (3, 1152, 384),
        (8, 1280, 5120),
        (16, 5120, 1280),
        (17, 384, 1536),
        (64, 3840, 1280),
        (5, 51_866, 1280),
    ],
)
def test_a_matrix_product(dtype: mx.Dtype, parts: str, rows: int, count: int, size: int) -> None:
    x, weight = normal(rows, 1, size, dtype=dtype), normal(count, size, dtype=dtype, seed=1, scale=size**-0.5)
    bias = normal(count, dtype=dtype, seed=2) if "bias" in parts else None
    residual = normal(rows, 1, count, dtype=dtype, seed=3) if "residual" in parts else None
    norm = (normal(size, dtype=dtype, seed=4), normal(size, dtype=dtype, seed=5)) if "norm" in parts else None
    expected = exact(x)
    if norm:
        if rows > cuda.MAX_NORMED_ROWS:
            pytest.skip("done apart for so many rows")
        expected = (expected - expected.mean(-1, keepdims=True)) / np.sqrt(
            expected.var(-1, keepdims=True) + 1e-5
        ) * exact(norm[0]) + exact(norm[1])
        expected = exact(mx.array(expected).astype(dtype))
    expected = expected @ exact(weight).T
    if bias is not None:
        expected = expected + exact(bias)
    if "gelu" in parts:
        expected = exact(mx.array(expected) * (1 + mx.erf(mx.array(expected) / 2**0.5)) / 2)
    if residual is not None:
        expected = expected + exact(residual)
    assert_rounded(cuda.linear(x, weight, bias, residual, norm=norm, gelu="gelu" in parts), expected)
    whole = cuda.linear(x, weight, bias, residual, norm=norm, gelu="gelu" in parts, dtype=mx.float32)
    np.testing.assert_allclose(exact(whole), expected, atol=1e-4 * float(np.abs(expected).max()))


@HALVES
def test_embedding_gelu_and_the_sound_of_other_windows(dtype: mx.Dtype) -> None:
    tokens, positions = mx.array([[3, 9], [0, 3], [9, 1]]), mx.array([[0, 0], [7, 7], [2, 2]])
    embedding, positional = normal(10, 384, dtype=dtype), normal(8, 384, dtype=dtype, seed=1)
    assert_rounded(
        cuda.embed(tokens, positions, embedding, positional),
        exact(embedding)[np.array(tokens)] + exact(positional)[np.array(positions)],
    )
    x = normal(3, 8 * 700, dtype=dtype, scale=2)
    assert_rounded(cuda.gelu(x), exact(mx.array(exact(x)) * (1 + mx.erf(mx.array(exact(x)) / 2**0.5)) / 2))
    old, new = (
        [normal(4, 2, 60, 64, dtype=dtype, seed=seed) for seed in (1, 2)],
        [normal(2, 2, 60, 64, dtype=dtype, seed=seed) for seed in (3, 4)],
    )
    expected = [exact(one) for one in old]
    for one, fresh in zip(expected, new, strict=True):
        one[[3, 1]] = exact(fresh)
    mx.eval(cuda.place(*old, *new, mx.array([3, 1])))
    assert all(np.array_equal(exact(one), other) for one, other in zip(old, expected, strict=True))


@pytest.mark.parametrize("beams", [1, 3, 5])
def test_which_tokens_a_beam_sees(beams: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(beams)
    ancestors = mx.array(random.integers(0, beams, (4, beams, COLUMNS)).astype(np.int8))
    arguments = ancestors, mx.array([0, 5, 40, 63]), mx.array([17])
    found = slots.look(*arguments)
    monkeypatch.setattr(cuda, "available", lambda: False)
    expected = slots.look(*arguments)
    assert mx.array_equal(found[1], expected[1])
    assert beams == 1 or mx.array_equal(found[0], expected[0])


@pytest.mark.parametrize("search", [Search(), Search(3), Search(5, 2.0, 0.6)], ids=["greedy", "three beams", "patient"])
def test_the_rules_and_the_search_are_those_written_in_mlx(search: Search) -> None:
    tasks = [
        Task(mx.zeros((1, 1)), (*(9,) * (number % 3), *(PLAIN, TIMED)[number % 2]), limit=5 + 3 * number)
        for number in range(8)
    ]
    filled = Slots(PlainChain({}), SMALL, search, len(tasks), COLUMNS)  # type: ignore[arg-type]
    filled.admit(list(enumerate(tasks)))
    chooser, state = Chooser(SMALL, search, COLUMNS, context=448), filled._state
    for step in range(40):
        logits = 4 * mx.random.normal((len(tasks), search.beams, SMALL.size), key=mx.random.key(step))
        logits = logits + mx.where(mx.arange(SMALL.size) >= SMALL.timestamp_begin, 1.5 * (step % 5), 0.0)
        by_kernels, written = chooser._by_kernels(state, logits), chooser._next(Phase(True, True, False), state, logits)
        for name in state._fields:
            assert_same(name, getattr(by_kernels, name), getattr(written, name))
        state = by_kernels
    assert np.array(state.done).all()


def assert_same(name: str, found: Any, expected: Any) -> None:
    if isinstance(expected, tuple):
        for part in expected._fields:
            assert_same(f"{name}.{part}", getattr(found, part), getattr(expected, part))
    elif expected.dtype == mx.float32:
        np.testing.assert_allclose(np.array(found), np.array(expected), rtol=1e-5, atol=1e-5, err_msg=name)
    else:
        np.testing.assert_array_equal(np.array(found), np.array(expected), err_msg=name)


@HALVES
@pytest.mark.parametrize("search", [Search(), Search(5)], ids=["greedy", "beams"])
@pytest.mark.parametrize("rows", [2, 16, 48])
def test_the_whole_network(dtype: mx.Dtype, search: Search, rows: int) -> None:
    whisper = make_whisper()
    mx.set_default_device(mx.Device(mx.gpu))
    whisper.set_dtype(dtype)
    selftest.check(Network(whisper, dtype), SMALL, search, rows)
