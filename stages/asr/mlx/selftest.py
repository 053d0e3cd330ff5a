"""Checks, before a model is used, that this build of MLX computes what it should: some have not.

Known faults that this would show: two-pass attention wrong on one GPU (ml-explore/mlx#4022), precision lost in products of
broadcast matrices (#3953).
"""

from __future__ import annotations

import mlx.core as mx
import numpy as np

from stages.asr.mlx.choice import Search
from stages.asr.mlx.network import Network
from stages.asr.mlx.rules import Vocabulary
from stages.asr.mlx.slots import Slots, Task

ROWS = 3
TOLERANCE = {mx.float32: 2e-3, mx.float16: 0.05, mx.bfloat16: 0.4}  # of the largest logit of the plain computation


class BrokenBuild(RuntimeError):
    """This build of MLX computes something wrong."""


def check(network: Network, vocabulary: Vocabulary, search: Search = Search(), rows: int = ROWS) -> None:  # noqa: B008, a constant
    """Decode random sound in `rows` slots at once, step by step, and read the same text in one go with attention written out.
    Raises BrokenBuild."""
    width = network.dims.n_text_state
    noise = np.random.default_rng(1).normal(size=(network.frames, width)).astype(np.float32)
    features = mx.array(noise).astype(network.dtype)
    prompt = (vocabulary.sot, *vocabulary.blank[:2])
    slots = Slots(network, vocabulary, search, max(2, rows), columns=64)
    logits = slots.trial(Task(features, prompt))
    apart = float(np.abs(logits - logits[:, :1]).max() / np.abs(logits).max())
    if not apart < TOLERANCE[network.dtype] / 10:  # rounding may depend on the row: matrix products treat the last ones of a tile apart
        raise BrokenBuild(f"the same window gives different results in different rows of a batch ({apart:.1%} apart)")
    plain = np.array(network.read_plainly(mx.array([prompt]), features[None]))[0]
    off = float(np.abs(logits[:, 0] - plain).max() / np.abs(plain).max())
    if not off < TOLERANCE[network.dtype]:
        raise BrokenBuild(f"the fused decoder is {off:.1%} off the plain computation")
