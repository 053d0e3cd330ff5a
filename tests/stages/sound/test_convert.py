"""The converter, on networks of random weights and the real geometry, saved as a training program saves them."""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sutradhar.pipeline.errors import SutradharError, UsageError
from sutradhar.pipeline.processes import channel
from sutradhar.stages.sound import convert, pyannet
from sutradhar.stages.sound.about import FILE

TASK = "pyannote.audio.core.task"


def random_weights() -> Mapping[str, torch.Tensor]:
    torch.manual_seed(0)
    return pyannet.PyanNet().state_dict()


def training_notes(monkeypatch: pytest.MonkeyPatch) -> Any:
    """An object of pyannote's, whose modules need not be there to read it."""
    kind = type("Specifications", (), {"__module__": TASK})
    module = types.ModuleType(TASK)
    monkeypatch.setattr(module, "Specifications", kind, raising=False)
    monkeypatch.setitem(sys.modules, TASK, module)
    notes = kind()
    notes.duration = 10.0
    return notes


@pytest.fixture
def checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "pytorch_model.bin"
    notes = {"specifications": training_notes(monkeypatch), "versions": {"torch": torch.__version__}}
    torch.save({"state_dict": random_weights(), "pyannote.audio": notes}, path)
    monkeypatch.delitem(sys.modules, TASK)
    return path


def test_weights_are_read_and_objects_beside_them_are_not_made(checkpoint: Path) -> None:
    network = convert.read(checkpoint)
    assert network.state_dict().keys() == random_weights().keys()
    assert all(torch.equal(tensor, random_weights()[name]) for name, tensor in network.state_dict().items())
    assert TASK not in sys.modules
    with torch.inference_mode():
        found = network(torch.zeros(1, pyannet.SAMPLES))
    assert found.shape == (1, 589, 7)
    assert torch.allclose(found.exp().sum(-1), torch.ones(1, 589))


def test_the_filters_are_those_of_asteroid() -> None:
    asteroid_filterbanks = pytest.importorskip("asteroid_filterbanks")
    theirs = asteroid_filterbanks.ParamSincFB(80, 251, stride=10, sample_rate=16_000, min_low_hz=50, min_band_hz=50)
    ours = pyannet.Filterbank()
    ours.load_state_dict(theirs.state_dict())
    with torch.no_grad():
        assert torch.allclose(ours(), theirs.filters(), atol=1e-6)


class Malicious:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, ("was here",)


@pytest.mark.parametrize("place", ["state_dict", "beside"])
def test_code_in_a_checkpoint_is_refused_and_not_run(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": random_weights(), place: Malicious()}, "evil.bin")
    with pytest.raises(UsageError, match=r"^evil\.bin is damaged, or holds more than weights$"):
        convert.read(Path("evil.bin"))
    assert [path.name for path in tmp_path.iterdir()] == ["evil.bin"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no checkpoint", "is damaged, or holds more than weights"),
        (b"", "is damaged, or holds more than weights"),
        ([1, 2], "holds no weights"),
        ({"state_dict": 1}, "holds no weights"),
        ({"state_dict": {}}, "holds another network than that of segmentation-3.0"),
        (
            {"state_dict": {**random_weights(), "classifier.bias": torch.zeros(8)}},
            "holds another network than that of segmentation-3.0",
        ),
    ],
)
def test_what_is_no_such_network_is_refused(content: Any, message: str, tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(UsageError) as error:
        convert.read(path)
    assert str(error.value) == f"model.bin {message}"


@pytest.mark.parametrize(
    ("apart", "message"),
    [
        (3e-4, "a log-probability is 0.0003 apart, where 0.0001 is allowed"),
        (np.nan, "a log-probability is nan apart, where 0.0001 is allowed"),
        (9e-5, "the probability of speech is "),
    ],
)
def test_a_file_that_computes_something_else_is_refused(
    apart: float, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mostly_silence = torch.log(torch.tensor([0.94] + [0.01] * 6)).repeat(5, 589, 1)
    network: Any = lambda sound: mostly_silence[: len(sound)]  # noqa: E731
    monkeypatch.setattr(
        convert,
        "_by_onnx",
        lambda path, noises: [mostly_silence[: len(noise)].numpy() + np.float32(apart) for noise in noises],
    )
    with pytest.raises(SutradharError, match=f"does not compute what the original does: {message}"):
        convert.check(network, tmp_path / FILE)


def test_a_written_file_computes_what_the_network_does(checkpoint: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed; scripts/bootstrap.sh")
    import onnxruntime

    (tmp_path / "made").mkdir()
    channel.call("The converter", convert.__name__, "work", str(checkpoint), "--output", str(tmp_path / "made"))
    assert [path.name for path in (tmp_path / "made").iterdir()] == [FILE]
    session = onnxruntime.InferenceSession(str(tmp_path / "made" / FILE), providers=["CPUExecutionProvider"])
    (sound,), (output,) = session.get_inputs(), session.get_outputs()
    assert (sound.name, sound.type, sound.shape[1]) == ("sound", "tensor(float)", 160_000)
    assert isinstance(sound.shape[0], str)
    noise = np.random.default_rng(1).normal(0, 0.03, (3, 160_000)).astype(np.float32)
    (found,) = session.run(None, {"sound": noise})
    with torch.inference_mode():
        expected = convert.read(checkpoint)(torch.from_numpy(noise)).numpy()
    assert found.shape == (3, 589, 7)
    assert np.abs(found - expected).max() < 1e-4
    assert output.name == "log_probabilities"
