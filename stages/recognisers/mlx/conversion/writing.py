"""Write a model as mlx-whisper loads it, and check the result."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import mlx.core as mx
import numpy as np
from mlx.nn.layers.quantized import quantize
from mlx.utils import tree_unflatten
from mlx_whisper.whisper import Whisper

from sutradhar.pipeline.errors import SutradharError, UsageError
from sutradhar.stages.recognisers.conversion.decoded import difference, noise, refuse_beyond
from sutradhar.stages.recognisers.mlx.conversion.mlx_folder import decode
from sutradhar.stages.recognisers.mlx.conversion.original import Original
from sutradhar.stages.recognisers.mlx.loading import load_whisper, named_arrays

FILES = ("config.json", "weights.safetensors")
GROUP = 64  # weights that share a scale, as in mlx-community's quantised models
# Only the decoder's own attention and its feed-forward are in 4 bits, the rest in 6, as in mlx-lm's recipe
# mixed_4_6. WER of Whisper base on LibriSpeech, LJSpeech, Common Voice, telephone: float32 1.8 2.7 11.5 4.7; all
# in 4 bits 5.5 3.4 16.2 7.5; so 1.8 3.4 12.5 5.6.
SENSITIVE_BITS = 6
DTYPES = {"float16": mx.float16, "float32": mx.float32}
# The allowed distance of a model from its original, as a share of the spread of the numbers. Measured with Whisper
# base: as read 2e-5 (with GELU's approximation by tanh it would be 7e-2); the encoded sound in 8 bit 0.02, in 4
# bit (its encoder in 6) 0.08; a weight in 8 bit 0.008, in 4 bit 0.12.
EXACT = 2e-4
ENCODED = {"float32": EXACT, "float16": 1e-2, "8 bit": 0.1, "4 bit": 0.3}
WEIGHTS = {"float32": 1e-6, "float16": 1e-3, "8 bit": 0.02, "4 bit": 0.2}


@dataclass(frozen=True)
class NumberFormat:
    dtype: str = "float16"
    bits: int = 0  # 4 or 8: weights of linear layers and embeddings are quantised, the rest stays `dtype`

    @property
    def name(self) -> str:
        return f"{self.bits} bit" if self.bits else self.dtype

    @property
    def full_name(self) -> str:
        return f"{self.bits} bit beside {self.dtype}" if self.bits else self.dtype

    @property
    def tolerance(self) -> float:
        """Return the allowed distance of the encoded sound from the original's, as a share."""
        return ENCODED[self.name]

    def of_layer(self, name: str) -> dict[str, int]:
        """Return group size and bits of a layer that is quantised."""
        sensitive = name == "decoder.token_embedding" or name.startswith("encoder.") or ".cross_attn." in name
        return {"group_size": GROUP, "bits": SENSITIVE_BITS if sensitive and self.bits == 4 else self.bits}


def write(folder: Path, original: Original, numbers: NumberFormat) -> None:
    """Write the files `FILES`. Raises UsageError for a model that cannot be quantised, and OSError."""
    model = _build(original)
    model.set_dtype(DTYPES[numbers.dtype])
    if original.heads is not None:
        model.set_alignment_heads(original.heads)
    config: dict[str, object] = {"model_type": "whisper", **asdict(original.dims)}
    if numbers.bits:
        if original.dims.n_audio_state % GROUP or original.dims.n_text_state % GROUP:
            raise UsageError(f"its width is no multiple of {GROUP}, so it cannot be quantised")
        quantize(model, class_predicate=lambda name, layer: hasattr(layer, "to_quantized") and numbers.of_layer(name))
        config["quantization"] = {"group_size": GROUP, "bits": numbers.bits}
    _make_room(folder, original, numbers)
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    try:
        mx.save_safetensors(str(folder / "weights.safetensors"), named_arrays(model), {"format": "mlx"})
    except RuntimeError as error:
        raise OSError(f"weights.safetensors: {error}") from None


def _make_room(folder: Path, original: Original, numbers: NumberFormat) -> None:
    needed = sum(array.size for array in original.weights.values()) * DTYPES[numbers.dtype].size
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise UsageError(
            f"The model needs {needed / 1e9:.1f} GB in {folder.parent},"
            f" where {free / 1e9:.1f} GB are free; make room and try again"
        )


def _build(original: Original) -> Whisper:
    model = Whisper(original.dims, mx.float32)
    model.update(tree_unflatten(list(original.weights.items())))
    return model


def check(folder: Path, original: Original, numbers: NumberFormat) -> float:
    """Decode a fixed input with the original by its own engine, and with the written model; return the distance of
    the encoded sound, as a share.

    The weights as they were read come first, and must agree to the last digits; then each written weight is
    compared with its original. For quantisation to 4 bit changes the results of a small model so much that an
    error could hide in it. Raises SutradharError where anything differs by more than the number format explains.
    """
    mel = noise(original.dims.n_mels)
    expected = original.decode(mel)
    as_read = decode(_build(original), mel, expected.tokens, original.positions)
    refuse_beyond(EXACT, "the sound", difference(as_read.encoded, expected.encoded).max())
    refuse_beyond(EXACT, "the text", difference(as_read.logits, expected.logits).max())
    written = load_whisper(folder)
    _compare_weights(written, original, numbers)
    found = decode(written, mel, expected.tokens, original.positions)
    apart = float(difference(found.encoded, expected.encoded).mean())
    refuse_beyond(numbers.tolerance, f"the sound in {numbers.name}", apart)
    return apart


def _compare_weights(written: Whisper, original: Original, numbers: NumberFormat) -> None:
    if original.heads is not None and not np.array_equal(np.array(written.alignment_heads), original.heads):
        raise SutradharError("Its alignment heads were not kept")
    stored = named_arrays(written)
    for name, weight in original.weights.items():
        layer = name.removesuffix(".weight")
        copy = (
            stored[name].astype(mx.float32) if f"{layer}.scales" not in stored else _dequantised(stored, layer, numbers)
        )
        error = mx.linalg.norm(copy - weight) / mx.maximum(mx.linalg.norm(weight.astype(mx.float32)), 1e-9)
        refuse_beyond(WEIGHTS[numbers.name], name, cast(float, error.item()))


def _dequantised(stored: dict[str, mx.array], layer: str, numbers: NumberFormat) -> mx.array:
    scales, biases = (stored[f"{layer}.{kind}"].astype(mx.float32) for kind in ("scales", "biases"))
    return mx.dequantize(stored[f"{layer}.weight"], scales, biases, **numbers.of_layer(layer))
