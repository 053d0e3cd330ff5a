"""The files of a checkpoint in the hub's form: config.json, dict.*.json, model.SRC and model.TGT, model.safetensors."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from sutradhar.pipeline.errors import UsageError

Array = NDArray[Any]
WEIGHTS = "model.safetensors"
PADDING_ROW = 1  # of the positional table; the first token has the row after it
OUTPUT, TARGET_EMBEDDING = "lm_head.weight", "model.decoder.embed_tokens.weight"


@dataclass(frozen=True)
class Shape:
    encoder_layers: int
    decoder_layers: int
    heads: int
    width: int
    source_vocabulary: int
    target_vocabulary: int
    positions: int  # tokens that a text may have
    tied: bool  # the output layer is the target embedding
    embedding_norm: bool


def read_shape(folder: Path) -> Shape:
    """Read config.json. Raises UsageError where it is none of an IndicTrans2 that we know."""
    config = read_json(folder / "config.json")
    if config.get("model_type") != "IndicTrans":
        raise UsageError(f"{folder}: config.json calls it {config.get('model_type')!r}, not 'IndicTrans'")
    expected = {
        "activation_function": "gelu",
        "encoder_normalize_before": True,
        "decoder_normalize_before": True,
        "scale_embedding": True,
        "decoder_attention_heads": config.get("encoder_attention_heads"),
        "decoder_embed_dim": config.get("encoder_embed_dim"),
    }
    for name, value in expected.items():
        if config.get(name) != value:
            raise UsageError(f"{folder}: {name} is {config.get(name)!r}; an IndicTrans2 has {value!r}")
    try:
        found = {
            "encoder_layers": config["encoder_layers"],
            "decoder_layers": config["decoder_layers"],
            "heads": config["encoder_attention_heads"],
            "width": config["encoder_embed_dim"],
            "source_vocabulary": config["encoder_vocab_size"],
            "target_vocabulary": config["decoder_vocab_size"],
            "positions": min(config["max_source_positions"], config["max_target_positions"]),
            "tied": config["share_decoder_input_output_embed"],
            "embedding_norm": config["layernorm_embedding"],
        }
        return msgspec.convert(found, Shape)
    except KeyError as error:
        raise UsageError(f"{folder}: config.json has no {error}") from None
    except (TypeError, msgspec.ValidationError) as error:
        raise UsageError(f"{folder}: config.json is damaged ({error}); get the model again") from None


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object. Raises UsageError."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        content = None
    if not isinstance(content, dict):
        raise UsageError(f"{path} is missing or damaged")
    return content


def read_weights(folder: Path, shape: Shape) -> dict[str, Array]:
    """Read all arrays by the hub's names; a tied output layer has the target embedding's alone. Raises UsageError
    where one is missing, has another shape, or is left over."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        weights = load_file(folder / WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise UsageError(f"{folder / WEIGHTS} is damaged ({error}); get it again") from None
    weights = {name: array for name, array in weights.items() if "embed_positions" not in name}
    if shape.tied and OUTPUT in weights:
        weights.setdefault(TARGET_EMBEDDING, weights[OUTPUT])
        del weights[OUTPUT]
    expected = weight_shapes(shape, weights)
    if wrong := sorted(expected.keys() ^ weights.keys()):
        raise UsageError(
            f"{folder / WEIGHTS} does not fit its config.json: "
            f"{wrong[0]} is {'missing' if wrong[0] in expected else 'unknown'}"
        )
    for name, sizes in expected.items():
        if weights[name].shape != sizes:
            raise UsageError(
                f"{folder / WEIGHTS} does not fit its config.json: {name} is {weights[name].shape}, not {sizes}"
            )
    return weights


def weight_shapes(shape: Shape, weights: Mapping[str, Array] | None = None) -> dict[str, tuple[int, ...]]:
    """Return the shapes in a checkpoint. The inner width of the feed-forward layers is that of `weights`, else that
    of the released models."""
    width = shape.width
    inner = 8 * width if not shape.tied else 4 * width
    found: dict[str, tuple[int, ...]] = {}

    def linear(name: str, outputs: int, inputs: int) -> None:
        found.update({f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)})

    def norm(name: str) -> None:
        found.update({f"{name}.weight": (width,), f"{name}.bias": (width,)})

    for side, layers, vocabulary in (
        ("encoder", shape.encoder_layers, shape.source_vocabulary),
        ("decoder", shape.decoder_layers, shape.target_vocabulary),
    ):
        found[f"model.{side}.embed_tokens.weight"] = (vocabulary, width)
        norm(f"model.{side}.layer_norm")
        if shape.embedding_norm:
            norm(f"model.{side}.layernorm_embedding")
        for number in range(layers):
            layer = f"model.{side}.layers.{number}"
            first = (weights or {}).get(f"{layer}.fc1.weight")
            wide = first.shape[0] if first is not None and first.ndim == 2 else inner
            attentions = ["self_attn"] if side == "encoder" else ["self_attn", "encoder_attn"]
            for attention in attentions:
                for part in ("q", "k", "v", "out"):
                    linear(f"{layer}.{attention}.{part}_proj", width, width)
                norm(f"{layer}.{attention}_layer_norm")
            linear(f"{layer}.fc1", wide, width)
            linear(f"{layer}.fc2", width, wide)
            norm(f"{layer}.final_layer_norm")
    if not shape.tied:
        found[OUTPUT] = (shape.target_vocabulary, width)
    return found


def positional_table(tokens: int, width: int) -> Array:
    """Return the rows (tokens, width) of the first tokens: fairseq's sinusoids, sines in the first half and cosines
    in the second, for positions counted from `PADDING_ROW` + 1."""
    half = width // 2
    rates = np.exp(np.arange(half) * (-math.log(10_000) / (half - 1)))
    angles = (np.arange(tokens)[:, None] + PADDING_ROW + 1) * rates
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)
