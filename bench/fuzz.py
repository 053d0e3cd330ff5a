"""Put damaged and hostile media through probe and decode, and a sample of it through prepare-job and run-pipeline.

    .venv/bin/python -m bench.fuzz --seed 1

Each of 24 containers is mutated so many times. Each mutant is read in a process of its own, with a limit to its
time and memory. It may be read, with remarks or without, or be refused with one of our errors; whatever else
happens is unexplained.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import resource
import struct
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import imageio_ffmpeg

from bench.kill_loop import ROOT, environment

MUTANTS = 100  # of each container
SECONDS = 4  # of each container
TIME_LIMIT = 60  # seconds for a mutant
JOB_TIME_LIMIT = 300
MEMORY_LIMIT = 4 << 30  # bytes of address space for a mutant
EXPLAINED = ("read", "read with remarks", "refused")
HEAD = 512  # bytes in which headers are looked for
EXTREMES = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)

PICTURE = ("-f", "lavfi", "-i", f"testsrc=s=64x48:r=10:d={SECONDS}")
SPEECH = ("-t", str(SECONDS), "-i", str(ROOT / "samples" / "dialogue.mp4"), "-map", "0:a")
RECORDINGS = {
    "mp3": (),
    "flac": (),
    "ogg": ("-c:a", "libvorbis"),
    "opus": ("-c:a", "libopus"),
    "m4a": (),
    "aac": (),
    "ac3": (),
    "wav": (),
    "rf64.wav": ("-rf64", "always"),
    "w64": (),
    "aiff": (),
    "caf": ("-c:a", "pcm_s16le"),
    "au": (),
    "wma": (),
    "tta": (),
    "wv": (),
}
FILMS = {
    "mkv": ("-c:v", "mpeg4", "-c:a", "aac"),
    "mp4": ("-c:v", "mpeg4", "-c:a", "aac", "-movflags", "+faststart"),
    "fragmented.mp4": ("-c:v", "mpeg4", "-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"),
    "mov": ("-c:v", "mpeg4", "-c:a", "pcm_s16le"),
    "avi": ("-c:v", "mpeg4", "-c:a", "libmp3lame"),
    "ts": ("-c:v", "mpeg2video", "-r", "25", "-c:a", "ac3"),
    "webm": ("-c:v", "libvpx", "-c:a", "libvorbis"),
    "flv": ("-c:v", "flv", "-c:a", "libmp3lame", "-ar", "44100"),
}


@dataclass(frozen=True)
class FuzzResult:
    container: str
    number: int
    mutation: str
    outcome: str  # one of EXPLAINED, or what happened instead
    detail: str = ""


def flip(data: bytearray, dice: random.Random) -> None:
    for _ in range(dice.choice((1, 10, 100))):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def cut(data: bytearray, dice: random.Random) -> None:
    if dice.random() < 0.5:
        del data[dice.randrange(1, len(data)) :]
    else:
        at = dice.randrange(len(data))
        del data[at : at + dice.choice((1, 100, 10_000))]


def insert(data: bytearray, dice: random.Random) -> None:
    at = dice.choice((0, len(data), dice.randrange(len(data))))
    data[at:at] = dice.randbytes(dice.choice((1, 188, 5000)))


def punch(data: bytearray, dice: random.Random) -> None:
    at, length = dice.randrange(len(data)), dice.choice((16, 1000, len(data) // 4))
    length = min(length, len(data) - at)
    data[at : at + length] = bytes(length)


def edit_header(data: bytearray, dice: random.Random) -> None:
    for _ in range(dice.randrange(1, 5)):
        size, order = dice.choice("BHI"), dice.choice("<>")
        length = struct.calcsize(size)
        at = dice.randrange(min(HEAD, len(data)) - length)
        struct.pack_into(order + size, data, at, dice.choice(EXTREMES) & (256**length - 1))


def swap(data: bytearray, dice: random.Random) -> None:
    length = dice.choice((188, 1000, len(data) // 10))
    first, second = sorted(dice.randrange(max(1, len(data) - length)) for _ in range(2))
    data[first : first + length], data[second : second + length] = (
        data[second : second + length],
        data[first : first + length],
    )


MUTATIONS: tuple[Callable[[bytearray, random.Random], None], ...] = (flip, cut, insert, punch, edit_header, swap)


def make(folder: Path) -> dict[str, bytes]:
    """Make the 24 containers, whole."""
    made = {}
    for name, arguments in (RECORDINGS | FILMS).items():
        path = folder / f"whole.{name}"
        picture = PICTURE if name in FILMS else ()
        maps = ("-map", "1:v", "-shortest") if picture else ()
        command = [
            imageio_ffmpeg.get_ffmpeg_exe(),
            "-nostdin",
            "-v",
            "error",
            *SPEECH[:4],
            *picture,
            *SPEECH[4:],
            *maps,
            *arguments,
            str(path),
        ]
        subprocess.run(command, check=True)
        made[name] = path.read_bytes()
    return made


def mutant(whole: bytes, container: str, number: int, seed: int) -> tuple[str, bytes]:
    """Return the mutation's name, and the mutant: always the same for the same seed."""
    dice = random.Random(f"{seed} {container} {number}")
    mutate = MUTATIONS[number % len(MUTATIONS)]
    data = bytearray(whole)
    mutate(data, dice)
    return mutate.__name__, bytes(data)


def read(path: Path, log: Path) -> None:
    """Look at the file and decode it, being a child process, and leave the outcome in `log`. The process ends with 1 on
    anything that is no error of ours."""
    from sutradhar.pipeline import media
    from sutradhar.pipeline.errors import StageFailed, UsageError

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    with log.open("w") as told:
        os.dup2(told.fileno(), 2)
        try:
            info = media.probe(path)
            sound = media.decode(path)
            if info.video is None:
                media.pictures(path)
            for _ in sound:
                pass
            outcome, detail = ("read with remarks", sound.degraded[0]) if sound.degraded else ("read", "")
        except (UsageError, StageFailed) as error:
            outcome, detail = "refused", str(error)
        told.seek(0)
        told.truncate()
        json.dump((outcome, detail), told)


def try_to_read(path: Path) -> tuple[str, str]:
    """Return outcome and detail of one mutant."""
    log = path.with_name("outcome")
    child = multiprocessing.get_context("fork").Process(target=read, args=(path, log))
    child.start()
    child.join(TIME_LIMIT)
    if child.is_alive():
        child.kill()
        child.join()
        return "hang", f"not done after {TIME_LIMIT} s"
    text = log.read_text(errors="replace")
    if child.exitcode:
        lines = text.strip().splitlines()
        return ("traceback" if "Traceback" in text else f"exit {child.exitcode}"), lines[-1] if lines else ""
    outcome, detail = json.loads(text)
    return (outcome, detail) if "\n" not in detail else ("more than one line", detail)


def run_job(home: Path, path: Path, job_id: str) -> tuple[str, str]:
    """Return the outcome of preparing and running a whole job on this file."""
    said = ""
    for command in (["prepare", str(path), "--transcribe", "-s", "en", "--job-id", job_id], ["run", "-j", job_id]):
        try:
            done = subprocess.run(
                [sys.executable, "-m", f"pipeline.{command[0]}", *command[1:]],
                env=environment(home),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=JOB_TIME_LIMIT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return "hang", f"{command[0]} not done after {JOB_TIME_LIMIT} s"
        said += done.stdout + done.stderr
        if "Traceback" in said or done.returncode not in (0, 1, 2):
            return "traceback" if "Traceback" in said else f"exit {done.returncode}", said.strip().splitlines()[-1]
        if done.returncode:
            return "refused", f"exit {done.returncode}"
    return ("read with remarks" if "WARN" in said else "read"), ""


def fuzz(folder: Path, mutants: int, seed: int, only: list[str]) -> Iterator[FuzzResult]:
    for container, whole in make(folder).items():
        if only and container not in only:
            continue
        path = folder / f"mutant.{container}"
        for number in range(mutants):
            mutation, data = mutant(whole, container, number, seed)
            path.write_bytes(data)
            yield FuzzResult(container, number, mutation, *try_to_read(path))


def run_jobs(folder: Path, jobs: int, seed: int, _only: list[str]) -> Iterator[FuzzResult]:
    """Run a sample of the same mutants as whole jobs."""
    (folder / "models").symlink_to(ROOT / "models")
    made = make(folder)
    chosen = random.Random(seed).sample([(container, number) for container in made for number in range(MUTANTS)], jobs)
    for place, (container, number) in enumerate(chosen):
        mutation, data = mutant(made[container], container, number, seed)
        path = folder / f"mutant-{number}.{container}"
        path.write_bytes(data)
        yield FuzzResult(container, number, mutation, *run_job(folder, path, f"mutant-{place}"))


def counted(results: list[FuzzResult]) -> dict[str, int]:
    return dict(Counter(result.outcome for result in results).most_common())


def table(results: list[FuzzResult], before: dict[str, Any]) -> dict[str, Any]:
    """Return the results by container; those of others are kept as they were."""
    containers = before.get("containers", {}) | {
        name: counted([one for one in results if one.container == name]) for name in names(results)
    }
    kept = [one for one in before.get("unexplained", []) if one["container"] not in names(results)]
    return {
        "outcomes": dict(sum((Counter(outcomes) for outcomes in containers.values()), Counter[str]()).most_common()),
        "containers": containers,
        "unexplained": kept + [asdict(one) for one in results if one.outcome not in EXPLAINED],
    }


def names(results: list[FuzzResult]) -> list[str]:
    return list(dict.fromkeys(one.container for one in results))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--mutants", type=int, default=MUTANTS, help="of each container; 0 leaves the last result of them as it is"
    )
    parser.add_argument("--jobs", type=int, default=50, help="0 leaves the last result of them as it is")
    parser.add_argument("--containers", nargs="+", default=[], help="only these; the last results of the others stay")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    import av
    import numpy  # noqa: F401  (children that are forked have it already)

    from sutradhar.pipeline.media import decode, probe  # noqa: F401

    kept = ROOT / "bench" / "results" / "fuzz.json"
    unexplained = 0
    for kind, count, run in (("mutants", arguments.mutants, fuzz), ("jobs", arguments.jobs, run_jobs)):
        if not count:
            continue
        with tempfile.TemporaryDirectory() as folder:
            results = []
            for one in run(Path(folder), count, arguments.seed, arguments.containers):
                results.append(one)
                if one.outcome not in EXPLAINED:
                    print(f"{kind}: {one}", flush=True)
        result = json.loads(kept.read_text()) if kept.exists() else {}
        result[kind] = {
            "seed": arguments.seed,
            "av": av.__version__,
            **table(results, result.get(kind, {}) if arguments.containers else {}),
        }
        unexplained += sum(one.outcome not in EXPLAINED for one in results)
        print(f"{kind}: {counted(results)}")
        kept.write_text(json.dumps(result, indent=1) + "\n")
    print(f"{unexplained} unexplained")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
