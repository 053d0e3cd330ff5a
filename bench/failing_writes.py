"""Make one call fail that opens for writing, writes, syncs, renames or makes a folder, somewhere in a run; run
again, and compare.

    .venv/bin/python -m bench.failing_writes --films 36 --folders 24 --seed 1

Each try has a job of its own, for a film or for a small folder, and one failing call drawn evenly from all that an
undisturbed run makes below `jobs/` and `out/` (bench/failing_writes.c counts them over all processes of the run,
ffmpeg too). The call fails with ENOSPC, EIO or EROFS, alone or with all that follow. The run must end with 0, 1 or
2, and where it is not 0 with one line that says why, without a traceback. The same command must then end with 0,
and what it made must be identical to an undisturbed run's.
"""

from __future__ import annotations

import argparse
import errno
import hashlib
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.kill_loop import environment, leftovers
from bench.side_by_side import machine
from sutradhar.pipeline import media

ROOT = Path(__file__).parent.parent
SOURCE, RESULTS = ROOT / "bench" / "failing_writes.c", ROOT / "bench" / "results" / "failing_writes.json"
ERRORS = ("ENOSPC", "EIO", "EROFS")
GOOD_CODES = (0, 1, 2)
# Parts of the sample that are recordings: start and length in seconds; the last is a copy.
PARTS = (
    (1, 4),
    (5, 4),
    (10, 4),
    (1, 4),
)


@dataclass(frozen=True)
class Fault:
    kind: str  # film or folder
    call: int
    error: str
    stays: bool
    exit_code: int = 0
    last_line: str = ""
    traceback: bool = False
    second_exit_code: int = 0
    different: tuple[str, ...] = ()  # files
    leftovers: int = 0

    @property
    def is_good(self) -> bool:
        told = self.exit_code == 0 or self.last_line.startswith(("[ERROR] ", "Error"))
        first = self.exit_code in GOOD_CODES and told and not self.traceback
        return first and self.second_exit_code == 0 and not self.different and not self.leftovers


class Place:
    """Folder for jobs, with the shim."""

    def __init__(self, home: Path) -> None:
        self.home, self.shim, self.count = home, home.with_name("shim.so"), home.with_name("count")
        home.mkdir()
        (home / "models").symlink_to(ROOT / "models")
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", str(self.shim), str(SOURCE), "-ldl"], check=True)

    def prepare(self, source: Path, job: str, *options: str) -> None:
        command = [
            sys.executable,
            "-m",
            "sutradhar.pipeline.prepare.prepare",
            str(source),
            "--transcribe",
            "-s",
            "en",
            "--job-id",
            job,
            *options,
        ]
        subprocess.run(command, env=environment(self.home), check=True, capture_output=True)

    def run(self, job: str, at: int = 0, error: str = "EIO", *, stays: bool = False) -> tuple[int, str, int]:
        """Return exit code, output, and how many calls there were."""
        self.count.write_bytes(bytes(8))
        fault = {
            "LD_PRELOAD": self.shim,
            "FAULT_UNDER": self.home,
            "FAULT_COUNT": self.count,
            "FAULT_AT": at,
            "FAULT_STAYS": int(stays),
        }
        variables = {key: str(value) for key, value in fault.items()} | {"FAULT_ERRNO": str(getattr(errno, error))}
        command = [sys.executable, "-m", "sutradhar.pipeline.running.run", "-j", job]
        done = subprocess.run(
            command,
            env=environment(self.home) | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        return done.returncode, done.stdout, int.from_bytes(self.count.read_bytes(), sys.byteorder)

    def made(self, job: str) -> dict[str, str]:
        folder = self.home / "out" / job
        files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith("."))
        return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def make_folder(folder: Path, sample: Path) -> Path:
    folder.mkdir()
    for number, (start, seconds) in enumerate(PARTS):
        arguments = ["-ss", str(start), "-t", str(seconds), *media.input_arguments(sample), "-vn", "-ar", "16000"]
        media.run_ffmpeg(arguments, folder / f"{number}.wav")
    return folder


def undisturbed(place: Place, kind: str, source: Path, options: tuple[str, ...]) -> tuple[dict[str, str], int]:
    """Run twice undisturbed. Returns the digests of what both runs make alike (a report has times in it), and the
    smaller number of their calls."""
    runs = []
    for number in (1, 2):
        place.prepare(source, f"{kind}-calm-{number}", *options)
        code, output, calls = place.run(f"{kind}-calm-{number}")
        if code:
            raise SystemExit(f"the undisturbed run ended with {code}: {output}")
        runs.append((place.made(f"{kind}-calm-{number}"), calls))
    same = {name: digest for name, digest in runs[0][0].items() if runs[1][0].get(name) == digest}
    print(
        f"{kind}: {min(calls for _, calls in runs)} calls; not compared: {sorted(runs[0][0].keys() - same.keys())}",
        flush=True,
    )
    return same, min(calls for _, calls in runs)


def disturb(place: Place, source: Path, options: tuple[str, ...], fault: Fault, expected: dict[str, str]) -> Fault:
    job = f"{fault.kind}-{fault.call}-{fault.error.lower()}"
    place.prepare(source, job, *options)
    code, output, _ = place.run(job, fault.call, fault.error, stays=fault.stays)
    second, again, _ = place.run(job)
    made = place.made(job)
    lines = output.strip().splitlines() or [""]
    judged = Fault(
        **{name: getattr(fault, name) for name in ("kind", "call", "error", "stays")},
        exit_code=code,
        last_line=lines[-1].replace(str(place.home), "…") if code else "",
        traceback="Traceback" in output + again,
        second_exit_code=second,
        different=tuple(sorted(name for name, digest in expected.items() if made.get(name) != digest)),
        leftovers=len(leftovers(place.home, job)),
    )
    for folder in ("jobs", "out") if judged.is_good else ():
        shutil.rmtree(place.home / folder / job)
    return judged


def drawn(kind: str, calls: int, number: int, chance: random.Random) -> Iterator[Fault]:
    for call in sorted(chance.sample(range(1, calls + 1), min(number, calls))):
        yield Fault(kind, call, chance.choice(ERRORS), chance.random() < 0.5)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.failing_writes", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--films", type=int, default=36)
    parser.add_argument("--folders", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="where the jobs are made, and those stay that went wrong")
    options = parser.parse_args()
    began, sample, chance = time.monotonic(), ROOT / "samples" / "dialogue.mp4", random.Random(options.seed)
    with tempfile.TemporaryDirectory() as name:
        work = options.keep or Path(name)
        place = Place(work / "home")
        calls = make_folder(work / "calls", sample)
        kinds = (("film", sample, ("--end", "8"), options.films), ("folder", calls, (), options.folders))
        faults = []
        for kind, source, arguments, number in kinds:
            if not number:
                continue
            expected, most = undisturbed(place, kind, source, arguments)
            for fault in drawn(kind, most, number, chance):
                faults.append(disturb(place, source, arguments, fault, expected))
                print(("good " if faults[-1].is_good else "BAD  ") + str(faults[-1]), flush=True)
    good = sum(fault.is_good for fault in faults)
    print(f"{good} of {len(faults)} held")
    figures = {"seed": options.seed, "seconds": round(time.monotonic() - began), "held": good, "tried": len(faults)}
    RESULTS.write_text(
        json.dumps({"machine": machine(), **figures, "faults": [asdict(fault) for fault in faults]}, indent=1) + "\n"
    )
    return 0 if good == len(faults) else 1


if __name__ == "__main__":
    sys.exit(main())
