"""Measure how long a large folder takes to be looked at, and a finished one to be found finished.

    python -m bench.corpus_scan --files 37000

Small WAV files of 8 kHz, all different, of 0.1 to 2 s. `scan` is a job's first look; `rescan` a second one with 100
files more; `resume` is the whole command on a job of which every recording has a result, written here for the
purpose. Peak memory is of all processes together. Results go to bench/results/corpus_scan.json.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import threading
import time
import wave
from pathlib import Path

import msgspec
import psutil

from bench.recordings import Home
from bench.side_by_side import ROOT, machine
from sutradhar.stages.corpus import manifest
from sutradhar.stages.corpus.results import Result


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.corpus_scan", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=37_000)
    parser.add_argument("--models", type=Path, default=ROOT / "models")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "corpus_scan.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, home = Path(name) / "recordings", Home(Path(name) / "home", options.models)
        make(folder, range(options.files))
        home.prepare(folder, "scan", "--model", "base", "--device", "cpu")
        measured = {"scan": timed(home, "--until", "scan")}
        make(folder, range(options.files, options.files + 100))
        measured["rescan"] = timed(home, "--until", "scan")
        make_results(home)
        measured["first export"] = timed(home)
        measured["resume"] = timed(home)
    result = {"machine": machine(), "files": options.files, **measured}
    print(json.dumps({key: value for key, value in result.items() if key != "machine"}, indent=1))
    options.out.write_text(json.dumps(result, indent=1) + "\n")


def make(folder: Path, numbers: range) -> None:
    for number in numbers:
        path = folder / f"{number % 97:02}" / f"call-{number:06}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        dice = random.Random(number)
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", "not compressed"))
            file.writeframes(dice.randbytes(dice.randrange(1600, 32000, 2)))


def make_results(home: Home) -> None:
    """Write a result for each recording, as a worker would have. A first run that recognises nothing makes the
    store."""
    job = home.folder / "jobs" / "scan"
    home.run("scan", "--set", "CORPUS_LIMIT=1", "--until", "recognise", codes=(0, 1))
    home.run("scan", "--set", "CORPUS_LIMIT=0", "--until", "scan", codes=(0, 1))
    store = next(path for path in (job / "results").iterdir() if path.is_dir())
    for row in manifest.read(job / manifest.FILE).values():
        path = store / row.id[:2] / f"{row.id}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(
            msgspec.json.encode(Result(id=row.id, status="done", duration_ms=row.duration_ms, seconds=0.1))
        )


def timed(home: Home, *options: str) -> dict[str, float]:
    began = time.monotonic()
    process = home.start("scan", *options)
    peak = 0
    ended = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not ended.wait(0.1):
            try:
                whole = psutil.Process(process.pid)
                peak = max(peak, sum(one.memory_info().rss for one in [whole, *whole.children(recursive=True)]))
            except psutil.Error:
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = process.wait()
    seconds = time.monotonic() - began
    ended.set()
    watcher.join()
    if code:
        raise SystemExit(home.log("scan"))
    return {"seconds": round(seconds, 1), "peak_mb": round(peak / 1e6)}


if __name__ == "__main__":
    main()
