"""Measure whether memory grows over a folder of many recordings.

    python -m bench.corpus_memory --data DIR --files 2000

Short English recordings of DIR, in random order (the longest first would hide what grows), with one worker. Memory
is what the processes would give back if they ended (USS): of the worker with all that it has started, and of the
driver, the job's other processes. The median while the second tenth of the recordings is done is compared with that
of the last tenth; 2 % more is too much, and so is a worker that was replaced. Ends with 1 then. Results go to
bench/results/corpus_memory.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from bench.recordings import Home, add_engine_options, choose, engine_options, workers_among
from bench.side_by_side import ROOT, machine

MOST_GROWTH = 2.0  # %
JOB = "memory"


@dataclass(frozen=True)
class Sample:
    """Memory in MB, when so many recordings were done."""

    seconds: float
    done: int
    worker: float
    driver: float


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.corpus_memory", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--every", type=float, default=1.0, help="seconds between two samples")
    add_engine_options(parser)
    parser.add_argument("--backend", default="whisperx")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "corpus_memory.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, home = Path(name) / "recordings", Home(Path(name) / "home", options.model.parent)
        choose(options.data, options.files, folder)
        home.prepare(folder, JOB, "--shuffle", "--workers", "1", *engine_options(options, options.backend))
        samples, workers = watch(home, options.every)
    growth = {process: compare(samples, process, options.files) for process in ("worker", "driver")}
    result = {
        "device": options.device,
        "model": options.model.name,
        "compute_type": options.compute_type,
        "batch": options.batch,
        "backend": options.backend,
        "files": options.files,
        "seconds": round(samples[-1].seconds, 1),
        "workers_started": workers,
        "growth": growth,
    }
    print(json.dumps(result, indent=1))
    course = [asdict(sample) for sample in samples[:: max(1, len(samples) // 100)]]
    options.out.write_text(json.dumps({"machine": machine(), **result, "course": course}, indent=1) + "\n")
    return 1 if workers > 1 or any(found["percent"] > MOST_GROWTH for found in growth.values()) else 0


def watch(home: Home, every: float) -> tuple[list[Sample], int]:
    """Return samples taken while it recognises, and how many workers there were."""
    samples: list[Sample] = []
    seen: set[int] = set()
    began = time.monotonic()
    process = home.start(JOB)
    while process.poll() is None:
        time.sleep(every)
        everything = home.processes()
        if workers := workers_among(everything):
            seen.update(one.pid for one in workers)
            theirs = {one.pid: one for worker in workers for one in [worker, *below(worker)]}
            others = [one for one in everything if one.pid not in theirs]
            done = len(home.results(JOB))
            samples.append(
                Sample(round(time.monotonic() - began, 1), done, megabytes(list(theirs.values())), megabytes(others))
            )
    if process.returncode:
        raise SystemExit(home.log(JOB))
    return samples, len(seen)


def below(process: psutil.Process) -> list[psutil.Process]:
    try:
        return list(process.children(recursive=True))
    except psutil.Error:
        return []


def megabytes(processes: Sequence[psutil.Process]) -> float:
    total = 0
    for one in processes:
        try:
            total += int(one.memory_full_info().uss)
        except psutil.Error:  # it has just ended
            continue
    return round(total / 1e6, 2)


def compare(samples: Sequence[Sample], process: str, files: int) -> dict[str, float]:
    """Return the medians of two tenths of the recordings, in MB."""

    def median(first: float, last: float) -> float:
        values: list[float] = [
            getattr(sample, process) for sample in samples if first * files <= sample.done <= last * files
        ]
        if not values:
            raise SystemExit(
                f"No sample between {first:.0%} and {last:.0%} of the recordings: "
                "take more of them, or a smaller --every"
            )
        return round(statistics.median(values), 1)

    early, late = median(0.1, 0.2), median(0.9, 1.0)
    return {"early_mb": early, "late_mb": late, "percent": round(100 * (late / early - 1), 2)}


if __name__ == "__main__":
    sys.exit(main())
