"""Both engines against what AI4Bharat's own code says on transformers 4.53 (tests/data/indictrans2/record.py)."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ctranslate2
import pytest

from sutradhar.stages.film.translate.indictrans2 import ct2
from sutradhar.stages.film.translate.indictrans2.generator import BeamSearch, Generator
from sutradhar.stages.film.translate.indictrans2.tokenizer import Dictionary, IndicTokenizer
from tests.conftest import ROOT

DATA = ROOT / "tests" / "data" / "indictrans2"
VARIANTS = pytest.mark.parametrize("variant", ["tied", "untied"])
ENGINES = pytest.mark.parametrize(
    ("engine", "device"), [("ct2", "cpu"), ("mlx", "cpu"), ("ct2", "cuda"), ("mlx", "cuda")]
)
Open = Callable[[str, str, Path], Generator]


@pytest.fixture(scope="module")
def open_engine(tmp_path_factory: pytest.TempPathFactory) -> Open:
    def open_one(engine: str, device: str, checkpoint: Path) -> Generator:
        if device == "cuda" and not ctranslate2.get_cuda_device_count():
            pytest.skip("no NVIDIA GPU")
        if engine == "mlx":
            mx = pytest.importorskip("mlx.core", reason="MLX is not installed: ./install-mlx.sh")
            from sutradhar.stages.film.translate.indictrans2.mlx import MlxTranslator

            if device == "cuda" and not (mx.cuda.is_available() and os.environ.get("MLX_ENABLE_TF32") == "0"):
                pytest.skip("MLX has no CUDA here, or rounds to TF32: MLX_ENABLE_TF32=0")
            return MlxTranslator(checkpoint, device, "float32")
        folder = tmp_path_factory.mktemp("ct2")
        ct2.convert(checkpoint, folder, "float32")
        return ct2.CTranslate2(folder, device, "float32")

    return open_one


def recorded(variant: str) -> list[dict[str, Any]]:
    sentences: list[dict[str, Any]] = json.loads((DATA / variant / "reference.json").read_text(encoding="utf-8"))[
        "sentences"
    ]
    return sentences


@VARIANTS
def test_the_same_numbers_of_tokens(variant: str) -> None:
    tokenizer, dictionary = IndicTokenizer(DATA / variant), Dictionary(DATA / variant / "dict.SRC.json")
    for sentence in recorded(variant):
        assert [*dictionary.numbers(tokenizer.split(sentence["text"])), dictionary.end] == sentence["source"]


@VARIANTS
@ENGINES
def test_the_same_log_probs_of_given_translations(variant: str, engine: str, device: str, open_engine: Open) -> None:
    tokenizer, dictionary = IndicTokenizer(DATA / variant), Dictionary(DATA / variant / "dict.TGT.json")
    sentences = recorded(variant)
    translations = [[dictionary.tokens[number] for number in sentence["target"][:-1]] for sentence in sentences]
    found = open_engine(engine, device, DATA / variant).score(
        [tokenizer.split(sentence["text"]) for sentence in sentences], translations
    )
    for log_probs, sentence in zip(found, sentences, strict=True):
        assert log_probs == pytest.approx(sentence["log_probs"], abs=1e-4)


@VARIANTS
@ENGINES
@pytest.mark.parametrize(("kind", "beams", "least"), [("greedy", 1, 40), ("beam_early", 5, 39)])
def test_the_same_translations(
    variant: str, engine: str, device: str, kind: str, beams: int, least: int, open_engine: Open
) -> None:
    """Recorded with early_stopping=True: as many ended texts as beams end a search, which is CTranslate2's rule too. The one that differs
    does because we forbid <s>, <pad> and <unk>, and what is left shares their probability."""
    tokenizer, dictionary = IndicTokenizer(DATA / variant), Dictionary(DATA / variant / "dict.TGT.json")
    sentences = recorded(variant)
    how = BeamSearch(beams, limit=39, patience=1)
    found = open_engine(engine, device, DATA / variant).generate(
        [tokenizer.split(sentence["text"]) for sentence in sentences], how
    )
    same = [
        dictionary.numbers(one[0].pieces) == [number for number in sentence[kind] if number != dictionary.end]
        for one, sentence in zip(found, sentences, strict=True)
    ]
    assert sum(same) >= least
