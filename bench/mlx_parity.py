"""Check that the MLX decoder gives the same tokens at every batch size and order, and those of mlx-whisper's own
decoder.

    MLX_ENABLE_TF32=0 python -m bench.mlx_parity windows.npz --model models/base-mlx

The windows are those of `bench.backends cut`. Greedy, float32, with and without timestamps. A difference is listed
with the margin: how far apart the two tokens' logits are where the texts part. Ends with 1 where rounding does not
explain one. Results go to bench/results/mlx_parity.json.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor
from mlx_whisper.decoding import DecodingOptions, DecodingTask
from mlx_whisper.load_models import load_model

from bench.backends import read
from bench.clips import SETS
from bench.mlx_speed import decode
from sutradhar.stages.recognisers.mlx import tokens
from sutradhar.stages.recognisers.mlx.choice import Search
from sutradhar.stages.recognisers.mlx.network import Network, load_network
from sutradhar.stages.recognisers.mlx.slots import Slots, Task

RESULTS = Path(__file__).parent / "results" / "mlx_parity.json"
BATCHES = (1, 3, 8, 16)
NEAR = 1e-4  # logits that are closer may swap places by rounding alone


def texts_of(network: Network, slots: int, tasks: Sequence[tuple[int, Task]]) -> dict[int, list[int]]:
    return {
        number: text.tokens
        for number, text in decode(Slots(network, tokens.vocabulary_of(network), Search(), slots, 256), tasks)
    }


class Margins:
    def __init__(self, network: Network, tasks: dict[int, Task]) -> None:
        self._network, self._tasks, self._eot = network, tasks, tokens.vocabulary_of(network).eot

    def between(self, number: int, ours: list[int], other: list[int]) -> dict[str, Any]:
        ours, other = [*ours, self._eot], [*other, self._eot]
        place = next((index for index, pair in enumerate(zip(ours, other, strict=False)) if pair[0] != pair[1]), None)
        if place is None:
            return {"window": number, "place": min(len(ours), len(other)), "margin": None}
        task = self._tasks[number]
        x, _ = self._network.read(mx.array([[*task.prompt, *ours[:place]]]), task.features[None])
        logits = np.array(self._network.logits(x[:, -1:]))[0, 0]
        return {
            "window": number,
            "place": place,
            "tokens": [ours[place], other[place]],
            "margin": float(abs(logits[ours[place]] - logits[other[place]])),
        }


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.mlx_parity", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("windows", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--of-each-set", type=int, default=25)
    parser.add_argument("--device", choices=("cpu", "gpu"), default="gpu")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    mx.set_default_device(mx.Device(mx.gpu if options.device == "gpu" else mx.cpu))
    network = load_network(options.model, "float32")
    clips, windows = read(options.windows)
    chosen = [
        window
        for name in SETS
        for window in [window for clip, window in windows if clips[clip]["set"] == name][: options.of_each_set]
    ]
    extract = FeatureExtractor(feature_size=network.dims.n_mels)
    mel = np.stack([extract(np.pad(window.audio, (0, 480_000 - len(window.audio))), padding=0).T for window in chosen])
    features = [
        feature for first in range(0, len(mel), 8) for feature in list(network.encode(mx.array(mel[first : first + 8])))
    ]
    mx.eval(features)
    result: dict[str, Any] = {
        "mlx": mx.__version__,
        "device": mx.device_info().get("device_name", options.device),
        "windows": len(chosen),
    }
    reference = load_model(str(options.model), mx.float32)
    reference.set_dtype(mx.float32)
    unexplained = False
    for timed in (False, True):
        tasks = {}
        for number, window in enumerate(chosen):
            tokenizer = tokens.make_tokenizer(network, "transcribe", window.language or "en")
            tasks[number] = Task(
                features[number], (*tokenizer.sot_sequence, *(() if timed else (tokenizer.no_timestamps,)))
            )
        margins = Margins(network, tasks)
        orders = {f"B={batch}": (batch, list(tasks)) for batch in BATCHES}
        orders["B=16 shuffled"] = (16, np.random.default_rng(3).permutation(len(tasks)).tolist())
        texts = {
            name: texts_of(network, batch, [(number, tasks[number]) for number in order])
            for name, (batch, order) in orders.items()
        }
        alone = texts["B=1"]
        found = {
            name: [
                margins.between(number, alone[number], text[number])
                for number in tasks
                if text[number] != alone[number]
            ]
            for name, text in texts.items()
            if name != "B=1"
        }
        theirs = {}
        for number, window in enumerate(chosen):
            wanted = DecodingOptions(language=window.language, without_timestamps=not timed, fp16=False)
            theirs[number] = list(DecodingTask(reference, wanted).run(mx.array(mel[number : number + 1]))[0].tokens)
        begin = tokens.vocabulary_of(network).timestamp_begin
        found["mlx-whisper"] = [
            {**margins.between(number, alone[number], theirs[number]), "goes_back": _goes_back(theirs[number], begin)}
            for number in tasks
            if theirs[number] != alone[number]
        ]
        result["with timestamps" if timed else "without timestamps"] = found
        for name, cases in found.items():
            print("timestamps" if timed else "plain", name, len(cases), "of", len(chosen), "differ", cases, flush=True)
            unexplained |= any(not _explained(case) for case in cases)
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    return int(unexplained)


def _explained(case: dict[str, Any]) -> bool:
    """Tell whether rounding explains it, or the rule that mlx-whisper does not enforce."""
    return bool(case.get("goes_back")) or (case["margin"] is not None and case["margin"] < NEAR)


def _goes_back(text: Sequence[int], begin: int) -> bool:
    """Tell whether timestamps decrease, or a segment is empty, which the rule forbids that mlx-whisper does not
    enforce."""
    times = [token for token in text if token >= begin]
    return any(later < earlier for earlier, later in pairwise(times)) or any(
        start == end for start, end in zip(times[::2], times[1::2], strict=False)
    )


if __name__ == "__main__":
    sys.exit(main())
