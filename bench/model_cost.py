"""Seconds of one core that each size of Whisper takes for a window of 30 s: random weights, int8, beam 5.

    .venv/bin/python -m bench.model_cost --runs 3

As the recogniser does it: a worker for each core, each encodes one window and decodes 100 tokens of it (an English
window of dense speech; a Hindi one has up to three times as many, so both parts are given). Processor time is
counted, which other programs lengthen little, and the least of the runs counts. `pipeline/machine/sizing.py` takes
its table from here: bench/results/model_cost.json.
"""

from __future__ import annotations

import argparse
import gc
import json
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from ctranslate2.converters import transformers as converters
from mlx_whisper.whisper import ModelDimensions
from transformers.modeling_utils import no_init_weights

from bench.mlx_speed import EOT, GEOMETRIES, TOKENS, _vocabulary, hugging_face_model
from bench.side_by_side import machine
from sutradhar.pipeline.machine.probe import usable_cores

RESULTS = Path(__file__).parent / "results" / "model_cost.json"
SIZES = {
    "base": GEOMETRIES["base"],
    "small": ModelDimensions(80, 1500, 768, 12, 12, 51_865, 448, 768, 12, 12),
    "medium": ModelDimensions(80, 1500, 1024, 16, 24, 51_865, 448, 1024, 16, 24),
    "large-v3-turbo": GEOMETRIES["turbo"],
    "large-v3": GEOMETRIES["large-v3"],
}


def convert(dims: ModelDimensions, folder: Path) -> None:
    """Write a CTranslate2 model of such a shape, in int8."""
    with no_init_weights():  # which takes minutes
        model = hugging_face_model(dims)
    for weights in model.state_dict().values():
        weights.uniform_(-0.03, 0.03)
    spec = converters._MODEL_LOADERS["WhisperConfig"].get_model_spec(model)
    spec.register_vocabulary(_vocabulary(dims.n_vocab))
    spec.validate()
    spec.optimize(quantization="int8")
    folder.mkdir()
    spec.save(str(folder))


def measure(name: str, folder: Path, cores: int, runs: int) -> dict[str, float]:
    """Return the seconds of one core for a window, while all cores are at work."""
    dims = SIZES[name]
    convert(dims, folder / name)
    gc.collect()
    whisper = ctranslate2.models.Whisper(str(folder / name), compute_type="int8", inter_threads=cores, intra_threads=1)
    mel = np.random.default_rng(0).normal(size=(1, dims.n_mels, 3000)).astype(np.float32)
    transcribe = EOT + 3 + dims.n_vocab - 51_766
    prompt = [EOT + 1, EOT + 2, transcribe, transcribe + 4]

    def encode(_: int) -> Any:
        return whisper.encode(ctranslate2.StorageView.from_array(mel), to_cpu=True)

    def decode(encoded: Any) -> None:
        found = whisper.generate(
            encoded, [prompt], beam_size=5, max_length=2 * TOKENS, suppress_tokens=[EOT], suppress_blank=False
        )
        assert len(found[0].sequences_ids[0]) == TOKENS, len(found[0].sequences_ids[0])

    seconds: dict[str, list[float]] = {"encode": [], "decode": []}
    with ThreadPoolExecutor(cores) as pool:
        for _ in range(runs):
            began = time.process_time()
            encoded = list(pool.map(encode, range(cores)))
            between = time.process_time()
            list(pool.map(decode, encoded))
            seconds["encode"].append((between - began) / cores)
            seconds["decode"].append((time.process_time() - between) / cores)
    return {what: round(min(values), 3) for what, values in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.model_cost", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", nargs="+", choices=list(SIZES), default=list(SIZES))
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    cores = usable_cores()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results |= {"machine": machine(), "cores": cores, "tokens": TOKENS, "beam": 5, "compute_type": "int8"}
    for name in options.size:
        with tempfile.TemporaryDirectory(prefix="model-cost-") as folder:
            results.setdefault("seconds_a_window", {})[name] = found = measure(name, Path(folder), cores, options.runs)
        print(name, found, flush=True)
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
