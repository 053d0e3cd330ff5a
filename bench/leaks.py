"""Ends commands by signals in their first second, and kills single processes of running jobs; looks for what stays behind.

    .venv/bin/python -m bench.leaks --signals 100 --kills 40 --seed 1

- signals: each command of COMMANDS is sent Ctrl-C, SIGTERM or SIGHUP, alone or with its process group as a terminal does it, at a moment
  drawn evenly over its first second. It has to end with the signal's exit code, or to have ended before, and without a traceback.
- kills: of a running job, a film or a folder of recordings in turn, one process is killed (SIGKILL): the runner, a stage, a worker, one that
  loads or ffmpeg, whichever a draw hits at that moment. The job is run again where it did not end well, and what the user gets has to be
  byte-identical to that of an undisturbed run.

After each there may be nothing new in /dev/shm and TMPDIR, no process, no lock that is held, nothing named `.tmp-` or `.make-`; and no process of
a job holds its lock but the runner. Ends with 1 where something does not hold. Results go to bench/results/leaks.json.
"""

from __future__ import annotations

import argparse
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
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from bench.corpus_kill import ended, files_of
from bench.kill_loop import deliverables, last_stage
from bench.recordings import Home, command_of
from bench.side_by_side import ROOT, machine
from pipeline.house import House
from pipeline.job import Job

SAMPLE = ROOT / "samples" / "dialogue.mp4"
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
ROLES = {  # by what stands in the command of a process
    "pipeline.run": "runner",
    "pipeline.child": "stage",
    "stages.recognise.worker": "worker",
    "stages.recognise.prefetch": "loader",
    "ffmpeg": "ffmpeg",
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
    job: str
    role: str  # of the process
    stage: str
    seconds: float
    exit_code: int
    second_exit_code: int | None  # of the run that put all right; None where the first ended well
    faults: list[str]


class Surroundings:
    """What there is on the machine before something is disturbed, to be compared with what is there afterwards."""

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
    house = House(home.folder)
    return [f"locked: {path.parent.name}" for path in house.jobs.glob("*/job.json") if Job.open(house, path.parent.name).is_locked]


# --- Signals


def signal_once(home: Home, around: Surroundings, command: str, dice: random.Random) -> Signalled:
    number, group, seconds = dice.choice(NUMBERS), dice.random() < 0.5, dice.uniform(0, 1)
    child = subprocess.Popen(
        COMMANDS[command], cwd=ROOT, env=home.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
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


def recordings(folder: Path) -> Path:
    """Four parts of the sample."""
    from pipeline.media import ffmpeg

    folder.mkdir()
    for number in range(4):
        part = ["-ss", str(5 * number), "-t", "6", "-i", str(SAMPLE), "-vn", "-ac", "1", "-ar", "16000"]
        ffmpeg.run_ffmpeg(part, folder / f"{number}.wav")
    return folder


def role_of(process: psutil.Process) -> str:
    text = " ".join(command_of(process))
    return next((role for part, role in ROLES.items() if part in text), "")


def holders(home: Home) -> list[str]:
    """Processes of a job that have its lock open, but for the runner."""
    found = []
    for process in home.processes():
        for descriptor in Path(f"/proc/{process.pid}/fd").glob("*"):
            try:
                locks = descriptor.readlink().name == ".lock"
            except OSError:
                continue
            found += [f"the lock is open in {role_of(process)}"] if locks and role_of(process) != "runner" else []
    return found


def kill_once(home: Home, around: Surroundings, kind: str, media: Path, number: int, dice: random.Random, length: float) -> Killed:
    job, seconds = f"{kind}-{number}", dice.uniform(0.3, length)
    home.prepare(media, job)
    run = home.start(job)
    time.sleep(seconds)
    there = [process for process in home.processes() if role_of(process)]
    faults = holders(home)
    role = dice.choice(sorted({role_of(process) for process in there})) if there else "none"
    for victim in [process for process in there if role_of(process) == role][:1]:
        victim.kill()
    code, stage = run.wait(), last_stage(home.folder, job)
    faults += around.faults() + held_locks(home)
    second = home.start(job).wait() if code else None
    faults += around.faults() + held_locks(home) + half_made(home)
    faults += [f"exit code {second}: {home.log(job)[-500:]}"] if second else []
    faults += ["traceback"] if "Traceback" in home.log(job) else []
    return Killed(job, role, stage, round(seconds, 2), code, second, faults)


def undisturbed(home: Home, kind: str, media: Path) -> float:
    home.prepare(media, f"{kind}-calm")
    began = time.monotonic()
    home.run(f"{kind}-calm")
    return time.monotonic() - began


def same(home: Home, kind: str, job: str) -> bool:
    if kind == "film":
        return deliverables(home.folder, job) == deliverables(home.folder, "film-calm")
    return files_of(home, job) == files_of(home, "folder-calm")


def kills(home: Home, around: Surroundings, count: int, dice: random.Random) -> list[Killed]:
    media = {"film": SAMPLE, "folder": recordings(home.folder / "calls")}
    lengths = {kind: undisturbed(home, kind, path) for kind, path in media.items()}
    found = []
    for number in range(count):
        kind = ("film", "folder")[number % 2]
        one = kill_once(home, around, kind, media[kind], number, dice, lengths[kind])
        if not same(home, kind, one.job):
            one.faults.append("other files than in the undisturbed run")
        print(f"{one.job}: {one.role} killed after {one.seconds} s in {one.stage}: {one.exit_code}, {one.second_exit_code}; {one.faults}", flush=True)
        found.append(one)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.leaks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--signals", type=int, default=100)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "leaks.json")
    options = parser.parse_args()
    dice = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as name:
        temporary = Path(name) / "tmp"
        temporary.mkdir()
        os.environ["TMPDIR"] = str(temporary)
        models = Path(name) / "models"
        shutil.copytree(ROOT / "models" / "base", models / "base", symlinks=True)
        home = Home(Path(name) / "home", models)
        home.environment()
        around = Surroundings(home, temporary)
        signalled = signals(home, around, options.signals, dice)
        killed = kills(home, around, options.kills, dice)
    faults = [f"{one}" for one in (*signalled, *killed) if one.faults]
    counts = {
        "signals": len(signalled),
        "ended_by_the_signal": sum(one.exit_code != 0 for one in signalled),
        "kills": len(killed),
        "kills_by_role": dict(Counter(one.role for one in killed)),
    }
    result = {"machine": machine(), "command": " ".join(sys.argv[1:]), "seed": options.seed, **counts, "faults": faults}
    options.out.write_text(json.dumps(result | {"signalled": [*map(asdict, signalled)], "killed": [*map(asdict, killed)]}, indent=1) + "\n")
    print("\n".join(faults) if faults else "Nothing is left", json.dumps(counts))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
