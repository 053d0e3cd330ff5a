"""What is seen of a damaged MLX model without MLX."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from pathlib import Path

import pytest

from sutradhar.pipeline.models.content import DIMENSIONS, dimensions_problem
from sutradhar.stages.recognisers.mlx.content import content_problem

BASE = dict(zip(DIMENSIONS, (80, 1500, 512, 8, 6, 51865, 448, 512, 8, 6), strict=True))


def safetensors(metadata: object = None) -> bytes:
    """MLX writes null where there are no metadata."""
    header = json.dumps(
        {"__metadata__": metadata, "w": {"dtype": "F16", "shape": [3], "data_offsets": [0, 6]}}
    ).encode()
    return struct.pack("<Q", len(header)) + header + bytes(6)


def npz() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("w.npy", bytes(6))
    return file.getvalue()


def make_mlx(folder: Path) -> Path:
    """The smallest that looks whole; weights.npz only where such a file is there already."""
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "whisper", **BASE}))
    if (folder / "weights.npz").exists():
        (folder / "weights.npz").write_bytes(npz())
    else:
        (folder / "weights.safetensors").write_bytes(safetensors())
    return folder


def test_a_whole_one_has_no_problem(tmp_path: Path) -> None:
    assert content_problem(make_mlx(tmp_path)) == ""
    (tmp_path / "weights.safetensors").write_bytes(safetensors({"format": "mlx"}))
    assert content_problem(tmp_path) == ""
    (tmp_path / "weights.safetensors").unlink()
    (tmp_path / "weights.npz").write_bytes(npz())
    assert content_problem(tmp_path) == ""


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "its config.json is damaged"),
        ("[]", "its config.json is damaged"),
        ("\xff", "its config.json is damaged"),
        ("{}", "it does not say its n_mels"),
        ('{"model_type": "llama"}', "its config.json calls it 'llama', not 'whisper'"),
        (json.dumps(BASE | {"n_text_layer": "6"}), "its n_text_layer is '6'"),
        (json.dumps(BASE | {"n_text_layer": True}), "its n_text_layer is True"),
    ],
)
def test_a_configuration_that_is_no_whispers(content: str, problem: str, tmp_path: Path) -> None:
    (make_mlx(tmp_path) / "config.json").write_text(content, "latin-1")
    assert content_problem(tmp_path) == problem


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x05",
        safetensors()[:-1],
        safetensors() + b"\0",
        safetensors()[:20],
        b"\xff" * 100,
        b"\2" + bytes(7) + b"[]",
    ],
)
def test_weights_that_are_cut_short_or_no_safetensors(content: bytes, tmp_path: Path) -> None:
    (make_mlx(tmp_path) / "weights.safetensors").write_bytes(content)
    assert content_problem(tmp_path) == "its weights.safetensors is damaged or cut short"


def test_an_archive_that_is_cut_short(tmp_path: Path) -> None:
    (make_mlx(tmp_path) / "weights.safetensors").unlink()
    (tmp_path / "weights.npz").write_bytes(npz()[:-30])
    assert content_problem(tmp_path) == "its weights.npz is damaged or cut short"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({}, ""),
        ({"n_mels": 0}, "its n_mels is 0"),
        ({"n_vocab": None}, "it does not say its n_vocab"),
        ({"n_audio_head": 16}, "it has 16 heads in a width of 512, where each must be 64 wide, as in OpenAI's models"),
        ({"n_text_head": 7}, "it has 7 heads in a width of 512, where each must be 64 wide, as in OpenAI's models"),
        ({"n_text_state": 384, "n_text_head": 6}, "its encoder is 512 wide and its decoder 384"),
    ],
)
def test_dimensions_that_cannot_be_decoded(change: dict[str, object], problem: str) -> None:
    assert dimensions_problem(BASE | change) == problem
