from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from bench import side_by_side
from bench.side_by_side import MIB, Run, Spread, compare, main, run_once, save, summarise, without_paths
from sutradhar.pipeline.errors import SutradharError
from tests.conftest import ROOT

HOLD_100_MIB = f"{sys.executable} -c 'import time; x = bytearray(100 << 20); time.sleep(0.6)'"


def test_medians_and_ratios() -> None:
    warm = [(Run(9.0, 300 * MIB, 500 * MIB), Run(9.0, 100 * MIB, 120 * MIB))]
    timed = [
        (Run(2.0, 310 * MIB), Run(1.0, 90 * MIB)),
        (Run(3.0, 290 * MIB), Run(2.0, 110 * MIB)),
        (Run(6.0, 1), Run(1.5, 1)),
    ]
    result = summarise(("a", "b"), warm, timed)
    assert (result.a.seconds, result.b.seconds) == (Spread(3.0, 2.0, 6.0), Spread(1.5, 1.0, 2.0))
    assert result.ratio == 2.0
    assert result.pair_ratios == Spread(2.0, 1.5, 4.0)
    assert (result.a.peak_rss_mib, result.a.peak_group_rss_mib) == (310.0, 500.0)
    assert (result.b.peak_rss_mib, result.b.peak_group_rss_mib) == (110.0, 120.0)
    assert result.a.runs == (2.0, 3.0, 6.0)


def test_commands_take_turns_after_warming_up(tmp_path: Path) -> None:
    log = tmp_path / "log"
    result = compare(f"echo A >> {log}; sleep 0.2", f"echo B >> {log}", runs=2, warm_ups=1)
    assert log.read_text().split() == ["A", "B"] * 3
    assert len(result.a.runs) == 2
    assert 0.2 <= result.a.seconds.min < 1.0
    assert result.ratio > 2


def test_memory_of_one_process_and_of_all() -> None:
    # In a process of its own: the kernel lets a child's peak start from its parent's, and other tests need much.
    code = f"from bench.side_by_side import *; r = run_once({f'{HOLD_100_MIB} & {HOLD_100_MIB} & wait'!r}, sample_group=True); print(r)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    run = eval(done.stdout, {"Run": Run})
    assert 100 * MIB < run.largest_process < 180 * MIB
    assert run.whole_group is not None
    assert 200 * MIB < run.whole_group < 360 * MIB


def test_a_failing_command_is_named_with_its_last_line() -> None:
    with pytest.raises(SutradharError, match=r"^Ended with 3: echo first.*: no such model$"):
        run_once("echo first; echo no such model >&2; exit 3")


def test_an_interrupt_kills_the_whole_group(tmp_path: Path) -> None:
    group_file = tmp_path / "group"

    def interrupt() -> None:
        while not group_file.exists() or not group_file.read_text().strip():
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background has it ignored
    threading.Thread(target=interrupt, daemon=True).start()
    try:
        with pytest.raises(KeyboardInterrupt):
            run_once(f"sleep 30 & echo $$ > {group_file}; wait")
    finally:
        signal.signal(signal.SIGINT, before)
    give_up = time.monotonic() + 10
    while side_by_side.group_rss(int(group_file.read_text())):
        assert time.monotonic() < give_up
        time.sleep(0.05)


def test_paths_of_the_machine_are_left_out() -> None:
    text = "/opt/film/.venv/bin/python /opt/film-2/x --out /opt/film; ls /home/me/a /home/meg"
    assert (
        without_paths(text, Path("/opt/film"), Path("/home/me"))
        == "./.venv/bin/python /opt/film-2/x --out .; ls ~/a /home/meg"
    )


def test_result_file(tmp_path: Path) -> None:
    pair = (Run(2.0, MIB, MIB), Run(1.0, MIB, MIB))
    root = side_by_side.ROOT
    path = save("try", summarise((f"{root}/x", "b"), [pair], [pair]), 0.5, tmp_path)
    result = json.loads(path.read_text())
    assert list(result) == ["name", "date", "machine", "load_before", "a", "b", "ratio", "pair_ratios"]
    assert result["machine"].keys() >= {"cpu", "cores", "memory_gb", "python", "packages"}
    assert result["a"]["command"] == "./x"
    assert str(root) not in path.read_text()


@pytest.mark.parametrize(
    "arguments", [["../up", "--a", "true", "--b", "true"], ["x", "--a", "true", "--b", "true", "--runs", "0"]]
)
def test_bad_arguments(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = main(arguments)
    except SystemExit as error:
        code = int(str(error.code))
    assert code == 2
    assert capsys.readouterr().out == ""
