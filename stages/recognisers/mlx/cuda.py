"""Kernels for one step of the decoder on an NVIDIA GPU, where MLX's own operations leave most of the machine idle.

The reason (H200, MLX 0.32.4): a step of large-v3 is some 600 operations, each of which costs the CPU 5 to 20
microseconds to put into a CUDA graph, matrix products most; at one window that is ten times what the GPU needs.
And the fused attention reaches a third of the memory's speed at one query. Kernels of our own take their place,
for float16 and bfloat16, these above all:

- `attend`: few queries over many keys (the sound);
- `attend_past`: the same over a window's own past, into which it first writes the new keys and values;
- `linear`: few rows times a weight matrix on the tensor cores, with layer norm, bias, GELU and residual.

`selftest` checks these three against mlx-whisper's own decoder before a model is used.
"""

from __future__ import annotations

from typing import Any

import mlx.core as mx

from sutradhar.stages.recognisers.mlx.cuda_kernels import ATTEND, ATTEND_PAST, EMBED, GELU, LINEAR, PLACE

HEAD = 64  # dimensions of a head, in every Whisper model
THREADS = 256
BUSY_BLOCKS = 1056  # eight on each of the 132 multiprocessors of an H100 or H200
FEWEST_KEYS = 64  # the fewest keys that are worth a block
SHARED_BYTES = 48_000  # shared memory that a block may use, over 1 KB less than there is
MIX_BYTES = 2_048  # the part of it for each query, to add up values
MAX_QUERIES = 8  # queries of a row; more do not fit into the registers
MAX_HEADS = 4096  # heads of all rows of a batch
MAX_ROWS = 64  # rows of a matrix product
MAX_NORMED_ROWS = 16  # rows of a product that normalises them on the way; with more it costs what it saves


def available() -> bool:
    """Tell whether MLX computes on an NVIDIA GPU whose tensor cores know the products that `linear` uses (compute
    capability 8.0)."""
    return (
        bool(mx.cuda.is_available())
        and mx.default_device() == mx.Device(mx.gpu)
        and int(mx.device_info()["compute_capability_major"]) >= 8
    )


def usable(dtype: mx.Dtype) -> bool:
    return available() and dtype in (mx.float16, mx.bfloat16)


def compiled(function: Any) -> Any:
    """Apply `mx.compile` on Metal. Elsewhere MLX has a compiler make a kernel of every fusion: seconds each with
    CUDA's, half a second with g++."""
    return mx.compile(function) if mx.default_device() == mx.Device(mx.gpu) and not available() else function


def replayed(function: Any) -> Any:
    """Apply `mx.compile` on any GPU, to a function with nothing to fuse on CUDA: Python's work is done once."""
    return mx.compile(function) if mx.default_device() == mx.Device(mx.gpu) else function


def attend(queries: mx.array, keys: mx.array, values: mx.array, counters: mx.array) -> mx.array:
    """Compute the attention of `queries` (B, L, H * 64) over `keys` and `values` (B, H, keys, 64): (B, L, H * 64).

    Several blocks share the keys of a head where that keeps the GPU busy; the last of them, which it finds out by
    `counters` (of `make_counters`), puts their parts together."""
    batch, length, _ = queries.shape
    heads, count = keys.shape[1], keys.shape[2]
    splits = max(
        1,
        min(BUSY_BLOCKS // (batch * heads), count // FEWEST_KEYS),
        -(-length * count * 4 // (SHARED_BYTES - MIX_BYTES * length)),
    )
    out: mx.array = ATTEND(
        [queries, keys, values, counters],
        [(queries.shape, queries.dtype), ((batch * heads, splits, length, HEAD + 2), mx.float32)],
        blocks=batch * heads * splits,
        threads=THREADS,
        constants={"T": queries.dtype, "L": length, "H": heads, "N": count, "SPLITS": splits},
    )[0]
    return out


def attend_fits(queries: mx.array) -> bool:
    """Tell whether `attend` can do it."""
    batch, length, width = queries.shape
    return bool(length <= MAX_QUERIES and batch * width // HEAD <= MAX_HEADS)


def make_counters() -> mx.array:
    """Return zeros, which every `attend` leaves as it found them."""
    counters = mx.zeros((MAX_HEADS,), mx.int32)
    mx.eval(counters)
    return counters


def past_fits(length: int, columns: int) -> bool:
    """Tell whether `attend_past` can do it."""
    return length <= MAX_QUERIES and length * (length * columns * 4 + MIX_BYTES) <= SHARED_BYTES


def attend_past(
    qkv: mx.array, past_keys: mx.array, past_values: mx.array, column: mx.array, mask: mx.array
) -> mx.array:
    """Compute the attention of new tokens over their row's past and themselves: (B, L, H * 64).

    `qkv` (B, L, 3 * H * 64) holds queries, keys and values one after the other. The keys and values of beam l are
    WRITTEN into column `column` (1,) of beam l of `past_keys` and `past_values` (B, H, L, columns, 64): MLX takes
    arrays for immutable, so nobody else may hold these two, and all that reads them must depend on this result.
    `mask` (B, L, L * columns) says which keys a beam sees.
    """
    batch, heads, length, columns, _ = past_keys.shape
    (out,) = ATTEND_PAST(
        [qkv, past_keys, past_values, column, mask],
        [((batch, length, heads * HEAD), qkv.dtype)],
        blocks=batch * heads,
        threads=THREADS,
        constants={"T": qkv.dtype, "L": length, "H": heads, "S": columns},
    )
    return out


def embed(tokens: mx.array, positions: mx.array, embedding: mx.array, positional: mx.array) -> mx.array:
    """Add rows `tokens` of `embedding` (V, D) and rows `positions` of `positional`: (B, L, D)."""
    width = embedding.shape[1]
    (out,) = EMBED(
        [tokens, positions, embedding, positional],
        [((*tokens.shape, width), embedding.dtype)],
        blocks=tokens.size,
        threads=THREADS,
        constants={"T": embedding.dtype},
        scalars=[width],
    )
    return out


def gelu(x: mx.array) -> mx.array:
    """Apply GELU to a multiple of 8 elements."""
    (out,) = GELU(
        [x],
        [(x.shape, x.dtype)],
        blocks=-(-x.size // 8 // THREADS),
        threads=THREADS,
        constants={"T": x.dtype},
        scalars=[x.size // 8],
    )
    return out


def place(keys: mx.array, values: mx.array, new_keys: mx.array, new_values: mx.array, rows: mx.array) -> mx.array:
    """Write new rows (N, H, keys, 64) INTO `keys` and `values` (B, H, keys, 64). Evaluate the result, which holds
    nothing, before they are read."""
    pieces, threads = keys[0].nbytes // 16, 96  # 1500 keys of a head are 125 times so many: no thread is left over
    blocks = new_keys.nbytes // 16 // threads
    (mark,) = PLACE(
        [keys, values, new_keys, new_values, rows],
        [((1,), mx.int32)],
        blocks=blocks,
        threads=threads,
        constants={},
        scalars=[pieces],
    )
    return mark


def linear(
    x: mx.array,
    weight: mx.array,
    bias: mx.array | None = None,
    residual: mx.array | None = None,
    *,
    norm: tuple[mx.array, mx.array] | None = None,
    gelu: bool = False,
    dtype: mx.Dtype | None = None,
) -> mx.array:
    """Multiply `x` (B, L, K) of up to `MAX_ROWS` rows by `weight` (N, K) transposed, plus `bias` (N,), through
    GELU, plus `residual` (B, L, N); in `dtype`, x's own by default.

    With `norm`, weight and bias (K,) of a layer norm, x is normalised first; up to `MAX_NORMED_ROWS` rows then."""
    count, size = weight.shape
    bands = -(-x.size // size // 16)
    tiles = 1 if count <= 2048 else 2 if count <= 4096 else 4
    flags = {"BIAS": bias is not None, "RESIDUAL": residual is not None, "NORM": norm is not None, "ERF": gelu}
    (out,) = LINEAR(
        [
            x,
            weight,
            weight if bias is None else bias,
            weight if residual is None else residual,
            *(norm or (weight, weight)),
        ],
        [((*x.shape[:-1], count), dtype or x.dtype)],
        blocks=-(-count // (8 * tiles)),
        threads=THREADS,
        constants={"T": x.dtype, "OUT": dtype or x.dtype, "BANDS": bands, "TILES": tiles, **flags},
        scalars=[x.size // size, count, size],
    )
    return out
