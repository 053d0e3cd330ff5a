"""Check, before a model is used, that this build of MLX computes rightly: some have not.

Known faults that this would show: two-pass attention wrong on one GPU (ml-explore/mlx#4022), precision lost in
products of broadcast matrices (#3953).
"""

from __future__ import annotations

from dataclasses import dataclass

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from sutradhar.stages.recognisers.mlx.choice import Search
from sutradhar.stages.recognisers.mlx.network import Network
from sutradhar.stages.recognisers.mlx.rules import Vocabulary
from sutradhar.stages.recognisers.mlx.slots import Slots, Task

Array = NDArray[np.float32]
ROWS = 3
# Shares of the largest number. The most that was seen with base, large-v3 and turbo on an H200: 0.0019 (TF32),
# 0.0126, 0.0489; a fiftieth of the sound lost is 0.23.
TOLERANCE = {mx.float32: 4e-3, mx.float16: 0.03, mx.bfloat16: 0.1}
ROWS_APART = (
    0.25  # of the tolerance; rounding may depend on the row: matrix products treat the last ones of a tile apart
)


class BrokenBuild(RuntimeError):
    """The error of a build of MLX that computes wrongly."""


@dataclass(frozen=True)
class Deviations:
    """Largest differences, as shares of the largest number of each."""

    encoder: float  # fused attention against attention written out
    decoder: float  # the same, for the logits
    rows: float  # logits of the same window in different rows of a batch


def check(network: Network, vocabulary: Vocabulary, search: Search = Search(), rows: int = ROWS) -> None:  # noqa: B008
    """Decode random sound in `rows` slots at once, step by step, and read the same text in one go with attention
    written out. Raises BrokenBuild."""
    found, most = measure(network, vocabulary, search, rows), TOLERANCE[network.dtype]
    if not found.encoder < most:
        raise BrokenBuild(f"the fused encoder is {found.encoder:.1%} off the plain computation")
    if not found.rows < ROWS_APART * most:
        raise BrokenBuild(
            f"the same window gives different results in different rows of a batch ({found.rows:.1%} apart)"
        )
    if not found.decoder < most:
        raise BrokenBuild(f"the fused decoder is {found.decoder:.1%} off the plain computation")


def measure(network: Network, vocabulary: Vocabulary, search: Search, rows: int) -> Deviations:
    noise = np.random.default_rng(1).normal(size=(1, 2 * network.frames, network.dims.n_mels)).astype(np.float32)
    features, plain_features = network.encode(mx.array(noise)), network.encode_plainly(mx.array(noise))
    prompt = (vocabulary.sot, *vocabulary.blank[:2])
    slots = Slots(network, vocabulary, search, max(2, rows), columns=64)
    logits = slots.trial(Task(features[0], prompt))
    plain = np.array(network.read_plainly(mx.array([prompt]), features))[0]
    return Deviations(
        encoder=_deviation(np.array(features.astype(mx.float32)), np.array(plain_features.astype(mx.float32))),
        decoder=_deviation(logits[:, 0], plain),
        rows=_deviation(logits, logits[:, :1]),
    )


def _deviation(found: Array, expected: Array) -> float:
    return float(np.abs(found - expected).max() / np.abs(expected).max())
