from __future__ import annotations

import os
import platform
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from sutradhar.pipeline.processes import children
from tests.conftest import ROOT


def test_a_child_whose_parent_has_ended_before_it_began_ends_too() -> None:
    code = "from sutradhar.pipeline.processes.children import die_with_parent; die_with_parent(1); print('still here')"
    child = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (child.returncode, child.stdout) == (1, "")


def gone(number: int) -> bool:
    """Also where nobody waits for the dead."""
    try:
        return psutil.Process(number).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_for(true: Callable[[], object]) -> None:
    until = time.monotonic() + 20
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)


GROUP = """
import os, signal, subprocess, sys, time
late = "import signal, sys, time; signal.signal(15, lambda *_: (time.sleep(0.3), open('tidied', 'w').close(), sys.exit())); print(1, flush=True); time.sleep(60)"
subprocess.Popen([sys.executable, "-c", late if sys.argv[1] == "late" else late.replace("0.3", "60")])
time.sleep(60)
"""


def group(kind: str, folder: Path) -> subprocess.Popen[bytes]:
    """Its leader ends at once, another member 0.3 s after it was asked to or not at all."""
    leader = subprocess.Popen(
        [sys.executable, "-c", GROUP, kind], cwd=folder, stdout=subprocess.PIPE, start_new_session=True
    )
    assert leader.stdout
    assert leader.stdout.readline()
    return leader


def test_a_group_is_given_time_to_end_though_its_leader_is_gone(tmp_path: Path) -> None:
    with group("late", tmp_path) as leader:
        children.end_group(leader)
    assert (tmp_path / "tidied").exists()


def test_what_of_a_group_does_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "GRACE", 0.2)
    with group("never", tmp_path) as leader:
        members = psutil.Process(leader.pid).children(recursive=True)
        children.end_group(leader)
    assert len(members) == 1
    wait_for(lambda: gone(members[0].pid))


RUNS = "from sutradhar.pipeline.processes.children import run; run(['sh', '-c', 'echo $$ > number; exec sleep 60'])"


def running(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    """A process that has run a command of others, and the command's number."""
    parent = subprocess.Popen(
        [sys.executable, "-c", RUNS], cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL
    )
    wait_for(lambda: (folder / "number").exists() and (folder / "number").read_text())
    return parent, int((folder / "number").read_text())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_command_of_others_ends_with_whoever_runs_it(number: signal.Signals, tmp_path: Path) -> None:
    parent, command = running(tmp_path)
    assert not gone(command)
    parent.send_signal(number)
    assert parent.wait(20) in (-number, 1)
    wait_for(lambda: gone(command))


def test_a_command_that_is_run_tells_what_it_says_and_how_it_ended() -> None:
    found = children.run(["sh", "-c", "echo said; echo why >&2; exit 3"])
    assert (found.returncode, found.stdout, found.stderr) == (3, "said\n", "why\n")
    absent = children.run(["/there/is/none"])
    assert (absent.returncode, absent.stderr) == (1, "/there/is/none: No such file or directory\n")
    with pytest.raises(subprocess.TimeoutExpired):
        children.run(["sleep", "60"], timeout=0.1)


def test_where_the_system_cannot_bind_a_command_to_its_parent_it_is_watched(tmp_path: Path) -> None:
    def watched(command: list[str], parent: int) -> subprocess.Popen[bytes]:
        code = f"import sys; from sutradhar.pipeline.processes.children import _watched; sys.exit(_watched({command!r}, {parent}))"
        return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)

    assert watched(["sh", "-c", "exit 3"], os.getpid()).wait(20) == 3
    assert watched(["sleep", "60"], 1).wait(20) == 128 + signal.SIGKILL
    asked = watched(["sh", "-c", f"echo $$ > {tmp_path}/number; exec sleep 60"], os.getpid())
    wait_for(lambda: (tmp_path / "number").exists() and (tmp_path / "number").read_text())
    asked.terminate()
    assert asked.wait(20) == 128 + signal.SIGTERM
    assert gone(int((tmp_path / "number").read_text()))


def test_processes_are_started_where_it_is_seen_to_that_they_end() -> None:
    started = re.compile(
        r"subprocess\.(Popen|run|call|check_\w+)\(|os\.(fork|spawn\w+|system|popen)\(|multiprocessing|ProcessPool"
    )
    found = {
        str(path.relative_to(ROOT))
        for folder in ("pipeline", "stages")
        for path in (ROOT / folder).rglob("*.py")
        if started.search(path.read_text())
    }
    assert found == {
        "pipeline/processes/channel.py",
        "pipeline/processes/children.py",
        "pipeline/media/ffmpeg.py",
    }


HEAPS = """
import ctypes, sys, threading
from sutradhar.pipeline.processes.children import share_one_heap

if sys.argv[1] == "shared":
    share_one_heap()
libc, together = ctypes.CDLL(None), threading.Barrier(5)
libc.fdopen.restype, libc.fdopen.argtypes = ctypes.c_void_p, [ctypes.c_int, ctypes.c_char_p]
libc.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]

def allocate():
    kept = bytearray(100_000)
    together.wait()

for _ in range(4):
    threading.Thread(target=allocate).start()
together.wait()
libc.malloc_info(0, libc.fdopen(1, b"w"))
libc.fflush(None)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's heaps")
def test_threads_share_a_heap() -> None:
    def heaps(how: str) -> int:
        found = subprocess.run([sys.executable, "-c", HEAPS, how], cwd=ROOT, capture_output=True, text=True, check=True)
        return found.stdout.count("<heap nr=")

    assert heaps("of their own") > 1
    assert heaps("shared") == 1


CHILDREN = (
    "sutradhar.pipeline.running.child",
    "sutradhar.pipeline.processes.channel",
    "sutradhar.stages.corpus.recognise.worker",
    "sutradhar.stages.corpus.recognise.prefetch",
)
NUMPYS_THREADS = """
import sys, importlib
sys.argv[1:] = [sys.argv[1], str(__import__("os").getppid())]
importlib.import_module(sys.argv.pop(1))
assert "numpy" not in sys.modules, "NumPy was loaded before its threads could be limited"
from sutradhar.pipeline.processes import channel
incoming, outgoing = channel.begin(group=False)
import numpy, threadpoolctl
pools = [pool for pool in threadpoolctl.threadpool_info() if pool["internal_api"] == "openblas"]
outgoing.write(repr([pool["num_threads"] for pool in pools]).encode())
outgoing.close()
"""


@pytest.mark.parametrize("module", CHILDREN)
def test_numpy_multiplies_on_one_thread_in_each_child(module: str) -> None:
    found = subprocess.run(
        [sys.executable, "-c", NUMPYS_THREADS, module], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout in ("[1]", "[]")  # none: a NumPy on another library
