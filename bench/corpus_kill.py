"""Kill workers of a corpus job at random, and the driver, until the job is done all the same; compare with an
undisturbed run.

    python -m bench.corpus_kill --data DIR --files 491 --workers 4 --every 5 --parts storm ray single

The recordings are English ones of DIR, with nine more: empty, cut, text named wav, copies. First comes the
undisturbed run, with one worker.

- storm: a random worker is killed (SIGKILL) every few seconds, and now and then the driver with all of them, after
  which a torn row is put behind the manifest; then the same command runs again.
- ray: the same with two Ray actors on this machine, of which one is killed every few seconds; the driver is left
  alone. `--executor ray` has actors in the storm as well.
- single: some of the good recordings as a job each, like films, with the same settings.

How often a recording was transcribed is told by how often its result was written, seen twice a second. It may have
been *begun* more often, once more for each kill while it was in hand (up to half an hour of sound lies ahead of the
model); anything beyond that is a fault. Ends with 1 where something does not hold. Results go to
bench/results/corpus_kill.json.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import psutil
from msgspec.structs import replace

from bench.recordings import (
    Home,
    ReferenceRecording,
    add_bad,
    add_engine_options,
    choose,
    command_of,
    engine_options,
    survivors,
    word_error_rate,
    workers_among,
)
from bench.side_by_side import ROOT, machine
from sutradhar.stages.corpus import manifest
from sutradhar.stages.transcript import Transcript, load

Row = Mapping[str, Any]  # of a recording, as exported
ACTOR = "ray::RayWorker"  # how Ray calls the process of an actor
RAY_WORKERS = 2
MOST_RUNS = 100
SEEN = 0.5  # seconds between two looks at what is begun and done
SLACK = 2.0  # seconds by which a kill may have been seen before or after what it struck
ATTEMPTS = 2  # of a recording that fails, over all runs: CORPUS_ATTEMPTS
WER_POINTS = 0.1  # by which the same recordings may differ between a folder and single jobs


def options_given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.corpus_kill", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--files", type=int, default=491)
    parser.add_argument("--parts", nargs="+", choices=("storm", "ray", "single"), default=["storm"])
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--executor", choices=("local", "ray"), default="local", help="of the storm")
    parser.add_argument("--every", type=float, default=5.0, help="seconds between two kills, on average")
    parser.add_argument("--driver-every", type=int, default=8, help="every so many kills it is the driver; 0 for never")
    parser.add_argument("--single", type=int, default=60, help="recordings that are jobs of their own as well")
    parser.add_argument("--seed", type=int, default=1)
    add_engine_options(parser)
    parser.add_argument("--backend", default="whisperx")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "corpus_kill.json")
    return parser.parse_args()


def main() -> int:
    options = options_given()
    parts: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder, home = Path(name) / "recordings", Home(Path(name) / "home", options.model.parent)
        good = choose(options.data, options.files, folder)
        expected = {one.path.name: "done" for one in good} | add_bad(folder, good)
        parts["undisturbed"], calm = undisturbed(home, folder, expected, good, options)
        plans = {
            "storm": KillPlan(options.workers, options.executor, options.driver_every),
            "ray": KillPlan(RAY_WORKERS, "ray", 0),
        }
        for part in options.parts:
            if part == "single":
                parts[part] = singles(home, good, calm, options)
            else:
                parts[part] = disturbed(home, folder, part, calm, plans[part], options)
    print(json.dumps(parts, indent=1))
    settings = {
        "model": options.model.name,
        "device": options.device,
        "compute_type": options.compute_type,
        "batch": options.batch,
    }
    options.out.write_text(
        json.dumps({"machine": machine(), **settings, "files": len(expected), **parts}, indent=1) + "\n"
    )
    faults = [f"{part}: {name}: {value}" for part, found in parts.items() for name, value in found["faults"].items()]
    print("\n".join(faults) if faults else "Everything holds")
    return 1 if faults else 0


def faults_of(**found: object) -> dict[str, object]:
    """Keep those of the values that should be empty and are not."""
    return {name: value for name, value in found.items() if value}


# --- Undisturbed


def undisturbed(
    home: Home,
    folder: Path,
    expected: Mapping[str, str],
    good: Sequence[ReferenceRecording],
    options: argparse.Namespace,
) -> tuple[dict[str, Any], dict[str, Row]]:
    home.prepare(folder, "undisturbed", "--workers", "1", *engine_options(options, options.backend))
    began = time.monotonic()
    code = home.run("undisturbed", codes=(0, 1))
    seconds, rows = time.monotonic() - began, home.rows("undisturbed")
    found = {
        "seconds": round(seconds, 1),
        "exit_code": code,
        "statuses": dict(Counter(str(row["status"]) for row in rows.values())),
        "reasons": {path: rows[path]["reason"] for path, status in expected.items() if status != "done"},
        "word_error_rate": word_error_rate([one.text for one in good], [text_of(rows[one.path.name]) for one in good]),
        "faults": faults_of(
            exit_code_is_not_1=code != 1,
            not_as_expected={
                path: rows[path]["status"] for path, status in expected.items() if rows[path]["status"] != status
            },
            without_a_reason=[path for path, row in rows.items() if row["status"] != "done" and not row["reason"]],
            files_too_many_or_too_few=sorted(rows.keys() ^ expected.keys()),
            processes_left=ended(home),
        ),
    }
    return found, rows


def text_of(row: Row) -> str:
    return str(row.get("text") or "")


def ended(home: Home) -> list[str]:
    """Say in words what still runs of a job that is over, and kill it."""
    left = survivors(home.processes())
    names = [" ".join(command_of(one))[:200] for one in left]
    for one in left:
        kill(one)
    return names


def kill(process: psutil.Process) -> bool:
    """Kill a process. Returns False where it had ended before."""
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return False
    return True


# --- Disturbed


@dataclass(frozen=True)
class KillPlan:
    workers: int
    executor: str
    driver_every: int


@dataclass
class Storm:
    kills: list[float] = field(default_factory=list)  # when
    drivers: int = 0  # of these
    torn: int = 0  # rows that were put behind the manifest
    codes: list[int] = field(default_factory=list)  # of the runs
    left: list[str] = field(default_factory=list)  # processes that outlived what they belong to


def disturbed(
    home: Home, folder: Path, job: str, calm: Mapping[str, Row], plan: KillPlan, options: argparse.Namespace
) -> dict[str, Any]:
    home.prepare(
        folder,
        job,
        "--workers",
        str(plan.workers),
        "--executor",
        plan.executor,
        *engine_options(options, options.backend),
    )
    began = time.monotonic()
    with Watch(home, job) as watch:
        storm = rage(home, job, plan, options)
    seconds, rows = time.monotonic() - began, home.rows(job)
    recordings = {row.id: row for row in manifest.read(home.job(job) / manifest.FILE).values()}
    written = {one: len(watch.written.get(one, {})) for one in recordings}
    return {
        "workers": plan.workers,
        "executor": plan.executor,
        "seconds": round(seconds, 1),
        "workers_killed": len(storm.kills) - storm.drivers,
        "drivers_killed": storm.drivers,
        "torn_rows": storm.torn,
        "runs": len(storm.codes),
        "exit_code": storm.codes[-1],
        "recordings_by_times_written": histogram(written.values()),
        "recordings_by_times_begun": histogram(row.attempts for row in recordings.values()),
        "avg_logprob_differs_by": round(farthest(rows, calm), 4) if rows.keys() == calm.keys() else None,
        "faults": faults_of(
            nothing_was_killed=len(storm.kills) == storm.drivers,
            exit_code_is_not_1=storm.codes[-1] != 1,
            files_too_many_or_too_few=sorted(rows.keys() ^ calm.keys()),
            not_as_undisturbed=differences(rows, calm) if rows.keys() == calm.keys() else {},
            files_not_as_undisturbed=unlike(files_of(home, job), files_of(home, "undisturbed")),
            transcribed_more_than_twice=[one for one, times in written.items() if times > 2],
            begun_again_without_a_kill=[
                row.path for row in recordings.values() if row.attempts > watch.reasons_to_begin(row, storm.kills)
            ],
            damaged_rows=damaged_rows(home.job(job) / manifest.FILE),
            left_over=[path.name for root in ("jobs", "out") for path in (home.folder / root / job).rglob(".tmp-*")],
            processes_left=storm.left,
        ),
    }


def rage(home: Home, job: str, plan: KillPlan, options: argparse.Namespace) -> Storm:
    """Kill, and run the job again, until it is done."""
    dice, storm = random.Random(options.seed), Storm()
    while not storm.codes or storm.codes[-1] not in (0, 1) or not home.is_done(job, "export"):
        if len(storm.codes) == MOST_RUNS:
            raise SystemExit(f"{job}: not done after {MOST_RUNS} runs\n{home.log(job)[-2000:]}")
        driver = home.start(job)
        while not has_ended(driver, dice.uniform(0.2, 1.8) * options.every):
            if plan.driver_every and len(storm.kills) % plan.driver_every == plan.driver_every - 1:
                storm.kills.append(time.time())
                storm.drivers += 1
                driver.kill()
            elif workers := workers_of(home, plan):
                strike(dice.choice(workers), storm)
        storm.left += ended(home)
        storm.codes.append(driver.returncode)
        if driver.returncode < 0:
            storm.torn += tear(home.job(job) / manifest.FILE)
        elif driver.returncode not in (0, 1):
            raise SystemExit(home.log(job))
        print(
            f"run {len(storm.codes)} ended with {driver.returncode}: "
            f"{len(storm.kills)} kills, {storm.drivers} of drivers, so far",
            flush=True,
        )
    return storm


def has_ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def workers_of(home: Home, plan: KillPlan) -> list[psutil.Process]:
    processes = home.processes()
    if plan.executor == "ray":
        return [one for one in processes if " ".join(command_of(one)).startswith(ACTOR)]
    return workers_among(processes)


def strike(worker: psutil.Process, storm: Storm) -> None:
    """Kill a worker; what it has started has to go with it."""
    try:
        below = worker.children(recursive=True)
    except psutil.NoSuchProcess:
        return
    if kill(worker):
        storm.kills.append(time.time())
        storm.left += [f"of a killed worker: {' '.join(command_of(one))[:200]}" for one in survivors(below)]


def tear(path: Path) -> int:
    """Put behind the manifest the beginning of a row that says a waiting recording is done. Returns 0 where none
    waits."""
    row = next((row for row in manifest.read(path).values() if row.status == "pending"), None)
    if row is None:
        return 0
    with path.open("ab") as file:
        file.write(msgspec.json.encode(replace(row, status="done", attempts=99))[:-1])
    return 1


def damaged_rows(path: Path) -> int:
    rows = path.read_bytes().split(b"\n")
    return sum(1 for row in rows if row) - len(manifest.read(path)) + bool(rows[-1])


def differences(rows: Mapping[str, Row], calm: Mapping[str, Row]) -> dict[str, list[str]]:
    """List the recordings that are not as in the undisturbed run, by what differs."""
    return {
        what: paths
        for what, told in TOLD.items()
        if (paths := [path for path, row in calm.items() if told(rows[path]) != told(row)])
    }


def files_of(home: Home, job: str) -> dict[str, bytes]:
    """Return the user's files of each recording."""
    tree = home.folder / "out" / job / "transcripts"
    found = {str(path.relative_to(tree)): path for path in tree.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if not name.startswith(".")}


def unlike(files: Mapping[str, bytes], calm: Mapping[str, bytes]) -> list[str]:
    return [name for name in sorted(files.keys() | calm.keys()) if files.get(name) != calm.get(name)]


def times(row: Row) -> list[tuple[int, int, str]]:
    return [(segment["start_ms"], segment["end_ms"], segment["text"]) for segment in row.get("segments") or ()]


def farthest(rows: Mapping[str, Row], calm: Mapping[str, Row]) -> float:
    """Return the largest difference between the mean log probabilities of a recording in the two runs."""
    return max(
        abs(float(rows[path].get("avg_logprob") or 0) - float(row.get("avg_logprob") or 0))
        for path, row in calm.items()
    )


TOLD: Mapping[str, Callable[[Row], object]] = {
    "status": lambda row: row["status"],
    "reason": lambda row: row["reason"],
    "text": text_of,
    "segments": times,
}


def histogram(counts: Iterable[int]) -> dict[str, int]:
    return {str(number): recordings for number, recordings in sorted(Counter(counts).items())}


class Watch:
    """Watch that sees, while it is open, when each recording was begun first, and each time that its result is
    written."""

    def __init__(self, home: Home, job: str) -> None:
        self.begun: dict[str, float] = {}
        # By recording: when each file was there first, by its inode and date.
        self.written: dict[str, dict[tuple[int, int], float]] = {}
        self._home, self._job = home, job
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._done.set()
        self._thread.join()
        self._look()

    def reasons_to_begin(self, row: manifest.Recording, kills: Sequence[float]) -> int:
        """Count how often a recording may have been begun: once, again after each kill before it was written, and
        where it failed once more."""
        first, last = self.begun.get(row.id, 0.0), max(self.written.get(row.id, {}).values(), default=time.time())
        again = sum(first - SLACK <= moment <= last + SLACK for moment in kills)
        return (ATTEMPTS if row.status == "failed" else 1) + again

    def _watch(self) -> None:
        while not self._done.wait(SEEN):
            self._look()

    def _look(self) -> None:
        now = time.time()
        for row in manifest.read(self._home.job(self._job) / manifest.FILE).values():
            if row.attempts:
                self.begun.setdefault(row.id, now)
        for recording, path in self._home.results(self._job).items():
            status = path.stat()
            self.written.setdefault(recording, {}).setdefault((status.st_ino, status.st_mtime_ns), now)


# --- One by one


def singles(
    home: Home, good: Sequence[ReferenceRecording], calm: Mapping[str, Row], options: argparse.Namespace
) -> dict[str, Any]:
    count = min(options.single, len(good))
    chosen = [good[number * len(good) // count] for number in range(count)]
    together = [text_of(calm[one.path.name]) for one in chosen]
    alone = [text_alone(home, one, f"single-{number}", options) for number, one in enumerate(chosen)]
    said = [one.text for one in chosen]
    rates = {"folder": word_error_rate(said, together), "single": word_error_rate(said, alone)}
    pairs = {
        one.path.name: {"folder": folder, "single": single}
        for one, folder, single in zip(chosen, together, alone, strict=True)
    }
    return {
        "recordings": count,
        "word_error_rate": rates,
        "texts_that_differ": {name: pair for name, pair in pairs.items() if pair["folder"] != pair["single"]},
        "faults": faults_of(
            word_error_rates_differ=rates if abs(rates["folder"] - rates["single"]) > WER_POINTS else None,
            processes_left=ended(home),
        ),
    }


def text_alone(home: Home, recording: ReferenceRecording, job: str, options: argparse.Namespace) -> str:
    """Return the text of a recording as a job like that of a film hears it; what comes after recognition does not
    change it."""
    home.prepare(recording.path, job, *engine_options(options, options.backend))
    home.run(job, "--until", "asr")
    transcript = load(home.job(job) / "stages" / "asr" / "transcript.json", Transcript)
    return " ".join(segment.text for segment in transcript.segments)


if __name__ == "__main__":
    sys.exit(main())
