"""Load the converter's models and those of mlx-community, and only whole ones."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, cast

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_flatten
from mlx_whisper.whisper import ModelDimensions, Whisper
from numpy.typing import NDArray

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.models.content import dimensions_problem, read_json
from sutradhar.stages.recognisers.mlx.content import content_problem, weights_of

ALIGNMENT_HEADS = (
    "alignment_heads"  # not weights: models may come without, and mlx-whisper takes the upper half of all then
)
Heads = NDArray[np.int32]  # (count, 2): layer and head


def load_whisper(folder: Path, dtype: mx.Dtype = mx.float32) -> Whisper:
    """Load like mlx-whisper's `load_model`, which leaves random numbers where the file has no weights, and takes
    all that is quantised for the same number of bits. `dtype` is that of the encoder's positions; weights keep
    theirs. Raises UsageError."""
    try:
        dims, weights = read_folder(folder)
        whisper = Whisper(dims, dtype)
        _quantise_alike(whisper, weights)
        check_weights(weights, whisper)
        heads = pop_heads(weights, dims)
        whisper.load_weights(list(weights.items()), strict=False)
        _evaluate(whisper)
    except UsageError as error:
        raise UsageError(f"{folder} cannot be loaded: {error}. Get or convert the model again") from None
    if heads is not None:
        whisper.set_alignment_heads(heads)
    return whisper


def read_folder(folder: Path) -> tuple[ModelDimensions, dict[str, mx.array]]:
    """Return the dimensions, and the stored arrays: weights and perhaps alignment heads. Raises UsageError."""
    if reason := content_problem(folder):
        raise UsageError(reason)
    return dimensions(read_json(folder / "config.json")), load_arrays(weights_of(folder))


def pop_heads(arrays: dict[str, mx.array], dims: ModelDimensions) -> Heads | None:
    """Take out the alignment heads. Raises UsageError for heads that the model does not have."""
    heads = arrays.pop(ALIGNMENT_HEADS, None)
    return None if heads is None else as_heads(heads.tolist(), dims)


def _evaluate(whisper: Whisper) -> None:
    """Have the file read, which MLX puts off. Raises UsageError where an archive turns out to be damaged then."""
    try:
        mx.eval(whisper.parameters())
    except RuntimeError as error:
        if "BadZipFile" not in str(error):
            raise  # such as a lack of memory
        raise UsageError("its weights.npz is damaged") from None


def check_weights(weights: Mapping[str, mx.array], whisper: Whisper) -> None:
    """Raise UsageError unless these are the network's own, by name and shape: all of them, and no other. Alignment
    heads are let pass."""
    needed = {name: array.shape for name, array in named_arrays(whisper).items()}
    needed.pop(ALIGNMENT_HEADS)
    for name, shape in needed.items():
        if name not in weights:
            raise UsageError(f"it has no {name}")
        if weights[name].shape != shape:
            raise UsageError(f"{name} is {weights[name].shape}, not {shape}")
    if surplus := sorted(weights.keys() - needed - {ALIGNMENT_HEADS}):
        raise UsageError(f"Whisper has no {surplus[0]}")


def _quantise_alike(whisper: Whisper, weights: Mapping[str, mx.array]) -> None:
    """Quantise the layers that are quantised in the file, each with its own number of bits."""
    try:
        nn.quantize(whisper, class_predicate=partial(_quantisation, weights))
    except (ValueError, LookupError, ZeroDivisionError):
        raise UsageError("its quantised weights are of no shape that MLX knows") from None


def _quantisation(weights: Mapping[str, mx.array], name: str, layer: Any) -> dict[str, int] | bool:
    """Return group size and bits of a layer, told by the shapes of its stored arrays; False for a plain one."""
    if f"{name}.scales" not in weights or not hasattr(layer, "to_quantized"):
        return False
    width, groups = layer.weight.shape[-1], weights[f"{name}.scales"].shape[-1]
    return {"group_size": width // groups, "bits": 32 * weights[f"{name}.weight"].shape[-1] // width}


# --- Parts, which the readers of other forms need too


def named_arrays(model: Any) -> dict[str, mx.array]:
    return dict(cast(list[tuple[str, mx.array]], tree_flatten(model.parameters())))


def load_arrays(path: Path) -> dict[str, mx.array]:
    """Load a .safetensors or .npz file. Raises UsageError."""
    try:
        return dict(cast(dict[str, mx.array], mx.load(str(path))))
    except (RuntimeError, ValueError, zipfile.BadZipFile):
        raise UsageError(f"its {path.name} is damaged") from None


def dimensions(values: Mapping[str, object]) -> ModelDimensions:
    """Return the dimensions. Raises UsageError."""
    if reason := dimensions_problem(values):
        raise UsageError(reason)
    return ModelDimensions(**{field.name: values[field.name] for field in fields(ModelDimensions)})


def as_heads(pairs: object, dims: ModelDimensions) -> Heads | None:
    """Convert pairs to heads. Raises UsageError for heads that the model does not have."""
    if not pairs:
        return None
    try:
        heads = np.array(pairs, np.int32)
    except (ValueError, TypeError):
        heads = np.empty(0, np.int32)
    if (
        heads.ndim != 2
        or heads.shape[1] != 2
        or heads.min() < 0
        or (heads >= (dims.n_text_layer, dims.n_text_head)).any()
    ):
        raise UsageError(f"its alignment heads are {pairs!r}")
    return heads
