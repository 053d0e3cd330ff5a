"""Models are loaded whole or not at all, and those that mlx-community publishes are loaded as they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("mlx_whisper", reason="MLX is not installed: ./install-mlx.sh")

import mlx.core as mx
import mlx.nn as nn
from mlx_whisper.load_models import load_model

from sutradhar.pipeline.errors import UsageError
from sutradhar.stages.recognisers.mlx.cuda import HEAD
from sutradhar.stages.recognisers.mlx.loading import load_whisper, named_arrays
from tests.stages.recognisers.mlx.tiny import FRAMES, MELS, make_whisper

Weights = dict[str, Any]


def write(folder: Path, weights: Weights, dims: dict[str, object], archive: bool = False) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "whisper", **dims}))
    if archive:
        np.savez(folder / "weights.npz", **{name: np.array(array) for name, array in weights.items()})
    else:
        mx.save_safetensors(str(folder / "weights.safetensors"), weights)
    return folder


@pytest.fixture
def parts() -> tuple[Weights, dict[str, object]]:
    whisper = make_whisper()
    return named_arrays(whisper), asdict(whisper.dims)


def without_heads(weights: Weights) -> Weights:
    return {name: array for name, array in weights.items() if name != "alignment_heads"}


def with_other_heads(weights: Weights) -> Weights:
    return weights | {"alignment_heads": mx.array([[0, 1]])}


# --- What others have made. mlx-examples/whisper/convert.py wrote weights.npz; before 2024 it knew no alignment heads.


@pytest.mark.parametrize("archive", [False, True], ids=["safetensors", "npz"])
@pytest.mark.parametrize(("change", "heads"), [(without_heads, [[1, 0], [1, 1]]), (with_other_heads, [[0, 1]])])
def test_a_published_model(
    change: Callable[[Weights], Weights],
    heads: list[list[int]],
    archive: bool,
    parts: tuple[Weights, dict[str, object]],
    tmp_path: Path,
) -> None:
    weights, dims = parts
    whisper = load_whisper(write(tmp_path, change(weights), dims, archive))
    assert whisper.alignment_heads.tolist() == heads
    loaded = named_arrays(whisper)
    assert all(mx.array_equal(loaded[name], array) for name, array in without_heads(weights).items())


@pytest.mark.parametrize("kinds", [(nn.Linear,), (nn.Linear, nn.Embedding)], ids=["linear layers", "and the embedding"])
@pytest.mark.parametrize(("group_size", "bits"), [(64, 4), (64, 8), (32, 4), (128, 2)])
def test_a_published_model_that_is_quantised(
    group_size: int, bits: int, kinds: tuple[type, ...], parts: tuple[Weights, dict[str, object]], tmp_path: Path
) -> None:
    """Of the embedding too since 2024, of linear layers alone before."""
    whisper = make_whisper()
    nn.quantize(whisper, group_size, bits, class_predicate=lambda _, module: isinstance(module, kinds))
    folder = write(
        tmp_path,
        named_arrays(whisper),
        parts[1] | {"quantization": {"group_size": group_size, "bits": bits}},
        archive=True,
    )
    sound = mx.array(np.random.default_rng(0).normal(size=(1, 2 * FRAMES, MELS)).astype(np.float32))
    expected = load_model(str(folder))(sound, mx.array([[501, 502, 505]]))
    assert mx.array_equal(load_whisper(folder)(sound, mx.array([[501, 502, 505]])), expected)


# --- What is not whole


def refusal(folder: Path) -> str:
    with pytest.raises(UsageError) as error:
        load_whisper(folder)
    message = str(error.value)
    assert message.startswith(f"{folder} cannot be loaded: ")
    assert message.endswith(". Get or convert the model again")
    return message.removeprefix(f"{folder} cannot be loaded: ").removesuffix(". Get or convert the model again")


@pytest.mark.parametrize("quantised", [False, True])
def test_every_weight_must_be_there(quantised: bool, parts: tuple[Weights, dict[str, object]], tmp_path: Path) -> None:
    weights, dims = parts
    if quantised:
        whisper = make_whisper()
        nn.quantize(whisper, 64, 4)
        weights = named_arrays(whisper)
    assert (
        refusal(write(tmp_path, weights, dims | {"n_audio_layer": 3})) == "it has no encoder.blocks.1.attn.query.weight"
    )
    assert (
        refusal(write(tmp_path, weights, dims | {"n_text_layer": 1}))
        == f"Whisper has no decoder.blocks.1.attn.key.{'biases' if quantised else 'weight'}"
    )
    missing = {name: array for name, array in weights.items() if name != "decoder.positional_embedding"}
    assert refusal(write(tmp_path, missing, dims)) == "it has no decoder.positional_embedding"
    assert refusal(write(tmp_path, weights, dims | {"n_vocab": 701})).startswith(
        "decoder.token_embedding.weight is (700, "
    )
    assert refusal(write(tmp_path, weights | {"a": mx.zeros(1)}, dims)) == "Whisper has no a"


def test_quantised_weights_must_have_their_scales(parts: tuple[Weights, dict[str, object]], tmp_path: Path) -> None:
    whisper = make_whisper()
    nn.quantize(whisper, 64, 4)
    weights = named_arrays(whisper)
    for name in ("biases", "scales"):
        left = {key: array for key, array in weights.items() if key != f"decoder.blocks.0.mlp1.{name}"}
        reason = (
            "it has no decoder.blocks.0.mlp1.biases"
            if name == "biases"
            else "decoder.blocks.0.mlp1.weight is (512, 16), not (512, 128)"
        )
        assert refusal(write(tmp_path, left, parts[1])) == reason
    odd = weights | {"decoder.blocks.0.mlp1.scales": mx.zeros((512, 3))}
    assert refusal(write(tmp_path, odd, parts[1])) == "its quantised weights are of no shape that MLX knows"


@pytest.mark.parametrize("heads", [[[2, 0]], [[0, 2]], [[-1, 0]], [0, 1], [[0.5, 1.0, 2.0]]])
def test_alignment_heads_must_be_the_models_own(
    heads: list[Any], parts: tuple[Weights, dict[str, object]], tmp_path: Path
) -> None:
    folder = write(tmp_path, parts[0] | {"alignment_heads": mx.array(heads)}, parts[1])
    assert refusal(folder).startswith("its alignment heads are [")


def test_a_damaged_folder(parts: tuple[Weights, dict[str, object]], tmp_path: Path) -> None:
    folder = write(tmp_path, *parts)
    weights = folder / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    assert refusal(folder) == "its weights.safetensors is damaged or cut short"
    weights.unlink()
    assert refusal(folder) == f"{weights} cannot be read: No such file or directory"
    np.savez(folder / "weights.npz", **{name: np.array(array) for name, array in parts[0].items()})
    archive = bytearray((folder / "weights.npz").read_bytes())
    archive[1000:1100] = bytes(100)
    (folder / "weights.npz").write_bytes(archive)
    assert refusal(folder) == "its weights.npz is damaged"
    (folder / "config.json").write_text("[]")
    assert refusal(folder) == "its config.json is damaged"


def test_heads_of_another_width_are_refused(parts: tuple[Weights, dict[str, object]], tmp_path: Path) -> None:
    weights, dims = parts
    assert HEAD == 64
    assert refusal(write(tmp_path, weights, dims | {"n_text_head": 4})).startswith(
        "it has 4 heads in a width of 128, where each must be 64 wide"
    )
