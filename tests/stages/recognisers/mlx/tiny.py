"""Whispers of random weights, small enough for MLX's CPU wheel, that write texts of all lengths."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import mlx.core as mx
import numpy as np
from mlx.utils import tree_flatten, tree_unflatten
from mlx_whisper.whisper import ModelDimensions, Whisper

from sutradhar.stages.recognisers.mlx.choice import Search
from sutradhar.stages.recognisers.mlx.network import Network
from sutradhar.stages.recognisers.mlx.rules import Vocabulary
from sutradhar.stages.recognisers.mlx.slots import Slots, Task, Text
from sutradhar.stages.recognisers.mlx.tokens import vocabulary_of

WIDTH, MELS, FRAMES = 128, 8, 60
SMALL = Vocabulary(
    size=700,
    eot=500,
    sot=501,
    no_speech=507,
    no_timestamps=508,
    timestamp_begin=509,
    suppressed=(7, 11, 501, 504, 505, 506, 507),
    blank=(0, 500),
)
LANGUAGES = {"en": 502, "hi": 503}
PLAIN, TIMED = (501, 502, 505, 508), (501, 502, 505)  # prompts
COLUMNS = 64


def make_whisper(tokens: int = SMALL.size, context: int = 448, frames: int = FRAMES, layers: int = 2) -> Whisper:
    """Of weights that make every part matter, with an end of text and times that are likelier than other tokens."""
    mx.set_default_device(mx.Device(mx.cpu))  # GPUs have kernels of their own, and round
    whisper = Whisper(ModelDimensions(MELS, frames, WIDTH, 2, 1, tokens, context, WIDTH, 2, layers), mx.float32)
    random = np.random.default_rng(0)
    weights = {
        name: random.normal(0, 0.15, weight.shape).astype(np.float32)
        for name, weight in tree_flatten(whisper.parameters())
    }
    for name, weight in weights.items():
        if name.endswith(("ln.weight", "ln_post.weight")):
            weight += 1
    eot, timestamp_begin = (SMALL.eot, SMALL.timestamp_begin) if tokens == SMALL.size else (50_257, 50_364)
    embedding = weights["decoder.token_embedding.weight"]
    embedding[eot] *= 4
    embedding[timestamp_begin:] *= 2
    whisper.update(
        tree_unflatten([(name, mx.array(weight)) for name, weight in weights.items() if name != "alignment_heads"])
    )
    mx.eval(whisper.parameters())
    return whisper


@cache
def small() -> Network:
    return Network(make_whisper(), mx.float32)


@cache
def multilingual() -> tuple[Whisper, Network]:
    """With the tokens of Whisper itself."""
    whisper = make_whisper(51_865)
    return whisper, Network(whisper, mx.float32)


def sound(number: int) -> mx.array:
    """Encoder output of a window (frames, D)."""
    return mx.array(np.random.default_rng(number).normal(size=(FRAMES, WIDTH)).astype(np.float32))


def decode(
    tasks: Sequence[Task], slots: int = 3, search: Search | None = None, network: Network | None = None
) -> list[Text]:
    """Texts in the order of the tasks, each of which takes the next slot that is free."""
    network = network or small()
    vocabulary = SMALL if network.dims.n_vocab == SMALL.size else vocabulary_of(network)
    decoder = Slots(network, vocabulary, search or Search(), slots, COLUMNS)
    waiting, texts = list(enumerate(tasks)), dict[int, Text]()
    while waiting or decoder.busy:
        if waiting and decoder.room:
            admitted = waiting[: decoder.room]
            decoder.admit(admitted)
            waiting = waiting[len(admitted) :]
        texts.update(decoder.advance())
    return [texts[number] for number in range(len(tasks))]
