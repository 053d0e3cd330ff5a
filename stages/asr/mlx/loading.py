"""Loads what the converter writes and mlx-community publishes."""

from __future__ import annotations

from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
from mlx_whisper.load_models import load_model
from mlx_whisper.whisper import Whisper


def load_whisper(folder: Path, dtype: mx.Dtype = mx.float32) -> Whisper:
    """As mlx-whisper's `load_model`, which takes all that is quantised for of one number of bits: a layer's own is told by its shapes."""
    whisper = load_model(str(folder), dtype)
    for _, module in whisper.named_modules():
        if isinstance(module, nn.QuantizedLinear | nn.QuantizedEmbedding):
            module.bits = 32 * module.weight.shape[-1] // (module.scales.shape[-1] * module.group_size)
    return whisper
