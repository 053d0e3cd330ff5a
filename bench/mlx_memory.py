"""Memory of the MLX recogniser over 500 windows of speech, against what `sutradhar.stages.recognisers.mlx.memory`
says beforehand.

    python -m bench.mlx_memory windows.npz --model models/base-mlx
    python -m bench.mlx_memory windows.npz --geometry large-v3

The windows are those of `bench.backends cut`, over and over. With --geometry weights are random, and every text
goes to the token limit. Results are added to bench/results/mlx_memory.json.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import mlx.core as mx
from mlx.utils import tree_flatten
from mlx_whisper.whisper import Whisper

from bench.backends import read
from bench.mlx_speed import GEOMETRIES
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.models.form import ResolvedModel
from sutradhar.stages.recognisers.contract import AudioWindow
from sutradhar.stages.recognisers.mlx import memory
from sutradhar.stages.recognisers.mlx.engine import MlxWhisper
from sutradhar.stages.recognisers.mlx.network import Network, load_network
from sutradhar.stages.recognisers.mlx.stream import COLUMNS
from sutradhar.stages.recognisers.whisper.requests import MAX_TEXT

RESULTS = Path(__file__).parent / "results" / "mlx_memory.json"
WINDOWS, EVERY = 500, 50


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.mlx_memory", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("windows", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--geometry", choices=list(GEOMETRIES))
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--beam", type=int, default=5)
    parser.add_argument("--compute-type", default="float16")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    network = load_network(options.model, options.compute_type) if options.model else _random(options.geometry)
    _, windows = read(options.windows)
    found = measure(network, options.beam, options.batch, [window for _, window in windows])
    name = f"{options.geometry or options.model.name}, {options.beam} beams, {options.batch} windows at once"
    results = json.loads(options.out.read_text()) if options.out.exists() else {}
    options.out.write_text(json.dumps({**results, name: found}, indent=1) + "\n")
    print(name, found)


def _random(geometry: str) -> Network:
    mx.random.seed(0)
    model = Whisper(GEOMETRIES[geometry], mx.float16)
    model.set_dtype(mx.float16)
    return Network(model, mx.float16)


def measure(network: Network, beams: int, slots: int, windows: list[AudioWindow]) -> dict[str, Any]:
    """Return the bytes that MLX holds after each 50 windows, and at most beside the weights."""
    settings = Settings(WHISPER_BEAM_SIZE=beams, BATCH_SIZE=slots, SOURCE_LANGUAGE="en", WHISPER_TEMPERATURE="0.0")
    recogniser = MlxWhisper(network, ResolvedModel(Path(), "", "", "mlx"), settings, False, logging.getLogger())
    weights = sum(
        array.nbytes for part in (network._encoder, network._decoder) for _, array in tree_flatten(part.parameters())
    )
    mx.reset_peak_memory()
    began = time.perf_counter()
    active = [
        mx.get_active_memory() for done, _ in enumerate(recogniser.recognise(_many(windows)), 1) if done % EVERY == 0
    ]
    return {
        "device": mx.device_info().get("device_name", str(mx.default_device())),
        "weights_bytes": weights,
        "seconds": round(time.perf_counter() - began, 2),
        "active_bytes": active,
        "growth": round(max(active[len(active) // 2 :]) / max(active[: len(active) // 2]) - 1, 4),
        "peak_beside_weights_bytes": mx.get_peak_memory() - weights,
        "formula_bytes": memory.decoding_bytes(network, slots, beams, MAX_TEXT + COLUMNS),
    }


def _many(windows: list[AudioWindow]) -> Iterator[AudioWindow]:
    for number, window in enumerate(islice(cycle(windows), WINDOWS)):
        yield replace(window, id=number, language="en")


if __name__ == "__main__":
    main()
