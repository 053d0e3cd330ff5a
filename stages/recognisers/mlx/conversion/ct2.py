"""Read CTranslate2's form of Whisper: `model.bin`, `config.json` and a vocabulary.

The layout is that of `ctranslate2/specs/model_spec.py` (`_serialize`, `_quantize`) and of `WhisperLoader` in
`ctranslate2/converters/transformers.py`, CTranslate2 4.8.
"""

from __future__ import annotations

import struct
from functools import partial
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
from mlx_whisper.whisper import ModelDimensions
from numpy.typing import NDArray

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.models.content import read_json
from sutradhar.stages.recognisers.conversion.decoded import by_ctranslate
from sutradhar.stages.recognisers.mlx.conversion.original import POSITIONS, Original, from_torch_layout
from sutradhar.stages.recognisers.mlx.loading import as_heads, dimensions

VERSIONS = range(4, 7)  # of the file; files before 4 did not say the type of a number
SPECIFICATION = ("WhisperSpec", 3)
TYPES = ("<f4", "i1", "<i2", "<i4", "<f2", "<u2")  # the last is bfloat16, which NumPy does not have
BFLOAT16 = 5
GELU = 3
LAYER = {  # the single parts of a layer
    "attn_ln": "self_attention/layer_norm",
    "attn.out": "self_attention/linear_1",
    "mlp_ln": "ffn/layer_norm",
    "mlp1": "ffn/linear_0",
    "mlp2": "ffn/linear_1",
}
CROSS_LAYER = {
    "cross_attn_ln": "attention/layer_norm",
    "cross_attn.query": "attention/linear_0",
    "cross_attn.out": "attention/linear_2",
}


class Variables:
    """The named arrays of a `model.bin`, read when asked for. Raises UsageError for a file that is no Whisper
    model, or damaged."""

    def __init__(self, path: Path) -> None:
        self._arrays: dict[str, NDArray[Any]] = {}
        self._bfloat16: set[str] = set()
        self._aliases: dict[str, str] = {}
        try:
            self._data: NDArray[np.uint8] = np.memmap(path, np.uint8, "r")
            self._at = 0
            self._read()
        except (struct.error, ValueError, IndexError):
            raise UsageError(f"{path.name} is damaged, or no CTranslate2 model") from None

    def __contains__(self, name: str) -> bool:
        return self._aliases.get(name, name) in self._arrays

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return an array; quantised ones as the float32 that they stand for."""
        name = self._aliases.get(name, name)
        if name not in self._arrays:
            raise UsageError(f"it has no {name}")
        array = self._arrays[name]
        if name in self._bfloat16:
            return (array.astype(np.uint32) << 16).view(np.float32)
        if f"{name}_scale" not in self._arrays:
            return array
        scale = self._arrays[f"{name}_scale"]
        plain: NDArray[Any] = array.astype(np.float32) / scale.reshape(
            scale.shape + (1,) * (array.ndim - scale.ndim) if scale.ndim else ()
        )
        return plain

    def scalar(self, name: str, default: int) -> int:
        return int(self[name].item()) if name in self else default

    def layers(self, part: str) -> int:
        return len(
            {name.split("/")[1] for name in self._arrays.keys() | self._aliases if name.startswith(f"{part}/layer_")}
            - {"layer_norm"}
        )

    def _read(self) -> None:
        version = self._number("I")
        if version not in VERSIONS:
            raise UsageError(
                f"model.bin is of version {version}, not {VERSIONS[0]} to {VERSIONS[-1]};"
                " convert the model for CTranslate2 anew"
            )
        specification = (self._text(), self._number("I"))
        if specification != SPECIFICATION:
            raise UsageError(
                f"model.bin holds a {specification[0]} of revision {specification[1]},"
                f" not a {SPECIFICATION[0]} of {SPECIFICATION[1]}"
            )
        for _ in range(self._number("I")):
            self._read_variable()
        for _ in range(self._number("I")):
            alias = self._text()
            self._aliases[alias] = self._text()

    def _read_variable(self) -> None:
        name = self._text()
        shape = [self._number("I") for _ in range(self._number("B"))]
        kind = self._number("B")
        size = self._number("I")
        self._arrays[name] = self._data[self._at : self._at + size].view(TYPES[kind]).reshape(shape)
        if kind == BFLOAT16:
            self._bfloat16.add(name)
        self._at += size

    def _number(self, kind: str) -> int:
        (value,) = struct.unpack_from(f"<{kind}", self._data.data, self._at)
        self._at += struct.calcsize(kind)
        return int(value)

    def _text(self) -> str:
        length = self._number("H")
        text = self._data[self._at : self._at + length - 1].tobytes().decode()
        self._at += length
        return text


def read(folder: Path) -> Original:
    """Read a folder. Raises UsageError."""
    config = read_json(folder / "config.json")
    if config.get("quantization_type"):
        raise UsageError(
            "its weights are AWQ-quantised, which only CTranslate2 can read; take the model they were made of"
        )
    variables = Variables(folder / "model.bin")
    _check_kind(variables)
    dims = _dimensions(variables)
    arrays = {name: mx.array(np.ascontiguousarray(array)) for name, array in _weights(variables, dims).items()}
    return from_torch_layout(
        arrays, dims, as_heads(config.get("alignment_heads"), dims), partial(by_ctranslate, folder)
    )


def _check_kind(variables: Variables) -> None:
    if variables.scalar("decoder/activation", GELU) != GELU or not variables.scalar("decoder/pre_norm", 1):
        raise UsageError("its layers are not Whisper's")
    embeddings, projection = "decoder/embeddings/weight", "decoder/projection/weight"
    if projection in variables and not np.array_equal(variables[embeddings], variables[projection]):
        raise UsageError("its output layer is not its embedding, as in Whisper")


def _dimensions(variables: Variables) -> ModelDimensions:
    n_audio_ctx, n_audio_state = variables["encoder/position_encodings/encodings"].shape
    n_text_ctx, n_text_state = variables["decoder/position_encodings/encodings"].shape
    return dimensions(
        {
            "n_mels": variables["encoder/conv1/weight"].shape[1],
            "n_audio_ctx": n_audio_ctx,
            "n_audio_state": n_audio_state,
            "n_audio_head": variables.scalar("encoder/num_heads", 8),
            "n_audio_layer": variables.layers("encoder"),
            "n_vocab": variables["decoder/embeddings/weight"].shape[0],
            "n_text_ctx": n_text_ctx,
            "n_text_state": n_text_state,
            "n_text_head": variables.scalar("decoder/num_heads", 8),
            "n_text_layer": variables.layers("decoder"),
        }
    )


def _weights(variables: Variables, dims: ModelDimensions) -> dict[str, NDArray[Any]]:
    weights = {
        POSITIONS: variables["encoder/position_encodings/encodings"],
        "decoder.positional_embedding": variables["decoder/position_encodings/encodings"],
        "decoder.token_embedding.weight": variables["decoder/embeddings/weight"],
        **_pair(variables, "encoder/conv1", "encoder.conv1"),
        **_pair(variables, "encoder/conv2", "encoder.conv2"),
        **_pair(variables, "encoder/layer_norm", "encoder.ln_post"),
        **_pair(variables, "decoder/layer_norm", "decoder.ln"),
    }
    for part, count in (("encoder", dims.n_audio_layer), ("decoder", dims.n_text_layer)):
        for number in range(count):
            source, target = f"{part}/layer_{number}", f"{part}.blocks.{number}"
            for name, place in (LAYER | CROSS_LAYER if part == "decoder" else LAYER).items():
                weights |= _pair(variables, f"{source}/{place}", f"{target}.{name}")
            weights |= _split(
                variables, f"{source}/self_attention/linear_0", f"{target}.attn", ("query", "key", "value")
            )
            if part == "decoder":
                weights |= _split(variables, f"{source}/attention/linear_1", f"{target}.cross_attn", ("key", "value"))
    return weights


def _pair(variables: Variables, source: str, target: str) -> dict[str, NDArray[Any]]:
    """Return weight and bias of a layer, which in normalisations are called gamma and beta."""
    names = ("gamma", "beta") if source.endswith("layer_norm") else ("weight", "bias")
    return {
        f"{target}.{name}": variables[f"{source}/{place}"]
        for name, place in zip(("weight", "bias"), names, strict=True)
    }


def _split(variables: Variables, source: str, target: str, names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Split several linear layers of one input, which CTranslate2 keeps as one. Whisper's keys have no bias."""
    parts: dict[str, NDArray[Any]] = {}
    for kind in ("weight", "bias"):
        for name, array in zip(names, np.split(variables[f"{source}/{kind}"], len(names)), strict=True):
            parts[f"{target}.{name}.{kind}"] = array
        if kind == "bias" and parts.pop(f"{target}.key.bias").any():
            raise UsageError("its keys have a bias, which Whisper's do not")
    return parts
