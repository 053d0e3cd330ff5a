"""The converter: the checkpoint of segmentation-3.0 as an ONNX file, so that nothing needs PyTorch where it runs.

What was written is checked against PyTorch on noise. No code in the checkpoint is run.
"""

from __future__ import annotations

import argparse
import os
import pickle
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sutradhar.pipeline.errors import SutradharError, UsageError
from sutradhar.stages.sound.about import FILE

if TYPE_CHECKING:
    from sutradhar.stages.sound.pyannet import PyanNet

Array = NDArray[np.float32]
OPSET = 17
BATCHES = (1, 2, 5)
LEVEL = 0.1  # of the noise
ALLOWED = {"a log-probability": 1e-4, "the probability of speech": 2e-5}
# Objects in the checkpoint beside its weights, which tell of the training; they are read as empty ones.
IGNORED = (
    "pyannote.audio.core.task.Problem",
    "pyannote.audio.core.task.Resolution",
    "pyannote.audio.core.task.Specifications",
    "torch.torch_version.TorchVersion",
)


def convert(checkpoint: Path, folder: Path) -> None:
    """Write the ONNX file into `folder`. Raises UsageError, SutradharError."""
    network = read(checkpoint)
    write(network, folder / FILE)
    check(network, folder / FILE)


# --- The checkpoint


class _Ignored:
    """Stands for an object that is not wanted: it takes all that it is given, and keeps nothing."""

    def __init__(self, *arguments: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass


def read(checkpoint: Path) -> PyanNet:
    """Read a network. Raises UsageError for anything but the weights of one."""
    from sutradhar.stages.sound import pyannet

    try:
        return pyannet.load(_weights(checkpoint))
    except RuntimeError:
        raise UsageError(f"{checkpoint.name} holds another network than that of segmentation-3.0") from None


def _weights(checkpoint: Path) -> Mapping[str, Any]:
    import torch

    try:
        with torch.serialization.safe_globals([(_Ignored, name) for name in IGNORED]):
            stored = torch.load(checkpoint, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError):
        raise UsageError(f"{checkpoint.name} is damaged, or holds more than weights") from None
    weights = stored.get("state_dict") if isinstance(stored, dict) else None
    if not isinstance(weights, dict):
        raise UsageError(f"{checkpoint.name} holds no weights")
    return weights


# --- The ONNX file


def write(network: PyanNet, path: Path) -> None:
    """Write a network for any number of chunks at once."""
    import torch

    from sutradhar.stages.sound.pyannet import SAMPLES

    names = ("sound", "log_probabilities")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an exporter that is to come, and of LSTMs, which `check` tries
        torch.onnx.export(
            network,
            (torch.zeros(1, SAMPLES),),
            path,
            input_names=names[:1],
            output_names=names[1:],
            dynamic_axes={name: {0: "batch"} for name in names},
            opset_version=OPSET,
            dynamo=False,
        )


def check(network: PyanNet, path: Path) -> None:
    """Compare what was written with the network, for several numbers of chunks. Raises SutradharError where they are
    too far apart."""
    from sutradhar.stages.sound.pyannet import SAMPLES

    random = np.random.default_rng(0)
    noises = [random.normal(0, LEVEL, (batch, SAMPLES)).astype(np.float32) for batch in BATCHES]
    pairs = [(_by_torch(network, noise), found) for noise, found in zip(noises, _by_onnx(path, noises), strict=True)]
    apart = {
        "a log-probability": max(_difference(found, expected) for expected, found in pairs),
        "the probability of speech": max(
            _difference(np.exp(found[..., 0]), np.exp(expected[..., 0])) for expected, found in pairs
        ),
    }
    for what, difference in apart.items():
        if not difference <= ALLOWED[what]:  # true for NaN too
            raise SutradharError(
                "What was written does not compute what the original does:"
                f" {what} is {difference:.2g} apart, where {ALLOWED[what]:g} is allowed"
            )


def _difference(found: Array, expected: Array) -> float:
    return float(np.abs(found - expected).max()) if found.shape == expected.shape else np.inf


def _by_torch(network: PyanNet, noise: Array) -> Array:
    import torch

    with torch.inference_mode():
        expected: Array = network(torch.from_numpy(noise)).numpy()
    return expected


def _by_onnx(path: Path, noises: Sequence[Array]) -> list[Array]:
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # it reports to Microsoft otherwise
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return [session.run(None, {"sound": noise})[0] for noise in noises]


def work(argv: Sequence[str]) -> None:
    """Convert for a process that has called this one. Raises UsageError, SutradharError."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--output", type=Path, required=True, help="the folder to write into")
    arguments = parser.parse_args(argv)
    convert(arguments.checkpoint, arguments.output)
