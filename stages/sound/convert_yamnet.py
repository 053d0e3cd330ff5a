"""The converter: the variables of YAMNet, as TensorFlow saved them, as an ONNX file. Nothing needs TensorFlow.

The file of variables is known by its sha256, so it is read as what it is: two numbers of a training program, and then
the network's in the order of its layers, as floats of 32 bits. Batch normalisation becomes part of the convolutions.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sutradhar.pipeline.errors import SutradharError, UsageError
from sutradhar.pipeline.media import SAMPLE_RATE
from sutradhar.stages.sound.about import YAMNET_FILE
from sutradhar.stages.sound.yamnet import FFT, FRAMES, HEARD

Array = NDArray[np.float32]
OPSET = 17
POINTS = FFT // 2 + 1  # of a spectrum
BANDS, LOWEST_HZ, HIGHEST_HZ = 64, 125, 7500
FLOOR = 0.001  # added before the logarithm
BEFORE = 2  # numbers before the network's own
EPSILON = 1e-4  # of batch normalisation
FIRST = 32  # filters of the first convolution
# Stride and filters of each pair of a convolution by channel and one across them
PAIRS = ((1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512), *[(1, 512)] * 5, (2, 1024), (1, 1024))
CLASSES = 521
# The scores of `known_spectra`, as TensorFlow computes them with these variables
EXPECTED = (
    (0.08300399, 0.00194862, 0.00006639, 0.00013900, 0.00024847),
    (0.97303665, 0.00016390, 0.00000000, 0.00000005, 0.00000049),
)
ALLOWED = 1e-4


def convert(variables: Path, folder: Path) -> None:
    """Write the ONNX file into `folder`. Raises UsageError, SutradharError."""
    write(_Numbers(variables), folder / YAMNET_FILE)
    check(folder / YAMNET_FILE)


class _Numbers:
    """The file of variables, read from its beginning."""

    def __init__(self, file: Path) -> None:
        self._all = np.fromfile(file, "<f4")
        self._place = BEFORE
        self._name = file.name

    def take(self, *shape: int) -> Array:
        """Return the next numbers, in this shape. Raises UsageError where there are too few."""
        end = self._place + int(np.prod(shape))
        if end > len(self._all):
            raise UsageError(f"{self._name} holds another network than YAMNet")
        found = self._all[self._place : end].reshape(shape)
        self._place = end
        return found


class _Graph:
    """An ONNX graph that grows by one layer at a time, each on the output of the one before."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.last = "spectra"

    def add(self, kind: str, *weights: NDArray[Any], **options: Any) -> None:
        from onnx import helper, numpy_helper

        name = f"{kind}{len(self.nodes)}"
        names = [f"{name}.{number}" for number in range(len(weights))]
        self.weights += [
            numpy_helper.from_array(np.ascontiguousarray(one), at) for one, at in zip(weights, names, strict=True)
        ]
        self.nodes.append(helper.make_node(kind, [self.last, *names], [name], **options))
        self.last = name

    def convolve(self, kernel: Array, numbers: _Numbers, stride: int, groups: int = 1) -> None:
        """Add a convolution, shape (filters, channels, height, width), with its normalisation, and a rectifier."""
        mean_to, mean, variance = (numbers.take(len(kernel)) for _ in range(3))
        scale = 1 / np.sqrt(variance + np.float32(EPSILON))
        shape = {"kernel_shape": kernel.shape[2:], "strides": [stride, stride], "group": groups}
        weights = (kernel * scale[:, None, None, None], mean_to - mean * scale)
        self.add("Conv", *weights, auto_pad="SAME_UPPER", **shape)
        self.add("Relu")


def write(numbers: _Numbers, path: Path) -> None:
    """Write the network for any number of patches at once, with the scores of the classes that are listened to."""
    graph, width = _Graph(), FIRST
    graph.add("MatMul", bands())
    graph.add("Add", np.array(FLOOR, np.float32))
    graph.add("Log")
    graph.add("Unsqueeze", np.array([1]))
    graph.convolve(numbers.take(3, 3, 1, FIRST).transpose(3, 2, 0, 1), numbers, stride=2)
    for stride, filters in PAIRS:
        graph.convolve(numbers.take(3, 3, width, 1).transpose(2, 3, 0, 1), numbers, stride, groups=width)
        graph.convolve(numbers.take(1, 1, width, filters).transpose(3, 2, 0, 1), numbers, stride=1)
        width = filters
    graph.add("GlobalAveragePool")
    graph.add("Flatten")
    heard = list(HEARD)
    graph.add("Gemm", numbers.take(width, CLASSES)[:, heard], numbers.take(CLASSES)[heard])
    graph.add("Sigmoid")
    _save(graph, path)


def _save(graph: _Graph, path: Path) -> None:
    import onnx
    from onnx import TensorProto, helper

    spectra = helper.make_tensor_value_info("spectra", TensorProto.FLOAT, ["batch", FRAMES, POINTS])
    scores = helper.make_tensor_value_info(graph.last, TensorProto.FLOAT, ["batch", len(HEARD)])
    whole = helper.make_graph(graph.nodes, "yamnet", [spectra], [scores], graph.weights)
    model = helper.make_model(whole, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def bands() -> Array:
    """Return the share that each point of a spectrum has in each band, triangles on the mel scale of HTK, shape
    (points, bands): `tf.signal.linear_to_mel_weight_matrix`."""

    def mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
        return 1127 * np.log1p(hertz / 700)

    lowest, highest = mel(np.array([LOWEST_HZ, HIGHEST_HZ], float))
    edges = np.linspace(lowest, highest, BANDS + 2)
    points = mel(np.linspace(0, SAMPLE_RATE / 2, FFT // 2 + 1))[:, None]
    rising = (points - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - points) / (edges[2:] - edges[1:-1])
    shares: Array = np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
    shares[0] = 0  # the constant part
    return shares


def check(path: Path) -> None:
    """Compare what was written with what TensorFlow computes of the same. Raises SutradharError where they are too far
    apart."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # it reports to Microsoft otherwise
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"spectra": known_spectra()})
    apart = float(np.abs(found - np.array(EXPECTED, np.float32)).max())
    if not apart <= ALLOWED:  # true for NaN too
        raise SutradharError(
            "What was written does not compute what the original does:"
            f" a score is {apart:.2g} apart, where {ALLOWED:g} is allowed"
        )


def known_spectra() -> Array:
    """Return soft and loud sound of which the scores are known, shape (patches, frames, points)."""
    steps = np.arange(2 * FRAMES * POINTS, dtype=np.float64).reshape(2, FRAMES, POINTS)
    levels = np.array([0.05, 2.0])[:, None, None]
    spectra: Array = ((1 + np.sin(steps * steps / 997)) * levels).astype(np.float32)
    return spectra


def work(argv: Sequence[str]) -> None:
    """Convert for a process that has called this one. Raises UsageError, SutradharError."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("variables", type=Path)
    parser.add_argument("--output", type=Path, required=True, help="the folder to write into")
    arguments = parser.parse_args(argv)
    convert(arguments.variables, arguments.output)
