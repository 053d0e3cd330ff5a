"""Kill a running job at seeded random moments, run it again, and compare with an undisturbed run.

    .venv/bin/python -m bench.kill_loop --kills 50 --seed 1

Each kill is SIGKILL to the runner alone, at a moment drawn evenly over the length of an undisturbed run. The second
run must end 0, its deliverables must be byte-identical, nothing named `.tmp-` and no child process may stay.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Kill:
    seconds: float  # after the start
    stage: str  # the last one begun by then
    exit_code: int  # of the second run
    identical: bool
    leftovers: int


def environment(home: Path) -> dict[str, str]:
    return os.environ | {"SUTRADHAR_HOME": str(home), "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"}


def prepare(home: Path, media: Path, job_id: str) -> None:
    command = [
        sys.executable,
        "-m",
        "sutradhar.pipeline.prepare.prepare",
        str(media),
        "--transcribe",
        "-s",
        "en",
        "--job-id",
        job_id,
    ]
    subprocess.run(command, env=environment(home), check=True, capture_output=True)


def start(home: Path, job_id: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "sutradhar.pipeline.running.run", "-j", job_id]
    return subprocess.Popen(command, env=environment(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def deliverables(home: Path, job_id: str) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((home / "out" / job_id).iterdir())
        if path.is_file()
    }


def leftovers(home: Path, job_id: str) -> list[Path]:
    return [path for folder in ("jobs", "out") for path in (home / folder / job_id).rglob(".tmp-*")]


def last_stage(home: Path, job_id: str) -> str:
    log = home / "jobs" / job_id / "logs" / "pipeline.log"
    started = (
        [line for line in log.read_text(errors="replace").splitlines() if line.endswith(": STARTING")]
        if log.exists()
        else []
    )
    return started[-1].split()[-2].rstrip(":") if started else "before the first"


def kill_once(home: Path, media: Path, job_id: str, seconds: float, expected: dict[str, str]) -> Kill:
    prepare(home, media, job_id)
    runner = start(home, job_id)
    time.sleep(seconds)
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    stage = last_stage(home, job_id)
    code = start(home, job_id).wait()
    return Kill(round(seconds, 3), stage, code, deliverables(home, job_id) == expected, len(leftovers(home, job_id)))


def kill_loop(home: Path, media: Path, kills: int, seed: int) -> tuple[float, list[Kill]]:
    """Return the length of the undisturbed run in seconds, and what became of each killed one."""
    (home / "models").symlink_to(ROOT / "models")
    prepare(home, media, "undisturbed")
    started = time.monotonic()
    if code := start(home, "undisturbed").wait():
        raise SystemExit(f"the undisturbed run ended with {code}")
    length = time.monotonic() - started
    expected = deliverables(home, "undisturbed")
    moments = random.Random(seed)
    return length, [
        kill_once(home, media, f"killed-{number}", moments.uniform(0, length), expected) for number in range(kills)
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--media", type=Path, default=ROOT / "samples" / "dialogue.mp4")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        length, kills = kill_loop(Path(home), arguments.media.absolute(), arguments.kills, arguments.seed)
    for kill in kills:
        after = f"exit {kill.exit_code}, identical {kill.identical}, left over {kill.leftovers}"
        print(f"killed at {kill.seconds:6.2f} s in {kill.stage:<18} second run: {after}")
    good = sum(kill.exit_code == 0 and kill.identical and not kill.leftovers for kill in kills)
    print(f"{good} of {len(kills)} recovered whole (undisturbed run {length:.1f} s, seed {arguments.seed})")
    result = {
        "seed": arguments.seed,
        "undisturbed_seconds": round(length, 2),
        "recovered": good,
        "kills": [asdict(kill) for kill in kills],
    }
    (ROOT / "bench" / "results").mkdir(exist_ok=True)
    (ROOT / "bench" / "results" / "kill_loop.json").write_text(json.dumps(result, indent=1) + "\n")
    return 0 if good == len(kills) else 1


if __name__ == "__main__":
    sys.exit(main())
