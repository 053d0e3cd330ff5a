"""The time of each token, by dynamic time warping over the alignment heads' scores of the sound.

The method is OpenAI Whisper's (timing.py: find_alignment, median_filter, dtw), for a batch of texts and from
features at hand. Shapes: N texts, T tokens, F frames of 20 ms, A alignment heads.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import mlx.core as mx
import numba
import numpy as np

from sutradhar.stages.recognisers.mlx import cuda
from sutradhar.stages.recognisers.mlx.network import Network
from sutradhar.stages.recognisers.whisper.requests import Alignment

MEDIAN = 7  # frames
# Comparisons that bring the median of seven into the middle (Devillard, "Fast median search", 1998).
EXCHANGES = ((0, 5), (0, 3), (1, 6), (2, 4), (0, 1), (3, 5), (2, 6), (2, 3), (3, 6), (4, 5), (1, 4), (1, 3), (3, 4))


class Aligner:
    def __init__(self, network: Network) -> None:
        self._network = network
        layers: list[list[int]] = [[] for _ in range(network.dims.n_text_layer)]
        for layer, head in network.alignment_heads:
            layers[layer].append(head)
        self._attend = cuda.compiled(partial(self._costs, layers))

    def align(
        self,
        features: mx.array,
        starts: Sequence[Sequence[int]],
        texts: Sequence[Sequence[int]],
        eot: int,
        frames: Sequence[int],
    ) -> list[Alignment]:
        """Align texts with windows' features (N, 1500, D): the start sequence of each, ending in the token that
        announces text, its text, and the number of frames of the window that are sound."""
        rows = [[*start, *text, eot] for start, text in zip(starts, texts, strict=True)]
        length = padded(max(map(len, rows)))
        tokens = np.array([[*row, *[eot] * (length - len(row))] for row in rows], np.int32)
        lengths = (
            mx.array([len(start) for start in starts]),
            mx.array([len(row) for row in rows]),
            mx.array(list(frames)),
        )
        costs, likely = (np.array(values) for values in self._attend(mx.array(tokens), features, *lengths, eot))
        with ThreadPoolExecutor() as pool:
            return list(pool.map(_alignment, costs, likely, map(len, starts), map(len, texts), frames))

    def _costs(
        self,
        heads: Sequence[Sequence[int]],
        tokens: mx.array,
        features: mx.array,
        starts: mx.array,
        lengths: mx.array,
        frames: mx.array,
        eot: int,
    ) -> tuple[mx.array, mx.array]:
        """Compute the cost to say a token in a frame (N, T, F), and the probability of each token after those
        before it (N, T)."""
        x, scores = self._network.read(tokens, features, heads)
        place = mx.arange(tokens.shape[1])[None]
        spoken = ((place >= starts[:, None] - 1) & (place < lengths[:, None] - 1))[:, None, :, None]
        frame = mx.arange(features.shape[1])[None]
        heard = (frame < frames[:, None])[:, None, None]
        weights = mx.softmax(mx.where(heard, mx.concatenate(scores, axis=1), -mx.inf), axis=-1)
        # Normalised over all tokens of a text, its start included, as Whisper does.
        whole = (place < lengths[:, None])[:, None, :, None]
        count = lengths[:, None, None, None]
        mean = mx.where(whole, weights, 0).sum(axis=2, keepdims=True) / count
        variance = mx.where(whole, mx.square(weights - mean), 0).sum(axis=2, keepdims=True) / count
        weights = mx.where(heard & spoken, (weights - mean) * mx.rsqrt(mx.maximum(variance, 1e-20)), 0)
        costs = -_median(weights, frames).mean(axis=1)
        logits = self._network.logits(x)[:, :, :eot]
        following = mx.concatenate([tokens[:, 1:], tokens[:, :1]], axis=1)
        chosen = mx.take_along_axis(logits, mx.minimum(following, eot - 1)[..., None], axis=-1)[..., 0]
        return costs, mx.exp(chosen - mx.logsumexp(logits, axis=-1))


def padded(tokens: int) -> int:
    """Return one of a few lengths, so that few are compiled."""
    return -(-tokens // 32) * 32


def _median(values: mx.array, frames: mx.array) -> mx.array:
    """Return the median over `MEDIAN` frames around each, reflected at both ends of the sound. (N, A, T, F)"""
    frame, last = mx.arange(values.shape[-1])[None], frames[:, None] - 1
    neighbours = []
    for shift in range(-(MEDIAN // 2), MEDIAN // 2 + 1):
        index = mx.abs(frame + shift)
        index = mx.clip(mx.where(index > last, 2 * last - index, index), 0, last)
        neighbours.append(mx.take_along_axis(values, index[:, None, None], axis=-1))
    for low, high in EXCHANGES:
        neighbours[low], neighbours[high] = (
            mx.minimum(neighbours[low], neighbours[high]),
            mx.maximum(neighbours[low], neighbours[high]),
        )
    return neighbours[MEDIAN // 2]


def _alignment(costs: Any, likely: Any, start: int, length: int, frames: int) -> Alignment:
    rows = slice(start - 1, start + length)
    path = warp(np.ascontiguousarray(costs[rows, :frames], np.float32))
    return Alignment(
        [(int(token), int(frame)) for token, frame in path], likely[start - 1 : start - 1 + length].tolist()
    )


def _warp(costs: Any) -> Any:
    """Find the cheapest way through a matrix (T, F) from its first cell to its last, in steps right, down or both:
    pairs (row, column)."""
    rows, columns = costs.shape
    total = np.full((rows + 1, columns + 1), np.inf, np.float32)
    came_from = np.zeros((rows + 1, columns + 1), np.int8)
    total[0, 0] = 0
    for row in range(1, rows + 1):
        for column in range(1, columns + 1):
            both, down, right = total[row - 1, column - 1], total[row - 1, column], total[row, column - 1]
            if both < down and both < right:
                cheapest, origin = both, 0
            elif down < both and down < right:
                cheapest, origin = down, 1
            else:
                cheapest, origin = right, 2
            total[row, column] = costs[row - 1, column - 1] + cheapest
            came_from[row, column] = origin
    path = np.empty((rows + columns, 2), np.int32)
    count, row, column = 0, rows, columns
    while row > 0 and column > 0:
        path[count] = row - 1, column - 1
        count += 1
        origin = came_from[row, column]
        if origin != 2:
            row -= 1
        if origin != 1:
            column -= 1
    return path[:count][::-1]


warp = numba.njit(cache=True, nogil=True)(_warp)
