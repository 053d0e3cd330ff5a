"""The settings that `load` chooses, without a model."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

import sutradhar
from sutradhar import model
from sutradhar.pipeline.jobs.settings import Settings
from tests.conftest import ROOT

Load = Callable[..., Settings]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Load:
    """`sutradhar.load`, which returns the settings in place of the model."""
    monkeypatch.setattr(model, "Model", lambda settings, folder: settings)
    return partial(sutradhar.load, models_dir=ROOT / "models")  # type: ignore[return-value]


def test_arguments_and_settings_are_taken(load: Load) -> None:
    found = load(
        "base",
        backend="whisperx",
        device="cpu",
        compute_type="float32",
        batch_size=2,
        offline=True,
        settings={"WHISPER_BEAM_SIZE": 1},
    )
    assert (found.WHISPER_MODEL, found.WHISPER_BACKEND, found.WHISPERX_DEVICE) == ("base", "whisperx", "cpu")
    assert (found.WHISPER_COMPUTE_TYPE, found.BATCH_SIZE, found.OFFLINE) == ("float32", 2, True)
    assert found.WHISPER_BEAM_SIZE == 1


@pytest.mark.parametrize(
    ("settings", "arguments", "contradiction"),
    [
        ({"WHISPER_MODEL": "small"}, {"model": "base"}, "WHISPER_MODEL=small, which contradicts model=base"),
        (
            {"WHISPER_BACKEND": "mlx"},
            {"backend": "whisperx"},
            "WHISPER_BACKEND=mlx, which contradicts backend=whisperx",
        ),
        ({"WHISPERX_DEVICE": "cuda"}, {"device": "cpu"}, "WHISPERX_DEVICE=cuda, which contradicts device=cpu"),
        (
            {"WHISPER_COMPUTE_TYPE": "int8"},
            {"compute_type": "float32"},
            "WHISPER_COMPUTE_TYPE=int8, which contradicts compute_type=float32",
        ),
        ({"BATCH_SIZE": 4}, {"batch_size": 2}, "BATCH_SIZE=4, which contradicts batch_size=2"),
        ({"OFFLINE": False}, {"offline": True}, "OFFLINE=false, which contradicts offline=true"),
    ],
)
def test_a_setting_that_contradicts_an_argument_is_refused(
    settings: dict[str, object], arguments: dict[str, object], contradiction: str, load: Load
) -> None:
    with pytest.raises(sutradhar.UsageError) as error:
        load(settings=settings, **arguments)
    assert str(error.value) == f"settings has {contradiction}; give one of them"


def test_a_setting_that_is_an_argument_counts_as_that(load: Load) -> None:
    found = load(
        max_memory_gb=0.8,
        offline=True,
        settings={
            "WHISPER_MODEL": "base",
            "WHISPER_BACKEND": "WhisperX",
            "WHISPERX_DEVICE": "cpu",
            "WHISPER_COMPUTE_TYPE": "float32",
            "BATCH_SIZE": 50,
            "OFFLINE": True,
        },
    )
    assert (found.WHISPER_MODEL, found.WHISPER_BACKEND, found.WHISPERX_DEVICE) == ("base", "whisperx", "cpu")
    assert (found.WHISPER_COMPUTE_TYPE, found.BATCH_SIZE, found.OFFLINE) == ("float32", 3, True)
    with pytest.raises(sutradhar.UsageError, match=r"^sutradhar.load: BATCH_SIZE='many' does not fit"):
        load("base", max_memory_gb=0.8, settings={"BATCH_SIZE": "many"})


@pytest.mark.parametrize("memory_gb", [float("nan"), float("inf"), "4"])
def test_memory_is_a_number(memory_gb: object, load: Load) -> None:
    with pytest.raises(sutradhar.UsageError) as error:
        load("base", max_memory_gb=memory_gb)
    assert str(error.value) == f"max_memory_gb={memory_gb!r}: it must be a number of GB"
