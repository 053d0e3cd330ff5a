from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from sutradhar.pipeline.errors import UsageError
from sutradhar.stages.film.translate.indictrans2 import checkpoint
from sutradhar.stages.film.translate.indictrans2.tokenizer import Dictionary, IndicTokenizer
from tests.conftest import ROOT

DATA = ROOT / "tests" / "data" / "indictrans2"


@pytest.fixture
def tied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DATA / "tied", tmp_path / "tied"))


def change_config(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def change_weights(folder: Path, change: Any) -> None:
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors")


def test_positions_are_fairseqs() -> None:
    """Of the first token: the row after the padding's, sines first; rates fall from 1 to 1/10000."""
    table = checkpoint.positional_table(3, 8)
    assert table.shape == (3, 8)
    rates = [1, 10_000 ** (-1 / 3), 10_000 ** (-2 / 3), 1e-4]
    assert table[0] == pytest.approx([*np.sin(np.multiply(2, rates)), *np.cos(np.multiply(2, rates))], abs=1e-6)
    assert table[2] == pytest.approx([*np.sin(np.multiply(4, rates)), *np.cos(np.multiply(4, rates))], abs=1e-6)


def test_the_released_models_have_as_many_parameters_as_published() -> None:
    """1.023 and 0.2118 billion, of indic-en."""
    shapes = {
        1_023: checkpoint.Shape(18, 18, 16, 1024, 122_706, 32_296, 256, tied=False, embedding_norm=False),
        212: checkpoint.Shape(18, 18, 8, 512, 122_706, 32_296, 256, tied=True, embedding_norm=True),
    }
    for millions, shape in shapes.items():
        assert round(sum(int(np.prod(sizes)) for sizes in checkpoint.weight_shapes(shape).values()) / 1e6) == millions


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "m2m_100"}, "config.json calls it 'm2m_100', not 'IndicTrans'"),
        ({"activation_function": "relu"}, "activation_function is 'relu'; an IndicTrans2 has 'gelu'"),
        ({"decoder_normalize_before": False}, "decoder_normalize_before is False; an IndicTrans2 has True"),
    ],
)
def test_other_models_are_refused(tied: Path, changes: dict[str, Any], message: str) -> None:
    change_config(tied, **changes)
    with pytest.raises(UsageError, match=message):
        checkpoint.read_shape(tied)


@pytest.mark.parametrize("name", [checkpoint.OUTPUT, checkpoint.TARGET_EMBEDDING])
def test_a_tied_output_layer_may_have_either_name(tied: Path, name: str) -> None:
    shape = checkpoint.read_shape(tied)
    expected = checkpoint.read_weights(tied, shape)

    def rename(weights: dict[str, Any]) -> None:
        (other,) = weights.keys() & {checkpoint.OUTPUT, checkpoint.TARGET_EMBEDDING}
        weights[name] = weights.pop(other)

    change_weights(tied, rename)
    found = checkpoint.read_weights(tied, shape)
    assert found.keys() == expected.keys()
    assert np.array_equal(found[checkpoint.TARGET_EMBEDDING], expected[checkpoint.TARGET_EMBEDDING])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda weights: weights.pop("model.decoder.layers.1.fc1.bias"), "model.decoder.layers.1.fc1.bias is missing"),
        (lambda weights: weights.update(extra=np.zeros(1, np.float32)), "extra is unknown"),
        (
            lambda weights: weights.update({"model.encoder.layer_norm.bias": np.zeros(3, np.float32)}),
            r"model.encoder.layer_norm.bias is \(3,\), not \(32,\)",
        ),
    ],
)
def test_weights_that_do_not_fit_are_refused(tied: Path, change: Any, message: str) -> None:
    change_weights(tied, change)
    with pytest.raises(UsageError, match=message):
        checkpoint.read_weights(tied, checkpoint.read_shape(tied))


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "dict.SRC.json", "model.SRC"])
def test_damaged_files_are_one_line(tied: Path, name: str) -> None:
    (tied / name).write_bytes((tied / name).read_bytes()[:20])
    with pytest.raises(UsageError, match=name.replace(".", r"\.")):
        _ = (
            Dictionary(tied / "dict.SRC.json"),
            IndicTokenizer(tied),
            checkpoint.read_weights(tied, checkpoint.read_shape(tied)),
        )


def test_sentencepiece_models_may_lie_where_ready_made_folders_have_them(tied: Path) -> None:
    (tied / "ctranslate2_model").mkdir()
    (tied / "vocab").mkdir()
    for name in ("model.SRC", "model.TGT"):
        (tied / name).rename(tied / "vocab" / name)
    assert IndicTokenizer(tied / "ctranslate2_model").split("hin_Deva eng_Latn हाँ")[:2] == ["hin_Deva", "eng_Latn"]
    shutil.rmtree(tied / "vocab")
    with pytest.raises(UsageError, match=r"has no model\.SRC"):
        IndicTokenizer(tied / "ctranslate2_model")
