"""The converter, on small Whispers of random weights made here, and on the starter model."""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import ROOT

pytest.importorskip("mlx_whisper", reason="MLX is not installed: ./install-mlx.sh")

import mlx.core as mx
import mlx.nn
import torch
from mlx_whisper import torch_whisper
from mlx_whisper.load_models import load_model
from transformers import WhisperConfig, WhisperForConditionalGeneration

from sutradhar.pipeline.errors import Interrupted, SutradharError, UsageError
from sutradhar.pipeline.files import record
from sutradhar.pipeline.models import downloads
from sutradhar.pipeline.models.folder import forms_of, read_source
from sutradhar.pipeline.models.form import Release
from sutradhar.stages.recognisers.mlx import convert
from sutradhar.stages.recognisers.mlx.conversion import ct2, huggingface, openai, original, writing
from sutradhar.stages.recognisers.mlx.loading import load_whisper, named_arrays

BASE = ROOT / "models" / "base"
WIDTH, MELS, FRAMES, VOCABULARY, END = 128, 8, 120, 340, 300
HEADS = [[0, 1], [1, 0]]
SPECIAL = [
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|en|>",
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
]
TOKENS = [END + 1, 5, 90, 7, 200]


def stir(model: torch.nn.Module) -> None:
    """Weights of a size that makes every part matter, also biases and normalisations."""
    torch.manual_seed(0)
    for name, weight in model.named_parameters():
        if name != "model.encoder.embed_positions.weight":
            torch.nn.init.normal_(weight, 1.0 if "norm.weight" in name or "ln.weight" in name else 0.0, 0.1)


@pytest.fixture(scope="module")
def whisper() -> Any:
    config = WhisperConfig(
        vocab_size=VOCABULARY, num_mel_bins=MELS, d_model=WIDTH, max_source_positions=FRAMES // 2, max_target_positions=20,
        encoder_layers=3, decoder_layers=2, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=4 * WIDTH, decoder_ffn_dim=4 * WIDTH,
        pad_token_id=0, bos_token_id=END, eos_token_id=END, decoder_start_token_id=END + 1, suppress_tokens=None, begin_suppress_tokens=None,
    )  # fmt: skip
    model = WhisperForConditionalGeneration(config).eval()
    stir(model)
    model.generation_config.alignment_heads = HEADS
    return model


@pytest.fixture
def hf(whisper: Any, tmp_path: Path) -> Path:
    whisper.save_pretrained(tmp_path / "hf")
    return tmp_path / "hf"


def make_ct2(whisper: Any, folder: Path, quantisation: str = "float32") -> Path:
    from ctranslate2.converters.transformers import WhisperLoader

    spec = WhisperLoader().get_model_spec(copy.deepcopy(whisper))  # quantisation works in place
    tokens = [f"t{number}" for number in range(END)] + [*SPECIAL, "<|notimestamps|>"]
    spec.register_vocabulary(tokens + [f"<|{number}|>" for number in range(VOCABULARY - len(tokens))])
    spec.config.suppress_ids, spec.config.suppress_ids_begin, spec.config.alignment_heads = [], [], HEADS
    spec.validate()
    spec.optimize(quantisation)
    folder.mkdir(parents=True)
    spec.save(str(folder))
    return folder


def make_pt(file: Path) -> torch_whisper.Whisper:
    dims = {"n_mels": MELS, "n_audio_ctx": FRAMES // 2, "n_audio_state": WIDTH, "n_audio_head": 2, "n_audio_layer": 3}
    dims |= {"n_vocab": VOCABULARY, "n_text_ctx": 20, "n_text_state": WIDTH, "n_text_head": 2, "n_text_layer": 2}
    model = torch_whisper.Whisper(torch_whisper.ModelDimensions(**dims)).eval()
    stir(model)
    torch.save({"dims": dims, "model_state_dict": model.state_dict()}, file)
    return model


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Its folder models/."""
    monkeypatch.setenv("SUTRADHAR_HOME", str(tmp_path / "house"))
    return tmp_path / "house" / "models"


MEL = np.random.default_rng(1).normal(0, 0.5, (1, MELS, FRAMES)).astype(np.float32)


def logits_of(folder: Path) -> np.ndarray:
    """By mlx-whisper's own forward."""
    model = load_whisper(folder)
    return np.array(model(mx.array(MEL.transpose(0, 2, 1)), mx.array([TOKENS])), np.float32)


def logits_by_torch(model: Any) -> np.ndarray:
    with torch.inference_mode():
        if isinstance(model, torch_whisper.Whisper):
            return model(torch.from_numpy(MEL), torch.tensor([TOKENS])).numpy()
        return model(torch.from_numpy(MEL), decoder_input_ids=torch.tensor([TOKENS])).logits.numpy()


def heads_of(folder: Path) -> list[list[int]]:
    return load_model(str(folder)).alignment_heads.tolist()


# --- What comes out computes what the original does


def test_hugging_face_in_one_file_or_several(whisper: Any, hf: Path, workspace: Path) -> None:
    assert convert.main([str(hf), "--dtype", "float32"]) == 0
    made = workspace / "hf-fp32-mlx"
    np.testing.assert_allclose(logits_of(made), logits_by_torch(whisper), atol=1e-3)
    assert heads_of(made) == HEADS
    whisper.save_pretrained(hf.with_name("shards"), max_shard_size="500KB")
    assert len(list(hf.with_name("shards").glob("*.safetensors"))) > 2
    assert convert.main([str(hf.with_name("shards")), "--dtype", "float32"]) == 0
    assert (workspace / "shards-fp32-mlx" / "weights.safetensors").read_bytes() == (
        made / "weights.safetensors"
    ).read_bytes()


@pytest.mark.parametrize(
    ("quantisation", "apart"), [("float32", 1e-3), ("float16", 0.01), ("bfloat16", 0.1), ("int16", 0.1), ("int8", 0.1)]
)
def test_ctranslate2_of_every_number_format(
    quantisation: str, apart: float, whisper: Any, workspace: Path, tmp_path: Path
) -> None:
    assert convert.main([str(make_ct2(whisper, tmp_path / "m", quantisation)), "--dtype", "float32"]) == 0
    expected = logits_by_torch(whisper)
    np.testing.assert_allclose(logits_of(workspace / "m-fp32-mlx"), expected, atol=apart * expected.std())
    assert heads_of(workspace / "m-fp32-mlx") == HEADS


def test_openai(workspace: Path, tmp_path: Path) -> None:
    model = make_pt(tmp_path / "mine.pt")
    assert convert.main([str(tmp_path / "mine.pt"), "--dtype", "float32"]) == 0
    np.testing.assert_allclose(logits_of(workspace / "mine-fp32-mlx"), logits_by_torch(model), atol=1e-3)
    assert heads_of(workspace / "mine-fp32-mlx") == [[1, 0], [1, 1]]  # Whisper's default: all of the upper half


def test_openai_files_are_known_by_name() -> None:
    dims = original.ModelDimensions(80, 1500, 512, 8, 6, 51865, 448, 512, 8, 6)
    heads = openai._heads(Path("base.pt"), dims)
    assert heads is not None
    assert heads.tolist() == [[3, 1], [4, 2], [4, 3], [4, 7], [5, 1], [5, 2], [5, 4], [5, 6]]
    assert openai._heads(Path("small.pt"), dims) is None
    assert openai._heads(Path("mine.pt"), dims) is None


@pytest.mark.parametrize(("bits", "sensitive", "apart"), [(8, 8, 0.1), (4, 6, 0.3)])
def test_quantised(bits: int, sensitive: int, apart: float, whisper: Any, hf: Path, workspace: Path) -> None:
    """Where the bits are few, what hears and what knows the words has more."""
    assert convert.main([str(hf), "--bits", str(bits)]) == 0
    made = workspace / f"hf-q{bits}-mlx"
    assert json.loads((made / "config.json").read_text())["quantization"] == {"group_size": 64, "bits": bits}
    weights = mx.load(str(made / "weights.safetensors"))
    assert weights["decoder.token_embedding.weight"].shape == (VOCABULARY, WIDTH * sensitive // 32)
    assert weights["encoder.blocks.2.mlp2.weight"].shape == (WIDTH, 4 * WIDTH * sensitive // 32)
    assert weights["decoder.blocks.0.cross_attn.key.weight"].shape == (WIDTH, WIDTH * sensitive // 32)
    assert weights["decoder.blocks.0.attn.key.weight"].shape == (WIDTH, WIDTH * bits // 32)
    assert weights["encoder.blocks.0.mlp1.scales"].dtype == mx.float16
    assert weights["encoder.conv1.weight"].shape == (WIDTH, 3, MELS)
    expected = logits_by_torch(whisper)
    assert np.abs(logits_of(made) - expected).mean() < apart * expected.std()
    assert heads_of(made) == HEADS


def test_a_model_of_one_number_of_bits_is_loaded_as_mlx_whisper_does(hf: Path, tmp_path: Path) -> None:
    """As mlx-community quantises."""
    made = tmp_path / "uniform"
    made.mkdir()
    writing.write(made, huggingface.read(hf), writing.NumberFormat())
    model = load_model(str(made))
    mlx.nn.quantize(model, 64, 4)
    mx.save_safetensors(str(made / "weights.safetensors"), named_arrays(model))
    config = json.loads((made / "config.json").read_text())
    (made / "config.json").write_text(json.dumps(config | {"quantization": {"group_size": 64, "bits": 4}}))
    expected = load_model(str(made))(mx.array(MEL.transpose(0, 2, 1)), mx.array([TOKENS]))
    np.testing.assert_array_equal(logits_of(made), np.array(expected, np.float32))


def test_a_model_of_mlx_is_quantised_as_its_original(hf: Path, workspace: Path) -> None:
    assert convert.main([str(hf)]) == 0
    assert convert.main([str(workspace / "hf-mlx"), "--bits", "4", "--output", "again"]) == 0
    assert convert.main([str(hf), "--bits", "4"]) == 0
    assert (workspace / "again" / "weights.safetensors").read_bytes() == (
        workspace / "hf-q4-mlx" / "weights.safetensors"
    ).read_bytes()


def test_a_quantised_model_is_not_quantised_again(
    hf: Path, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert convert.main([str(hf), "--bits", "8"]) == 0
    assert convert.main([str(workspace / "hf-q8-mlx"), "--bits", "4"]) == 2
    assert "it is quantised already; take the model it was made of" in capsys.readouterr().err


def test_writes_what_the_project_and_mlx_whisper_read(
    hf: Path, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert convert.main([str(hf)]) == 0
    made = workspace / "hf-mlx"
    assert capsys.readouterr().out == f"{made}\n"
    assert sorted(path.name for path in made.iterdir()) == ["config.json", "source.json", "weights.safetensors"]
    assert [path.name for path in workspace.iterdir() if path.is_dir()] == ["hf-mlx"]
    assert forms_of(made) == ["mlx"]
    assert json.loads((made / "config.json").read_text())["model_type"] == "whisper"
    assert {
        array.dtype for name, array in mx.load(str(made / "weights.safetensors")).items() if name != "alignment_heads"
    } == {mx.float16}
    source = read_source(made)
    assert source
    assert (source.repo, source.form, source.via) == ("hf", "mlx", "converted from hf, float16")


def test_says_where_a_model_in_the_hubs_cache_is_from(hf: Path, workspace: Path, tmp_path: Path) -> None:
    snapshot = tmp_path / "models--someone--whisper-x" / "snapshots" / "abc123"
    shutil.copytree(hf, snapshot)
    assert convert.main([str(snapshot), "--output", "x-mlx"]) == 0
    source = read_source(workspace / "x-mlx")
    assert source
    assert (source.repo, source.revision) == ("someone/whisper-x", "abc123")


@pytest.mark.skipif(not BASE.is_dir(), reason="needs models/base")
def test_the_starter_model(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace.mkdir(parents=True)
    (workspace / "base").symlink_to(BASE)
    assert convert.main(["base"]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{workspace / 'base-mlx'}\n"
    assert "the encoded sound is 0.00% off" in printed.err
    dims = load_model(str(workspace / "base-mlx")).dims
    assert (dims.n_vocab, dims.n_text_ctx, dims.n_audio_ctx, dims.n_text_head) == (51865, 448, 1500, 8)
    assert heads_of(workspace / "base-mlx") == [[3, 1], [4, 2], [4, 3], [4, 7], [5, 1], [5, 2], [5, 4], [5, 6]]


# --- What does not is refused, and nothing is left


def swapped_names(a: str, b: str) -> tuple[tuple[str, str], ...]:
    swap = {a: b, b: a}
    return tuple((theirs, swap.get(ours, ours)) for theirs, ours in huggingface.NAMES)


def test_swapped_queries_and_values_are_noticed(
    hf: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(huggingface, "NAMES", swapped_names("query", "value"))
    assert convert.main([str(hf), "--bits", "4"]) == 1
    assert "does not compute what the original does: the sound is" in capsys.readouterr().err
    assert not [path for path in workspace.iterdir() if path.is_dir()]


def test_swapped_parts_of_a_joint_layer_are_noticed(
    whisper: Any, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    split = ct2._split
    monkeypatch.setattr(
        ct2,
        "_split",
        lambda variables, source, target, names: split(variables, source, target, (*names[:-2], names[-1], names[-2])),
    )
    with pytest.raises(UsageError, match="its keys have a bias"):
        ct2.read(make_ct2(whisper, tmp_path / "m"))


@pytest.mark.parametrize(
    "name",
    [
        "encoder.blocks.2.mlp1.weight",
        "decoder.blocks.1.cross_attn.key.weight",
        "decoder.ln.bias",
        "encoder.conv2.weight",
    ],
)
def test_a_weight_written_wrong_is_noticed(name: str, hf: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    source = huggingface.read(hf)
    numbers = writing.NumberFormat(bits=4)
    flawed = {**source.weights, name: mx.roll(source.weights[name], 1, 0)}
    writing.write(tmp_path / "out", original.Original(source.dims, flawed, None, source.heads, source.decode), numbers)
    with pytest.raises(SutradharError, match=name):
        writing.check(tmp_path / "out", source, numbers)


def test_another_activation_is_noticed(
    hf: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What tanh's approximation of GELU changes is as little as an error can be."""
    import mlx.nn as nn

    monkeypatch.setattr(nn, "gelu", nn.gelu_approx)
    assert convert.main([str(hf)]) == 1
    assert "does not compute what the original does" in capsys.readouterr().err


def refusal(arguments: list[str], workspace: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert convert.main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert not workspace.is_dir() or not [path for path in workspace.iterdir() if path.is_dir()]
    return printed.err.splitlines()[-1]


def test_refuses_damaged_files(
    whisper: Any, hf: Path, workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = make_ct2(whisper, tmp_path / "m") / "model.bin"
    content = model.read_bytes()
    for length in (0, 3, 200, len(content) // 2, len(content) - 40):
        model.write_bytes(content[:length])
        assert "cannot be converted: " in refusal([str(model.parent)], workspace, capsys)
    model.write_bytes(b"\x02" + content[1:])
    assert "model.bin is of version 2, not 4 to 6" in refusal([str(model.parent)], workspace, capsys)
    weights = hf / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    assert refusal([str(hf)], workspace, capsys).endswith("cannot be converted: its model.safetensors is damaged")


def test_refuses_what_is_no_whisper_of_openais_kind(
    hf: Path, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = json.loads((hf / "config.json").read_text())
    for change, reason in (
        ({"model_type": "wav2vec2"}, "config.json calls it 'wav2vec2', not 'whisper'"),
        ({"activation_function": "relu"}, "its layers are not Whisper's"),
        ({"encoder_layers": 2}, "Whisper has no encoder.blocks.2.attn.key.weight"),
        ({"encoder_layers": 4}, "it has no encoder.blocks.3.attn.query.weight"),
        ({"num_mel_bins": 0}, "its n_mels is 0"),
        ({"num_mel_bins": 80}, "encoder.conv1.weight is (128, 3, 8), not (128, 3, 80)"),
    ):
        (hf / "config.json").write_text(json.dumps(config | change))
        assert refusal([str(hf)], workspace, capsys).endswith(f"cannot be converted: {reason}")


class Harmful:
    def __reduce__(self) -> Any:
        return Path.touch, (Path("harm"),)


def test_runs_no_code_of_a_pickle(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"dims": {}, "model_state_dict": Harmful()}, "harmful.pt")
    assert refusal(["harmful.pt"], workspace, capsys).endswith(
        "cannot be converted: it is damaged, or holds more than weights"
    )
    assert not Path("harm").exists()
    torch.save({"state_dict": {}}, "other.pt")
    assert refusal(["other.pt"], workspace, capsys).endswith("it holds no Whisper model of OpenAI's")
    Path("folder").mkdir()
    Path("folder/config.json").write_text("{}")
    Path("folder/pytorch_model.bin").write_text("")
    assert "Have pytorch_model.bin saved as safetensors first" in refusal(["./folder"], workspace, capsys)


def test_refuses_wrong_arguments_with_one_line(hf: Path, workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refusal(["./nowhere"], workspace, capsys).startswith("[ERROR] There is no folder ")
    assert refusal(["nowhere.pt"], workspace, capsys).startswith("[ERROR] There is no file ")
    assert refusal(["larg-v3"], workspace, capsys) == "[ERROR] No model 'larg-v3': did you mean large-v3?"
    assert refusal(["base-q4"], workspace, capsys) == "[ERROR] Name the model to quantise, and the bits: base --bits 4"
    assert "is neither a name" in refusal([str(hf), "--output", "a b"], workspace, capsys)
    with pytest.raises(SystemExit, match="2"):
        convert.main([str(hf), "--bits", "3"])


def test_an_interrupted_conversion_leaves_nothing(hf: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> float:
        raise Interrupted(signal.SIGINT)

    monkeypatch.setattr(writing, "check", interrupted)
    assert convert.main([str(hf)]) == 130
    assert not [path for path in workspace.iterdir() if path.is_dir()]


def test_never_replaces_what_is_there(hf: Path, workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (workspace / "hf-mlx").mkdir(parents=True)
    (workspace / "hf-mlx" / "mine.txt").write_text("x")
    assert convert.main([str(hf)]) == 2
    assert "move it away" in capsys.readouterr().err
    assert [path.name for path in (workspace / "hf-mlx").iterdir()] == ["mine.txt"]


def test_two_at_once_make_one(hf: Path, workspace: Path) -> None:
    assert convert.main([str(hf)]) == 0
    command = [
        sys.executable,
        "-m",
        "sutradhar.stages.recognisers.mlx.convert",
        str(workspace / "hf-mlx"),
        "--bits",
        "8",
        "--output",
        "small",
    ]
    both = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    printed = [child.communicate() for child in both]
    assert [child.returncode for child in both] == [0, 0]
    assert [out for out, _ in printed] == [f"{workspace / 'small'}\n"] * 2
    assert sum("Converting" in err for _, err in printed) == 1
    assert forms_of(workspace / "small") == ["mlx"]


# --- What is there already


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


@pytest.mark.parametrize("output", ["same", "./same", "link", "{workspace}/same", "{workspace}/../models/link"])
def test_never_writes_over_its_own_source(
    output: str, whisper: Any, workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever it is called, and also where we have made it, as the starter model."""
    source = make_ct2(whisper, workspace / "same")
    (source / "tokenizer.json").write_text("{}")
    (workspace / "link").symlink_to(source)
    downloads.write_source(source, Release("someone/x"), "ct2", "hub", "mit", {})
    before = sorted(path.name for path in source.iterdir())
    monkeypatch.chdir(workspace)
    for name in ("same", "./same", "link"):
        assert convert.main([name, "--output", output.format(workspace=workspace)]) == 2
        assert lines(capsys) == [f"[ERROR] {source} holds the model that is to be converted; choose another --output"]
    assert sorted(path.name for path in source.iterdir()) == before
    assert sorted(path.name for path in workspace.iterdir()) == ["link", "same"]


def test_never_writes_over_what_its_source_lies_in(
    hf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_pt(tmp_path / "mine.pt")
    for source in (hf, tmp_path / "mine.pt"):
        assert convert.main([str(source), "--output", str(tmp_path)]) == 2
        assert "holds the model that is to be converted" in lines(capsys)[-1]
    assert (hf / "model.safetensors").is_file()


def test_only_a_damaged_model_of_ours_is_made_anew(
    whisper: Any, hf: Path, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert convert.main([str(hf)]) == 0
    weights = workspace / "hf-mlx" / "weights.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:1000])
    assert convert.main([str(hf)]) == 0
    assert weights.read_bytes() == whole
    weights.write_bytes(whole[:1000])
    (workspace / "hf-mlx" / "notes.txt").write_text("mine")
    assert convert.main([str(hf)]) == 2
    assert "move it away and try again" in lines(capsys)[-1]
    other = make_ct2(whisper, workspace / "other")
    downloads.write_source(
        other, Release("someone/x"), "ct2", "hub", "mit", {path.name: record(path) for path in other.iterdir()}
    )
    assert convert.main([str(hf), "--output", "other"]) == 2
    assert f"{other} is there, but is no mlx model" in lines(capsys)[-1]
    assert (other / "model.bin").is_file()


def test_the_same_again_is_here_already(hf: Path, workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also from a copy, which has another time."""
    assert convert.main([str(hf)]) == 0
    shutil.copytree(hf, hf.with_name("copy"), copy_function=shutil.copyfile)
    capsys.readouterr()
    for source in ("hf", "copy"):
        assert convert.main([str(hf.with_name(source)), "--output", "hf-mlx"]) == 0
        assert lines(capsys)[0] == f"[INFO] {workspace / 'hf-mlx'} is here already; remove it to make it anew"


def test_another_original_or_other_numbers_are_not_here_already(
    hf: Path, workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made, remedy = workspace / "hf-mlx", "remove it, or choose another --output"
    assert convert.main([str(hf)]) == 0
    tuned = tmp_path / "tuned" / "hf"
    shutil.copytree(hf, tuned)
    weights = bytearray((tuned / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    status = (hf / "model.safetensors").stat()
    (tuned / "model.safetensors").write_bytes(weights)
    os.utime(tuned / "model.safetensors", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert convert.main([str(tuned)]) == 2
    assert (
        lines(capsys)[-1]
        == f"[ERROR] {made} is there already, made of {hf} in float16, not of {tuned} in float16: {remedy}"
    )
    assert convert.main([str(hf), "--bits", "4", "--output", "hf-mlx"]) == 2
    assert (
        lines(capsys)[-1]
        == f"[ERROR] {made} is there already, made of {hf} in float16, not of {hf} in 4 bit beside float16: {remedy}"
    )
    (hf / "model.safetensors").write_bytes(weights)
    assert convert.main([str(hf)]) == 2
    assert lines(capsys)[-1] == f"[ERROR] {made} is there already, made of {hf} before that was changed: {remedy}"


def test_what_was_downloaded_is_not_here_already(hf: Path, workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert convert.main([str(hf)]) == 0
    downloads.write_source(workspace / "hf-mlx", Release("someone/x"), "mlx", "hub", "mit", {})
    assert convert.main([str(hf)]) == 2
    assert f"{workspace / 'hf-mlx'} is there already, from someone/x, hub: remove it" in lines(capsys)[-1]


# --- What is said, and what is left


def test_says_what_it_was_held_to_and_what_comes_next(
    hf: Path, workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert convert.main([str(hf), "--bits", "4"]) == 0
    _, checked, following = lines(capsys)
    assert re.fullmatch(
        r"\[INFO\] Checked by decoding noise: the encoded sound is [\d.]+% off the original's, where 4 bit may be up to 30% off",
        checked,
    )
    assert following == "[INFO] Next: ./prepare-job.sh FILM --transcribe -s LANGUAGE --backend mlx --model hf-q4"
    for output, name in (
        ("mine", "mine"),
        ("large-mlx", "large-mlx"),
        (str(tmp_path / "a b"), f"'{tmp_path / 'a b'}'"),
    ):  # `large` is large-v3
        assert convert.main([str(hf), "--output", output]) == 0
        assert lines(capsys)[-1].endswith(f" --model {name}")


def test_other_programs_say_nothing(whisper: Any, tmp_path: Path, workspace: Path) -> None:
    """A name that is none in Python makes transformers complain, and so may a parameter that it has renamed."""
    whisper.save_pretrained(tmp_path / "my model's")
    command = [
        sys.executable,
        "-m",
        "sutradhar.stages.recognisers.mlx.convert",
        str(tmp_path / "my model's"),
        "--output",
        "x",
    ]
    child = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert child.returncode == 0
    assert [line.partition(" ")[0] for line in child.stderr.splitlines()] == ["[INFO]"] * 3


def test_leaves_no_lock_and_makes_no_parents(
    hf: Path, workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert convert.main([str(hf)]) == 0
    assert [path.name for path in workspace.iterdir()] == ["hf-mlx"]
    (hf / "config.json").write_text("{")
    assert convert.main([str(hf), "--output", "refused"]) == 2
    assert [path.name for path in workspace.iterdir()] == ["hf-mlx"]
    assert convert.main([str(hf), "--output", str(tmp_path / "none" / "x")]) == 2
    assert (
        lines(capsys)[-1]
        == f"[ERROR] There is no folder {tmp_path / 'none'} to put x into; make it, or choose another --output"
    )
    assert not (tmp_path / "none").exists()


def test_what_is_made_is_private_whoever_converts(hf: Path, workspace: Path) -> None:
    before = os.umask(0o022)
    try:
        assert convert.main([str(hf)]) == 0
    finally:
        os.umask(before)
    assert {oct(path.stat().st_mode & 0o777) for path in (workspace / "hf-mlx").iterdir()} == {"0o600"}
    assert oct((workspace / "hf-mlx").stat().st_mode & 0o777) == "0o700"


def test_heads_of_another_width_are_refused(hf: Path, workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = json.loads((hf / "config.json").read_text())
    (hf / "config.json").write_text(json.dumps(config | {"decoder_attention_heads": 4}))
    assert refusal([str(hf)], workspace, capsys).endswith(
        "cannot be converted: it has 4 heads in a width of 128, where each must be 64 wide, as in OpenAI's models"
    )
