"""Models that transformers saved, on CTranslate2."""

from __future__ import annotations

import json
import logging
import re
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest

from bench import clips, scoring
from sutradhar.pipeline.errors import SutradharError, UsageError
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.models import library
from sutradhar.pipeline.models.folder import read_source
from sutradhar.pipeline.models.form import ResolvedModel
from sutradhar.stages.recognisers.contract import AudioWindow
from sutradhar.stages.recognisers.conversion import decoded
from sutradhar.stages.recognisers.opening import open_recogniser
from sutradhar.stages.recognisers.whisperx import convert
from sutradhar.stages.transcript import Span
from tests.conftest import ROOT

BASE = ROOT / "models" / "base"
SPEECH = ROOT.parent / "shared" / "data" / "speech"
pytestmark = pytest.mark.skipif(not BASE.is_dir(), reason="needs models/base")
NOISE = AudioWindow(0, 0, np.random.default_rng(1).normal(0, 0.1, 32_000).astype(np.float32), (Span(0, 2000),), "en")
SURE = {
    "WHISPER_LOGPROB_THRESHOLD": -1e9,
    "WHISPER_COMPRESSION_RATIO_THRESHOLD": 1e9,
    "WHISPER_NO_SPEECH_THRESHOLD": 1.0,
    "WHISPER_TEMPERATURE": "0",
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.stages.recognisers.saved import save_tiny

    return save_tiny(tmp_path_factory.mktemp("saved") / "tuned")


@pytest.fixture(scope="module")
def models(saved: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Their folder, with what the saved model was made into on its first use by its path, and by a name."""
    folder = tmp_path_factory.mktemp("models")
    library.resolve(str(saved), "ct2", models_dir=folder, offline=True)
    return folder


def texts(
    model: ResolvedModel, windows: list[AudioWindow], backend: str = "whisperx", **settings: object
) -> dict[int, str]:
    wanted = {"WHISPER_BACKEND": backend, "WHISPER_BEAM_SIZE": 1, "SOURCE_LANGUAGE": "en"} | settings
    opened = open_recogniser(
        msgspec.convert(wanted, Settings), model, translate=False, times=False, log=logging.getLogger("test")
    )
    return {found.window: found.text for found in opened.recognise(windows)}


def resolve(saved: Path, models: Path, form: str = "ct2") -> ResolvedModel:
    return library.resolve(str(saved), form, models_dir=models, offline=True)


def test_a_folder_is_converted_once_and_says_where_it_came_from(saved: Path, models: Path) -> None:
    found = library.find(str(saved), "ct2", models_dir=models)
    assert found is not None
    assert re.fullmatch(r"tuned-[0-9a-f]{8}-ct2", found.path.name)
    source = read_source(found.path)
    assert source is not None
    assert source.conversion is not None
    assert (source.via, source.conversion.original, source.conversion.numbers) == (
        "converted from hf, float16",
        str(saved),
        "float16",
    )
    assert {*source.files} == {"model.bin", "config.json", "tokenizer.json", "vocabulary.json"}
    assert [path.name for path in models.iterdir()] == [found.path.name]


def test_the_text_is_that_of_its_mlx_form(saved: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mlx_whisper", reason="MLX is not installed: ./install-mlx.sh")
    monkeypatch.setattr("sutradhar.stages.recognisers.mlx.selftest.check", lambda *_: None)  # it has tests of its own
    plain = {"WHISPER_COMPUTE_TYPE": "float32", **SURE}
    found = texts(resolve(saved, models), [NOISE], **plain)
    assert found == texts(resolve(saved, models, "mlx"), [NOISE], "mlx", **plain)
    assert len(found[0]) > 100


def test_one_that_was_tuned_again_is_no_longer_the_model(saved: Path, models: Path, tmp_path: Path) -> None:
    again = shutil.copytree(saved, tmp_path / "again")
    resolve(again, tmp_path / "models")
    (again / "config.json").write_text((again / "config.json").read_text() + "\n")
    with pytest.raises(UsageError, match="again before that was changed: remove it"):
        resolve(again, tmp_path / "models")


def test_a_tokenizer_in_several_files_becomes_one(saved: Path, tmp_path: Path) -> None:
    import tokenizers
    from transformers import WhisperTokenizerFast

    slow = shutil.copytree(saved, tmp_path / "slow")
    WhisperTokenizerFast(tokenizer_file=str(slow / "tokenizer.json")).save_pretrained(tmp_path / "files")
    content = json.loads((slow / "tokenizer.json").read_text())["model"]
    (slow / "vocab.json").write_text(json.dumps(content["vocab"]))
    (slow / "merges.txt").write_text(
        "\n".join(pair if isinstance(pair, str) else " ".join(pair) for pair in content["merges"])
    )
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        shutil.copy(tmp_path / "files" / name, slow)
    (slow / "tokenizer.json").unlink()
    assert convert.main([str(slow), "--output", str(tmp_path / "made")]) == 0
    made = tokenizers.Tokenizer.from_file(str(tmp_path / "made" / "tokenizer.json"))
    assert (made.token_to_id("<|notimestamps|>"), made.encode(" और", add_special_tokens=False).ids) == (
        50363,
        tokenizers.Tokenizer.from_file(str(BASE / "tokenizer.json")).encode(" और", add_special_tokens=False).ids,
    )


@pytest.mark.parametrize(
    ("gone", "put", "message"),
    [
        (
            "model.safetensors",
            "pytorch_model.bin",
            r"is missing\. Get or convert .* may run code when it is read: have them saved as safetensors",
        ),
        (
            "tokenizer.json",
            "",
            r"it has no tokenizer \(tokenizer\.json, or vocab\.json and merges\.txt\); copy that of the model",
        ),
    ],
)
def test_refuses_pickles_and_a_model_without_a_tokenizer(
    gone: str, put: str, message: str, saved: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(saved, tmp_path / "other")
    (folder / gone).rename(folder / (put or "gone"))
    with pytest.raises(UsageError, match=message):
        resolve(folder, tmp_path / "models")
    assert not any(path.is_dir() for path in (tmp_path / "models").glob("*"))


def test_refuses_a_copy_that_computes_something_else(
    saved: Path, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def off(folder: Path, mel: np.ndarray, tokens: list[int] | None = None) -> decoded.Decoded:
        found = decoded.by_transformers(folder, mel, tokens)
        return decoded.Decoded(found.encoded + 0.1 * found.encoded.std(), found.tokens, found.logits)

    monkeypatch.setattr(convert, "by_transformers", off)
    with pytest.raises(SutradharError, match="does not compute what the original does: the sound is"):
        convert.convert(saved, tmp_path / "made")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not SPEECH.is_dir(), reason="speech with references is not here (../shared/data/speech)")
def test_base_rebuilt_from_the_starter_hears_20_clips_as_the_starter_does(tmp_path: Path) -> None:
    pytest.importorskip("mlx_whisper", reason="MLX is not installed: ./install-mlx.sh")
    from tests.stages.recognisers.saved import save_base

    spoken = clips.read_clips(SPEECH, ["en_librispeech"], 10) + clips.read_clips(SPEECH, ["en_ljspeech"], 10)
    windows = [
        AudioWindow(n, 0, clips.samples_of(clip)[:480_000], (Span(0, 30_000),), "en") for n, clip in enumerate(spoken)
    ]
    rebuilt = texts(resolve(save_base(tmp_path / "rebuilt"), tmp_path / "models"), windows, WHISPER_COMPUTE_TYPE="int8")
    starter = texts(ResolvedModel(BASE, "base", "", "ct2"), windows, WHISPER_COMPUTE_TYPE="int8")
    references = [clip.text for clip in spoken]
    wer = [scoring.rates(references, [found[number] for number in range(20)], "en").wer for found in (rebuilt, starter)]
    print(f"WER of 20 clips: rebuilt {wer[0]:.2f} %, starter {wer[1]:.2f} %")
    assert wer[0] == wer[1]
    assert rebuilt == starter
