"""The result of every reader of a model: its weights under mlx-whisper's names, and a way to run it by another
engine than MLX."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import mlx.core as mx
import numpy as np
from mlx_whisper.whisper import ModelDimensions, Whisper, sinusoids
from numpy.typing import NDArray

from sutradhar.pipeline.errors import UsageError
from sutradhar.stages.recognisers.conversion.decoded import Decoded
from sutradhar.stages.recognisers.mlx.loading import Heads, check_weights

POSITIONS = "encoder.positional_embedding"  # constants, so not among mlx-whisper's weights


@dataclass(frozen=True)
class Original:
    dims: ModelDimensions
    weights: dict[str, mx.array]  # all weights that mlx-whisper loads, without the alignment heads
    positions: mx.array | None  # the encoder's, (n_audio_ctx, n_audio_state): mlx-whisper computes its own
    heads: Heads | None  # the heads whose attention tells when a word is spoken; None where the model does not say
    decode: Callable[
        [NDArray[np.float32]], Decoded
    ]  # from a mel spectrogram (1, n_mels, frames), frames even and at most 3000


def from_torch_layout(
    weights: Mapping[str, mx.array],
    dims: ModelDimensions,
    heads: Heads | None,
    decode: Callable[[NDArray[np.float32]], Decoded],
) -> Original:
    """Convert weights with mlx-whisper's names and PyTorch's convolutions (out, in, width).

    Raises UsageError where they are not exactly a Whisper of these dimensions.
    """
    rest = {
        name: array.swapaxes(1, 2) if ".conv" in name and array.ndim == 3 else array for name, array in weights.items()
    }
    positions = rest.pop(POSITIONS, None)
    if positions is not None:
        _check_positions(positions, dims)
    check_weights(rest, Whisper(dims))
    return Original(dims, rest, positions, heads, decode)


def _check_positions(positions: mx.array, dims: ModelDimensions) -> None:
    computed = sinusoids(dims.n_audio_ctx, dims.n_audio_state)
    if positions.shape != computed.shape or bool(
        mx.abs(positions - computed).max() > 1e-2
    ):  # bfloat16 rounds by up to 4e-3
        raise UsageError("its encoder's positions are not Whisper's sinusoids, which is what MLX would use")
