"""End commands by signals in their first second, kill single processes of running jobs, count open files; look for
what stays behind.

    .venv/bin/python -m bench.leaks --parts signals film folder descriptors --signals 100 --kills 3 --seed 1

- signals: each command of COMMANDS is sent Ctrl-C, SIGTERM or SIGHUP, alone or with its process group as a terminal
  does it, at a moment drawn evenly over its first second. It has to end with the signal's exit code, or to have
  ended before, and without a traceback.
- film, folder: one process of a running job is killed (SIGKILL), so many times of each kind in bench/leak_kinds.py,
  at a moment drawn evenly over the time in which the undisturbed run had such a process. The job is run again where
  it did not end well, and what the user gets has to be byte-identical to that of the undisturbed run.
- descriptors: the processes of a folder of many short recordings have as many open files near the end as near the
  beginning.

After each there may be nothing new in /dev/shm and TMPDIR, no process, no lock that is held, nothing named `.tmp-`
or `.make-`; and no process of a job holds its lock but the runner. Ends with 1 where something does not hold.
Results go to bench/results/leaks.json, each part by itself.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.corpus_kill import ended, kill
from bench.kill_loop import last_stage
from bench.leak_kinds import KINDS, Kind, RunningJob, open_files
from bench.recordings import Home, command_of
from bench.side_by_side import ROOT, machine
from sutradhar.pipeline.jobs.job import Job
from sutradhar.pipeline.media.ffmpeg import run_ffmpeg
from sutradhar.pipeline.workspace import Workspace

SAMPLE = ROOT / "samples" / "dialogue.mp4"
PARTS = ("signals", "film", "folder", "descriptors")
PADDING = 1 << 28  # bytes
LONGEST_START = 15  # seconds into the sample
LOOK_EVERY = 0.02  # seconds
ATTEMPTS = 5  # to meet a process
SHARED_MEMORY = Path("/dev/shm")
NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
COMMANDS = {
    "prepare": ("./prepare-job.sh", str(SAMPLE), "--transcribe", "-s", "en"),
    "run": ("./run-pipeline.sh", "-j", "ready"),
    "status": ("./run-pipeline.sh", "--status", "ready"),
    "list": ("./run-pipeline.sh", "--list"),
    "get-model": ("./scripts/get-model.sh", "base"),
    "convert-model": ("./scripts/convert-model.sh", "base"),
}


@dataclass(frozen=True)
class Signalled:
    command: str
    signal: str
    group: bool
    seconds: float
    exit_code: int
    faults: list[str]


@dataclass(frozen=True)
class Killed:
    kind: str  # of the process
    stage: str  # the last one begun by then
    seconds: float  # after the first process of the kind was there
    exit_code: int
    second_exit_code: int | None  # of the run that put all right; None where the first ended well
    faults: list[str]


class Surroundings:
    """State of the machine before something is disturbed, to be compared with the state afterwards."""

    def __init__(self, home: Home, temporary: Path) -> None:
        self._home, self._temporary, self._shared = home, temporary, names(SHARED_MEMORY)

    def faults(self) -> list[str]:
        processes = [f"process left: {name}" for name in ended(self._home)]
        shared = [f"left in /dev/shm: {name}" for name in sorted(names(SHARED_MEMORY) - self._shared)]
        temporary = [f"left in TMPDIR: {name}" for name in sorted(names(self._temporary))]
        self._shared = names(SHARED_MEMORY)
        for name in names(self._temporary):
            shutil.rmtree(self._temporary / name, ignore_errors=True)
        return processes + shared + temporary


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def half_made(home: Home) -> list[str]:
    found = [path for pattern in (".tmp-*", ".make-*") for path in home.folder.rglob(pattern)]
    return [f"half made: {path.relative_to(home.folder)}" for path in found]


def held_locks(home: Home) -> list[str]:
    workspace = Workspace(home.folder)
    return [
        f"locked: {path.parent.name}"
        for path in workspace.jobs.glob("*/job.json")
        if Job.open(workspace, path.parent.name).is_locked
    ]


# --- Signals


def signal_once(home: Home, around: Surroundings, command: str, dice: random.Random) -> Signalled:
    number, group, seconds = dice.choice(NUMBERS), dice.random() < 0.5, dice.uniform(0, 1)
    child = subprocess.Popen(
        COMMANDS[command],
        cwd=ROOT,
        env=home.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    time.sleep(seconds)
    if child.poll() is None:
        os.killpg(child.pid, number) if group else child.send_signal(number)
    said, _ = child.communicate(timeout=60)
    faults = around.faults() + held_locks(home) + half_made(home)
    if child.returncode not in (0, -number, 128 + number):
        faults.append(f"exit code {child.returncode}: {said[-300:]}")
    if "Traceback" in said:
        faults.append(f"traceback: {said[-1000:]}")
    return Signalled(command, number.name, group, round(seconds, 3), child.returncode, faults)


def signals(home: Home, around: Surroundings, count: int, dice: random.Random) -> list[Signalled]:
    home.prepare(SAMPLE, "ready")
    commands = list(COMMANDS)
    return [signal_once(home, around, commands[number % len(commands)], dice) for number in range(count)]


# --- Kills


def make_film(path: Path) -> Path:
    """Make a film: ten seconds of the sample, then a box that holds nothing and takes a while to be read to its end."""
    run_ffmpeg(["-i", str(SAMPLE), "-t", "10", "-c", "copy"], path)
    with path.open("r+b") as file:
        file.seek(0, os.SEEK_END)
        file.write(PADDING.to_bytes(4, "big") + b"free")
        file.truncate(file.tell() - 8 + PADDING)
    return path


def make_folder(path: Path, count: int, seconds: float) -> Path:
    """Make a folder of parts of the sample."""
    path.mkdir()
    for number in range(count):
        part = [
            "-ss",
            str(number * LONGEST_START / count),
            "-t",
            str(seconds),
            "-i",
            str(SAMPLE),
            "-vn",
            "-ac",
            "1",
            "-ar",
            "16000",
        ]
        run_ffmpeg(part, path / f"{number:02}.wav")
    return path


def holders(running: RunningJob) -> list[str]:
    """Return the processes that have the job's lock open, but for the runner."""
    below = [process for process in running.below() if any(path.name == ".lock" for path in open_files(process))]
    return [f"the lock is open in {' '.join(command_of(process))[-200:]}" for process in below]


def strike(running: RunningJob, kind: Kind, delay: float) -> float | None:
    """Kill one process of the kind, `delay` seconds after the first was there, or the first one after that. Returns
    the moment, counted from when the first was there; None where the job was over before."""
    began = None
    while running.lives:
        process, now = kind.find(running), time.monotonic()
        began = now if process and began is None else began
        if process and began is not None and now >= began + delay and kill(process):
            return now - began
        time.sleep(LOOK_EVERY)
    return None


def kill_once(home: Home, around: Surroundings, media: Path, job: str, kind: Kind, delay: float) -> Killed | None:
    """Kill one process of the kind; None where none was met."""
    home.prepare(media, job)
    running = RunningJob(home, job, home.start(job))
    seconds = strike(running, kind, delay)
    stage = last_stage(home.folder, job)
    faults = holders(running)
    code = running.runner.wait()
    faults += around.faults() + held_locks(home)
    if seconds is None:
        return None
    faults += [] if code in kind.exit_codes else [f"exit code {code}: {home.log(job)[-500:]}"]
    second = home.start(job).wait() if code else None
    faults += around.faults() + held_locks(home) + half_made(home)
    faults += [f"exit code {second}: {home.log(job)[-500:]}"] if second else []
    faults += ["traceback"] if "Traceback" in home.log(job) else []
    return Killed(kind.name, stage, round(seconds, 2), code, second, faults)


def undisturbed(home: Home, media: Path, job: str, kinds: Sequence[Kind]) -> dict[str, float]:
    """Return the seconds from the first process of each kind to the last."""
    home.prepare(media, job)
    running = RunningJob(home, job, home.start(job))
    first, last = dict[str, float](), dict[str, float]()
    while running.lives:
        there = [kind.name for kind in kinds if kind.find(running)]
        first = dict.fromkeys(there, time.monotonic()) | first
        last |= dict.fromkeys(there, time.monotonic())
        time.sleep(LOOK_EVERY)
    return {kind.name: last.get(kind.name, 0.0) - first.get(kind.name, 0.0) for kind in kinds}


def struck(home: Home, around: Surroundings, media: Path, job: str, kind: Kind, delay: float) -> Killed:
    """Kill a process of the kind, earlier each time that the job was over before."""
    for attempt in range(ATTEMPTS):
        if one := kill_once(home, around, media, f"{job}-{attempt}", kind, delay / 2**attempt):
            if files_of(home, f"{job}-{attempt}") != files_of(home, "calm"):
                one.faults.append("other files than in the undisturbed run")
            return one
    return Killed(kind.name, "", delay, 0, None, ["no process of the kind was met"])


def kills(
    home: Home, around: Surroundings, media: Path, kinds: Sequence[Kind], options: argparse.Namespace
) -> list[Killed]:
    kinds = [kind for kind in kinds if kind.name in (options.kinds or (kind.name,))]
    dice, lives, found = random.Random(options.seed), undisturbed(home, media, "calm", kinds), []
    for number in range(options.kills):
        for kind in kinds:
            one = struck(home, around, media, f"{kind.name}-{number}", kind, dice.uniform(0, lives[kind.name]))
            print(one, flush=True)
            found.append(one)
    return found


def files_of(home: Home, job: str) -> dict[str, str]:
    """Return check sums of the user's files: of a folder, its transcripts, since the report tells of the run too."""
    out = home.folder / "out" / job
    root = out / "transcripts" if (out / "transcripts").is_dir() else out
    files = {str(path.relative_to(root)): path for path in root.rglob("*") if path.is_file()}
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items() if not name.startswith(".")
    }


# --- Open files


@dataclass(frozen=True)
class OpenFiles:
    kind: str
    near_the_beginning: int
    near_the_end: int
    looks: int
    faults: list[str]


def descriptors(home: Home, media: Path) -> list[OpenFiles]:
    """Return the least numbers of open files in the first and in the last third of the recordings: files open for a
    moment do not count."""
    home.prepare(media, "many", "--set", "BATCH_SIZE=2")
    running, kinds = RunningJob(home, "many", home.start("many")), KINDS["folder"]
    seen: dict[str, list[tuple[int, int]]] = {kind.name: [] for kind in kinds}
    while running.lives:
        done = len(home.results("many"))
        for kind in kinds:
            if done and (process := kind.find(running)) and (count := len(open_files(process))):
                seen[kind.name].append((done, count))
        time.sleep(0.1)
    return [_open_files(name, looks, len(list(media.iterdir()))) for name, looks in seen.items()]


def _open_files(kind: str, looks: Sequence[tuple[int, int]], recordings: int) -> OpenFiles:
    early = min((count for done, count in looks if done <= recordings / 3), default=0)
    late = min((count for done, count in looks if done > recordings * 2 / 3), default=0)
    faults = ["it was not met early and late"] if not early or not late else ["more are open"] if late > early else []
    return OpenFiles(kind, early, late, len(looks), faults)


# --- All of it


def part(
    name: str, home: Home, around: Surroundings, options: argparse.Namespace
) -> Sequence[Signalled | Killed | OpenFiles]:
    if name == "signals":
        return signals(home, around, options.signals, random.Random(options.seed))
    if name == "film":
        return kills(home, around, make_film(home.folder / "film.mp4"), KINDS[name], options)
    if name == "folder":
        return kills(home, around, make_folder(home.folder / "calls", 6, 4), KINDS[name], options)
    return descriptors(home, make_folder(home.folder / "calls", options.recordings, 2))


def run_part(name: str, options: argparse.Namespace) -> list[str]:
    """Run one part in a place of its own; its rows take the place of what was found before. Returns the faults."""
    with tempfile.TemporaryDirectory() as folder:
        temporary, models = Path(folder) / "tmp", Path(folder) / "models"
        temporary.mkdir()
        os.environ["TMPDIR"] = str(temporary)
        shutil.copytree(ROOT / "models" / "base", models / "base", symlinks=True)
        home = Home(Path(folder) / "home", models)
        home.environment()
        rows = part(name, home, Surroundings(home, temporary), options)
    write(name, [asdict(row) for row in rows], options)
    return [f"{name}: {row}" for row in rows if row.faults]


def write(name: str, rows: list[dict[str, Any]], options: argparse.Namespace) -> None:
    """Write the rows; those of other kinds stay where --kinds chose some."""
    before = json.loads(options.out.read_text()) if options.out.exists() else {}
    chosen = options.kinds if name in KINDS else None
    kept = [row for row in before.get(name, {}).get("rows", ()) if chosen and row["kind"] not in chosen]
    counts = Counter(row.get("kind") or row.get("command") for row in kept + rows)
    made = {
        "machine": machine(),
        "commit": commit(),
        "counts": counts,
        "faults": sum(bool(row["faults"]) for row in kept + rows),
    }
    options.out.write_text(json.dumps(before | {name: made | {"rows": kept + rows}}, indent=1) + "\n")


def commit() -> str:
    return subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.leaks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--signals", type=int, default=100)
    parser.add_argument("--kills", type=int, default=3, help="of each kind of process")
    parser.add_argument(
        "--kinds",
        nargs="+",
        choices=sorted({kind.name for kinds in KINDS.values() for kind in kinds}),
        help="all, if not given",
    )
    parser.add_argument(
        "--recordings", type=int, default=40, help="of the folder whose processes' open files are counted"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "leaks.json")
    options = parser.parse_args()
    faults = [fault for name in options.parts for fault in run_part(name, options)]
    print("\n".join(faults) if faults else "Nothing is left")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
