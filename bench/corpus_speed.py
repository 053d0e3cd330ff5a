"""Throughput on short recordings against a loop over WhisperX's own Python API, model loaded once.

    python -m bench.corpus_speed --data DIR --files 300 --out bench/results/corpus_speed.json

DIR holds en_commonvoice, tel_asterisk and so on, each with `manifest.jsonl` (`audio`, `duration`, `text`). The loop
is what WhisperX's README shows: load_model, then for each file load_audio and transcribe; its own load time is not
counted. Ours is a whole job, prepared and run by the commands, with all start-up; beside it stand the seconds of
its stages, and recognition alone: the second half of the results, by when every worker is at work. Same weights,
same beam, same batch size; WhisperX needs ffmpeg on PATH.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import msgspec

from bench.recordings import Home, ReferenceRecording, add_engine_options, choose, engine_options, word_error_rate
from bench.side_by_side import ROOT, machine
from sutradhar.stages.corpus.results import Result

HOURS = 1600  # of the collection that the time is extrapolated to
LOOP = """
import json, sys, time
import whisperx
options = json.loads(sys.argv[1])
model = whisperx.load_model(options["model"], options["device"], compute_type=options["compute_type"], language="en",
    asr_options={"beam_size": 5}, vad_method=options["vad"], threads=options["threads"])
texts, began = {}, time.monotonic()
for path in options["files"]:
    found = model.transcribe(whisperx.load_audio(path), batch_size=options["batch"])
    texts[path] = " ".join(segment["text"].strip() for segment in found["segments"])
json.dump({"seconds": time.monotonic() - began, "texts": texts}, open(options["out"], "w"))
"""


@dataclass(frozen=True)
class FolderRun:
    seconds: float
    texts: dict[str, str]  # by path
    parts: dict[str, Any] = field(default_factory=dict)  # of a job


Side = Callable[[], FolderRun]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.corpus_speed", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--files", type=int, default=300)
    add_engine_options(parser)
    parser.add_argument("--backends", nargs="+", default=["whisperx"])
    parser.add_argument("--workers", nargs="+", default=["auto"], help="of our job, a run each")
    parser.add_argument("--vad", default="pyannote", help="of the loop: pyannote or silero")
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        help="further options of prepare-job (--option=--timestamps --option=none)",
    )
    parser.add_argument("--until", default="export", help="last stage of our job")
    parser.add_argument(
        "--no-scores", action="store_true", help="without word error rates, which need jiwer and whisper-normalizer"
    )
    parser.add_argument("--alone", action="store_true", help="without the loop")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "corpus_speed.json")
    options = parser.parse_args()
    found: dict[str, list[float]] = {}
    parts: dict[str, list[dict[str, Any]]] = {}
    errors: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recordings = choose(options.data, options.files, folder / "recordings")
        seconds_of_sound = sum(one.seconds for one in recordings)
        paths, home = [str(one.path) for one in recordings], Home(folder / "home", options.model.parent)
        for number in range(options.runs):
            sides: dict[str, Side] = {} if options.alone else {"loop": lambda: loop(paths, folder, options)}
            for backend, workers in product(options.backends, options.workers):
                side = backend if workers == "auto" else f"{backend}, {workers} workers"
                sides[side] = partial(
                    ours, recordings, home, options, f"{backend}-{workers}-{number}", backend, workers
                )
            for side, run in sides.items():
                one = run()
                found.setdefault(side, []).append(round(one.seconds, 2))
                parts.setdefault(side, []).append(one.parts)
                print(f"{side}: {one.seconds:.1f} s, {seconds_of_sound / one.seconds:.1f}x real time", flush=True)
                if not options.no_scores:
                    errors[side] = word_error_rate(
                        [each.text for each in recordings], [one.texts[path] for path in paths]
                    )
    median = {side: sorted(values)[len(values) // 2] for side, values in found.items()}
    result = {
        "machine": machine(),
        "device": options.device,
        "compute_type": options.compute_type,
        "model": options.model.name,
        "batch": options.batch,
        "files": len(recordings),
        "seconds_of_sound": round(seconds_of_sound, 1),
        "seconds": found,
        "times_real_time": {side: round(seconds_of_sound / value, 1) for side, value in median.items()},
        "times_the_loop": {
            side: round(median["loop"] / value, 2) for side, value in median.items() if "loop" in median
        },
        f"hours_for_{HOURS}_h_of_such_files": {
            side: round(HOURS * value / seconds_of_sound, 2) for side, value in median.items()
        },
        "word_error_rate": errors,
        "of_each_run": {side: runs for side, runs in parts.items() if any(runs)},
    }
    print(json.dumps({key: value for key, value in result.items() if key != "machine"}, indent=1))
    results = json.loads(options.out.read_text()) if options.out.exists() else {}
    results[key_of(options)] = result
    options.out.write_text(json.dumps(results, indent=1) + "\n")


def key_of(options: argparse.Namespace) -> str:
    """Return all that a run was asked for, so that none takes the place of another."""
    sides = " ".join(options.backends if options.alone else ["loop", *options.backends])
    parts = [
        f"{options.device} {options.model.name} {options.compute_type}",
        sides,
        f"{options.files} files",
        f"batch {options.batch}",
    ]
    workers = [] if options.workers == ["auto"] else [f"workers {' '.join(options.workers)}"]
    until = [] if options.until == "export" else [f"until {options.until}"]
    return ", ".join([*parts, *workers, *until, *options.set, *([" ".join(options.option)] if options.option else [])])


def loop(paths: list[str], folder: Path, options: argparse.Namespace) -> FolderRun:
    asked = {
        "model": str(options.model),
        "device": options.device,
        "compute_type": options.compute_type,
        "vad": options.vad,
        "threads": os.cpu_count(),
        "batch": options.batch,
        "files": paths,
        "out": str(folder / "loop.json"),
    }
    process = subprocess.run([sys.executable, "-c", LOOP, json.dumps(asked)], capture_output=True, text=True)
    if process.returncode:
        raise SystemExit(f"The loop failed: {process.stderr[-2000:]}")
    found = json.loads((folder / "loop.json").read_text())
    return FolderRun(found["seconds"], found["texts"])


def ours(
    recordings: list[ReferenceRecording], home: Home, options: argparse.Namespace, job: str, backend: str, workers: str
) -> FolderRun:
    began = time.monotonic()
    home.prepare(
        recordings[0].path.parent, job, "--workers", workers, *options.option, *engine_options(options, backend)
    )
    prepared = time.monotonic()
    home.run(job, "--until", options.until)
    ended = time.monotonic()
    texts = home.folder / "out" / job / "transcripts"
    return FolderRun(
        ended - began,
        {
            str(one.path): json.loads((texts / f"{one.path.name}.json").read_text(encoding="utf-8"))["text"]
            for one in recordings
        },
        {
            "prepare": round(prepared - began, 2),
            "stages": home.stages(job),
            "recognition_alone": recognition_alone(home, job),
        },
    )


def recognition_alone(home: Home, job: str) -> dict[str, float]:
    """Measure the second half of the results: the shorter recordings, whoever computes them, since the longest come
    first."""
    found = sorted((path.stat().st_mtime_ns, path) for path in home.results(job).values())
    half = len(found) // 2
    seconds = (found[-1][0] - found[half - 1][0]) / 1e9
    sound = sum(msgspec.json.decode(path.read_bytes(), type=Result).duration_ms for _, path in found[half:]) / 1000
    return {
        "files": len(found) - half,
        "seconds": round(seconds, 2),
        "seconds_of_sound": round(sound, 1),
        "times_real_time": round(sound / seconds, 1),
        "files_a_second": round((len(found) - half) / seconds, 2),
    }


if __name__ == "__main__":
    main()
