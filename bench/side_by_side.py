"""Compare the wall-clock time and the memory of two shell commands that are run in turn.

    .venv/bin/python -m bench.side_by_side batching --a "..." --b "..." --runs 5

The commands run from the project's root: A B once or more to warm up, then A B A B. Memory is that of a whole
process group, sampled while warming up so that the timed runs are undisturbed. The result goes to
bench/results/<name>.json.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import re
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import IO

import psutil

from sutradhar.pipeline.errors import SutradharError, UsageError
from sutradhar.pipeline.machine.hardware import recommend
from sutradhar.pipeline.machine.probe import probe

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results"
SAMPLE_SECONDS = 0.05
MIB = 1 << 20
RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # of getrusage's ru_maxrss, in bytes
PACKAGES = ("ctranslate2", "faster-whisper", "whisperx", "torch", "onnxruntime", "mlx-whisper", "numpy", "av")


@dataclass(frozen=True)
class Run:
    """One run of a command. Memory is in bytes."""

    seconds: float
    # Peak resident set of the largest single process, as the kernel counted it; Linux starts from ours, some 25 MiB.
    largest_process: int
    # Peak sum of the resident sets, pages that processes share counted in each; None if not sampled.
    whole_group: int | None = None


@dataclass(frozen=True)
class Spread:
    median: float
    min: float
    max: float


@dataclass(frozen=True)
class Side:
    command: str
    seconds: Spread
    peak_rss_mib: float  # of the largest single process, over all runs
    peak_group_rss_mib: float  # of the whole group, over the runs that warm up
    runs: tuple[float, ...]  # seconds of each timed run


@dataclass(frozen=True)
class Comparison:
    a: Side
    b: Side
    ratio: float  # median time of A over median time of B: above 1, B is faster
    pair_ratios: Spread  # of each run of A over the run of B after it


# --- Running


def run_once(command: str, sample_group: bool = False) -> Run:
    """Run a shell command from the project's root. Raises SutradharError, with its last line of output, where it
    fails."""
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            shell=True,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        with GroupMemory(process.pid) if sample_group else contextlib.nullcontext() as memory:
            usage = _wait(process)
        seconds = time.perf_counter() - started
        if process.returncode:
            raise SutradharError(f"Ended with {process.returncode}: {command}: {_last_line(output)}")
    return Run(seconds, usage.ru_maxrss * RSS_UNIT, memory.peak if memory else None)


def _wait(process: subprocess.Popen[bytes]) -> resource.struct_rusage:
    """Return the resources of the process and of all below it that it waited for. Interrupted, it kills them."""
    try:
        _, status, usage = os.wait4(process.pid, 0)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage


def _last_line(output: IO[bytes]) -> str:
    output.seek(0)
    lines = output.read().decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "no output")


class GroupMemory:
    """Memory of a process group, sampled while this is open; `peak` is the largest sum seen, in bytes."""

    def __init__(self, group: int) -> None:
        self.peak = 0
        self._group = group
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> GroupMemory:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            self.peak = max(self.peak, group_rss(self._group))
            if self._done.wait(SAMPLE_SECONDS):
                return


def group_rss(group: int) -> int:
    """Return the sum of the resident sets of the processes of a group, in bytes."""
    total = 0
    for pid in psutil.pids():
        with contextlib.suppress(ProcessLookupError, PermissionError, psutil.Error):
            if os.getpgid(pid) == group:
                total += psutil.Process(pid).memory_info().rss
    return total


# --- Comparing


def compare(a: str, b: str, runs: int, warm_ups: int = 1) -> Comparison:
    """Run A B `warm_ups` times, then A B `runs` times. Raises SutradharError where a command fails."""
    warm = _alternate(a, b, warm_ups, sample_group=True)
    timed = _alternate(a, b, runs)
    return summarise((a, b), warm, timed)


def _alternate(a: str, b: str, times: int, sample_group: bool = False) -> list[tuple[Run, Run]]:
    return [(run_once(a, sample_group), run_once(b, sample_group)) for _ in range(times)]


def summarise(
    commands: tuple[str, str], warm: Sequence[tuple[Run, Run]], timed: Sequence[tuple[Run, Run]]
) -> Comparison:
    a, b = (_side(commands[i], [pair[i] for pair in warm], [pair[i] for pair in timed]) for i in (0, 1))
    return Comparison(
        a,
        b,
        round(a.seconds.median / b.seconds.median, 3),
        _spread([one.seconds / other.seconds for one, other in timed]),
    )


def _side(command: str, warm: list[Run], timed: list[Run]) -> Side:
    return Side(
        command=without_paths(command),
        seconds=_spread([run.seconds for run in timed]),
        peak_rss_mib=_mib(max(run.largest_process for run in warm + timed)),
        peak_group_rss_mib=_mib(max(run.whole_group or 0 for run in warm)),
        runs=tuple(round(run.seconds, 3) for run in timed),
    )


def _spread(values: list[float]) -> Spread:
    return Spread(round(statistics.median(values), 3), round(min(values), 3), round(max(values), 3))


def _mib(size: int) -> float:
    return round(size / MIB, 1)


# --- The result


def without_paths(text: str, root: Path = ROOT, home: Path | None = None) -> str:
    """Return the text with the project's root as `.` and the home folder as `~`."""
    for folder, short in ((root, "."), (home or Path.home(), "~")):
        text = re.sub(rf"{re.escape(str(folder))}(?![\w.-])", short, text)
    return text


def machine() -> dict[str, object]:
    hardware = recommend(probe())
    return {
        "cpu": hardware.cpu.brand,
        "cores": hardware.cpu.cores,
        "threads": hardware.cpu.usable,
        "memory_gb": hardware.memory.total_gb,
        "gpu": hardware.gpu_name,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def save(name: str, comparison: Comparison, load: float, folder: Path = RESULTS) -> Path:
    """Write `<name>.json`; `load` is the machine's load average before the first run."""
    date = datetime.now(timezone.utc).isoformat(timespec="seconds")
    result = {"name": name, "date": date, "machine": machine(), "load_before": round(load, 2), **asdict(comparison)}
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def table(comparison: Comparison) -> str:
    rows = [f"{'':3}{'median':>9}{'min':>9}{'max':>9}{'largest process':>18}{'whole group':>14}"]
    for label, side in (("A", comparison.a), ("B", comparison.b)):
        seconds = "".join(f"{value:7.2f} s" for value in (side.seconds.median, side.seconds.min, side.seconds.max))
        rows.append(f"{label:<3}{seconds}{side.peak_rss_mib:14.0f} MiB{side.peak_group_rss_mib:10.0f} MiB")
    pairs = comparison.pair_ratios
    rows.append(
        f"A takes {comparison.ratio:.2f} times as long as B "
        f"(pair by pair {pairs.min:.2f} to {pairs.max:.2f}, {len(comparison.a.runs)} runs)"
    )
    return "\n".join(rows)


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 up")
    return int(text)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.side_by_side", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", help="of the result's file")
    parser.add_argument("--a", required=True, metavar="COMMAND")
    parser.add_argument("--b", required=True, metavar="COMMAND")
    parser.add_argument("--runs", type=_at_least_one, default=5, help="timed runs of each (5)")
    parser.add_argument("--warm-ups", type=_at_least_one, default=1, help="runs of each before those (1)")
    arguments = parser.parse_args(argv)
    try:
        if not re.fullmatch(r"[\w-]+", arguments.name):
            raise UsageError(f"{arguments.name!r} cannot name a result: use letters, digits, - and _")
        load = os.getloadavg()[0]
        comparison = compare(arguments.a, arguments.b, arguments.runs, arguments.warm_ups)
        path = save(arguments.name, comparison, load)
    except SutradharError as error:
        print(f"[ERROR] {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    print(f"{table(comparison)}\n{path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
