"""The largest of many numbers, on MLX."""

from __future__ import annotations

import mlx.core as mx

CHUNK = 128  # numbers whose maximum is looked at before they are


def largest(values: mx.array, count: int) -> tuple[mx.array, mx.array]:
    """Return the `count` largest of each row (R, V), in order, and their places.

    They lie in the chunks whose maxima are largest: only these are sorted."""
    rows, size = values.shape
    chunks = -(-size // CHUNK)
    padded = mx.pad(values, ((0, 0), (0, chunks * CHUNK - size)), constant_values=-mx.inf).reshape(rows, chunks, CHUNK)
    likely = mx.argsort(-padded.max(axis=-1), axis=-1)[:, :count]
    candidates = mx.take_along_axis(padded, likely[:, :, None], axis=1).reshape(rows, -1)
    order = mx.argsort(-candidates, axis=-1)[:, :count]
    places = mx.take_along_axis(likely, order // CHUNK, axis=-1) * CHUNK + order % CHUNK
    return mx.take_along_axis(candidates, order, axis=-1), places
