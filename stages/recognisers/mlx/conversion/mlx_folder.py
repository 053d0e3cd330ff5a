"""Read a model that has mlx-whisper's form already, to quantise it; and run one, for comparison."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import mlx.core as mx
import numpy as np
from mlx_whisper.whisper import Whisper
from numpy.typing import NDArray

from sutradhar.pipeline.errors import UsageError
from sutradhar.stages.recognisers.conversion.decoded import TEXT_TOKENS, Decoded, text_tokens
from sutradhar.stages.recognisers.mlx.conversion.original import Original
from sutradhar.stages.recognisers.mlx.loading import check_weights, load_whisper, pop_heads, read_folder


def read(folder: Path) -> Original:
    """Read a folder. Raises UsageError."""
    dims, weights = read_folder(folder)
    if any(name.endswith(".scales") for name in weights):
        raise UsageError("it is quantised already; take the model it was made of")
    check_weights(weights, Whisper(dims))
    return Original(dims, weights, None, pop_heads(weights, dims), partial(_decode_folder, folder))


def _decode_folder(folder: Path, mel: NDArray[np.float32]) -> Decoded:
    model = load_whisper(folder)
    return decode(model, mel, text_tokens(model.dims.n_vocab))


def decode(model: Whisper, mel: NDArray[np.float32], tokens: list[int], positions: mx.array | None = None) -> Decoded:
    """Decode with mlx-whisper, with the encoder's `positions` where they are given. This changes the model: its
    positions are cut to the input.

    Positions of float32 make the whole computation float32, with weights of any type.
    """
    encoder, decoder = model.encoder, model.decoder
    encoder._positional_embedding = (encoder._positional_embedding if positions is None else positions)[
        : mel.shape[2] // 2
    ].astype(mx.float32)
    decoder.positional_embedding = decoder.positional_embedding.astype(mx.float32)
    encoded = model.embed_audio(mx.array(mel).swapaxes(1, 2))
    logits = model.logits(mx.array([tokens]), encoded)[0, -TEXT_TOKENS:]
    return Decoded(np.array(encoded[0]), tokens, np.array(logits))
