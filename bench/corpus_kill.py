"""Kills workers of a corpus job at random, and the driver, until the job is done all the same; compares with an undisturbed run.

    python -m bench.corpus_kill --data DIR --files 490 --workers 4 --every 5

The recordings are English ones of DIR, with ten more: empty, cut, text named wav, copies. A random worker is killed (SIGKILL) every few
seconds, and now and then the driver with all of them; then the same command runs again. Results go to bench/results/corpus_kill.json.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from bench.recordings import Home, add_bad, choose, word_error_rate
from bench.side_by_side import ROOT, machine

WORKER = "stages.recognise.worker"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.corpus_kill", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--files", type=int, default=490)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--every", type=float, default=5.0, help="seconds between two kills, on average")
    parser.add_argument("--driver-every", type=int, default=8, help="every so many kills it is the driver")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--models", type=Path, default=ROOT / "models")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "corpus_kill.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        good = choose(options.data, options.files, folder / "recordings")
        expected = {one.path.name: "done" for one in good} | add_bad(folder / "recordings", good)
        home = Home(folder / "home", options.models)
        home.prepare(folder / "recordings", "calm", "--model", "base", "--device", "cpu")
        began = time.monotonic()
        code = home.start("calm").wait()
        calm, calm_seconds = home.rows("calm"), time.monotonic() - began
        home.prepare(folder / "recordings", "storm", "--model", "base", "--device", "cpu", "--workers", str(options.workers))
        began = time.monotonic()
        kills, drivers, codes = storm(home, options)
        result = {
            "machine": machine(),
            "files": len(expected),
            "workers": options.workers,
            "workers_killed": kills,
            "drivers_killed": drivers,
            "runs": len(codes),
            "exit_codes": sorted({code, codes[-1]}),
            "not_as_expected": {path: calm[path]["reason"] for path, status in expected.items() if calm[path]["status"] != status},
            "not_as_undisturbed": [path for path, row in calm.items() if told(home.rows("storm")[path]) != told(row)],
            "attempts": attempts(home),
            "left_over": leftovers(home),
            "word_error_rate": word_error_rate([one.text for one in good], [str(calm[one.path.name].get("text") or "") for one in good]),
            "seconds": {"undisturbed, one worker": round(calm_seconds, 1), "disturbed": round(time.monotonic() - began, 1)},
        }
    print(json.dumps({key: value for key, value in result.items() if key != "machine"}, indent=1))
    options.out.write_text(json.dumps(result, indent=1) + "\n")


def storm(home: Home, options: argparse.Namespace) -> tuple[int, int, list[int]]:
    """Workers killed, drivers killed, and the exit code of each run."""
    dice = random.Random(options.seed)
    kills = drivers = 0
    codes: list[int] = []
    while not codes or codes[-1] not in (0, 1):
        process = home.start("storm")
        while process.poll() is None:
            time.sleep(dice.uniform(0.2, 1.8) * options.every)
            workers = [child for child in psutil.Process(process.pid).children(recursive=True) if WORKER in " ".join(cmdline(child))]
            if (kills + drivers) % options.driver_every == options.driver_every - 1:
                drivers += 1
                process.kill()
            elif workers:
                kills += 1
                dice.choice(workers).kill()
        process.communicate()
        codes.append(process.returncode)
        print(f"run {len(codes)} ended with {codes[-1]}: {kills} workers and {drivers} drivers killed so far", flush=True)
    return kills, drivers, codes


def cmdline(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def told(row: dict[str, object]) -> tuple[Any, ...]:
    return row["status"], row["reason"], row.get("text"), json.dumps(row.get("segments"))


def attempts(home: Home) -> dict[str, int]:
    """How many recordings were begun how often."""
    counts: dict[str, int] = {}
    for line in (home.folder / "jobs" / "storm" / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        number = str(json.loads(line)["attempts"])
        counts[number] = counts.get(number, 0) + 1
    return dict(sorted(counts.items()))


def leftovers(home: Home) -> int:
    return sum(1 for root in ("jobs/storm", "out/storm") for _ in (home.folder / root).rglob(".tmp-*"))


if __name__ == "__main__":
    main()
