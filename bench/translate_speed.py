"""Speed of IndicTrans2 at the released geometries, random weights, as many tokens a sentence: ours beside the
predecessor's way.

    python -m bench.translate_speed --tokenizer DIR --text FILE \\
        --predecessor "VENV/bin/python -m bench.translate_predecessor --code CODE"

DIR holds the released tokenizer (dict.*.json, model.*), FILE a JSON row a line with `hi`. The predecessor's way is
AI4Bharat's own code on transformers 4.53: one sentence at a time, 4 beams, cached; it gets the first --few
sentences only. In turns, medians. Results go to bench/results/translate_speed.json.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.side_by_side import RESULTS, ROOT, machine
from sutradhar.stages.film.translate.indictrans2 import processor
from sutradhar.stages.film.translate.indictrans2.checkpoint import Shape, weight_shapes
from sutradhar.stages.film.translate.indictrans2.generator import BeamSearch, Generator
from sutradhar.stages.film.translate.indictrans2.tokenizer import IndicTokenizer

GEOMETRIES = {
    "200m": Shape(18, 18, 8, 512, 122_706, 32_296, 256, tied=True, embedding_norm=True),
    "1b": Shape(18, 18, 16, 1024, 122_706, 32_296, 256, tied=False, embedding_norm=False),
}
Pieces = list[list[str]]
Run = Callable[[Pieces], float]  # seconds


def make_checkpoint(folder: Path, shape: Shape, tokenizer: Path) -> Path:
    """Write a checkpoint in the hub's form with random weights, distinct for each layer, since CTranslate2 stores
    equal ones once."""
    from safetensors.numpy import save_file

    noise = np.random.default_rng(0).standard_normal(1 << 22).astype(np.float32) * 0.02
    weights = {}
    for number, (name, sizes) in enumerate(weight_shapes(shape).items()):
        if len(sizes) > 1:
            weights[name] = np.resize(noise * np.float32(1 + number * 1e-4), sizes)
        else:
            weights[name] = np.full(sizes, float("norm" in name and name.endswith("weight")), np.float32)
    folder.mkdir()
    save_file(weights, folder / "model.safetensors")
    for name in ("dict.SRC.json", "dict.TGT.json", "model.SRC", "model.TGT"):
        shutil.copyfile(tokenizer / name, folder / name)
    config = json.loads((tokenizer / "config.json").read_bytes())
    for side in ("encoder", "decoder"):
        config |= {f"{side}_embed_dim": shape.width, f"{side}_attention_heads": shape.heads}
    config |= {"layernorm_embedding": shape.embedding_norm, "share_decoder_input_output_embed": shape.tied}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def open_engine(name: str, checkpoint: Path, device: str) -> Generator:
    engine, numbers = name.split()
    if engine == "mlx":
        from sutradhar.stages.film.translate.indictrans2.mlx import MlxTranslator

        return MlxTranslator(checkpoint, device, numbers)
    from sutradhar.stages.film.translate.indictrans2 import ct2

    folder = checkpoint.with_name(f"ct2-{numbers}")
    folder.mkdir()
    ct2.convert(checkpoint, folder, numbers)
    return ct2.CTranslate2(folder, device, numbers)


def _timed(generator: Any, search: BeamSearch) -> Run:
    def run(pieces: Pieces) -> float:
        began = time.perf_counter()
        found = generator.generate(pieces, search)
        seconds = time.perf_counter() - began
        assert statistics.median(len(one[0].pieces) for one in found) == search.limit
        return seconds

    return run


def predecessor(command: str, sentences: Sequence[str], options: argparse.Namespace) -> float:
    """Return the seconds a sentence."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write("\n".join(sentences) + "\n")
        file.flush()
        arguments = [
            file.name,
            "--tokenizer",
            str(options.tokenizer),
            "--geometry",
            options.geometry,
            "--tokens",
            str(options.tokens),
        ]
        child = subprocess.run(
            [*shlex.split(command), *arguments], cwd=ROOT, capture_output=True, text=True, check=True
        )
    return float(json.loads(child.stdout.splitlines()[-1])["seconds"]) / len(sentences)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.translate_speed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--geometry", choices=list(GEOMETRIES), default="200m")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument(
        "--engines", nargs="+", default=["ct2 int8"], help='"ct2 int8", "ct2 float16", "mlx float16" ...'
    )
    parser.add_argument("--cues", type=int, default=1000)
    parser.add_argument("--tokens", type=int, default=20)
    parser.add_argument("--beams", type=int, default=4)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--predecessor", default="")
    parser.add_argument("--few", type=int, default=10)
    parser.add_argument("--out", type=Path, default=RESULTS / "translate_speed.json")
    options = parser.parse_args()
    rows = [json.loads(line)["hi"] for line in options.text.read_text(encoding="utf-8").splitlines()]
    sentences = [rows[number % len(rows)] for number in range(options.cues)]
    tagged, _ = processor.prepare(sentences, "hin_Deva", "eng_Latn")
    tokenizer = IndicTokenizer(options.tokenizer)
    pieces = [tokenizer.split(text) for text in tagged]
    shape, search = GEOMETRIES[options.geometry], BeamSearch(options.beams, limit=options.tokens)
    seconds: dict[str, list[float]] = {
        name: [] for name in (*options.engines, *(["predecessor"] if options.predecessor else []))
    }
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = make_checkpoint(Path(folder) / "checkpoint", shape, options.tokenizer)
        runs: dict[str, Run] = {}
        for name in options.engines:
            runs[name] = _timed(open_engine(name, checkpoint, options.device), search)
        for run in runs.values():
            run(pieces[:64])
        for number in range(options.runs):
            for name, run in runs.items():
                seconds[name].append(run(pieces))
                print(name, number, round(seconds[name][-1], 2), flush=True)
            if options.predecessor:
                seconds["predecessor"].append(
                    predecessor(options.predecessor, sentences[: options.few], options) * len(sentences)
                )
                print(
                    "predecessor",
                    number,
                    round(seconds["predecessor"][-1], 2),
                    f"for all, from {options.few}",
                    flush=True,
                )
    medians = {name: round(statistics.median(values), 2) for name, values in seconds.items()}
    found = {
        "machine": machine(),
        "geometry": options.geometry,
        "device": options.device,
        "cues": options.cues,
        "tokens": options.tokens,
        "beams": options.beams,
    }
    results = json.loads(options.out.read_text()) if options.out.exists() else {}
    results[f"{options.geometry} {options.device}"] = {**found, "seconds": medians, "all": seconds}
    options.out.write_text(json.dumps(results, indent=1) + "\n")
    print(medians)


if __name__ == "__main__":
    main()
