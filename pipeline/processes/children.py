"""Child processes: how they are started and ended, end with their parent, and keep their memory together."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sutradhar.pipeline.installed import CODE
from sutradhar.pipeline.processes.ending import signals_held

PR_SET_PDEATHSIG = 1  # linux/prctl.h
M_ARENA_MAX = -8  # malloc.h of glibc
GRACE = 5.0  # seconds that processes are given to end by themselves after SIGTERM
SECRET = re.compile(
    r"(TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)(_|$)|API_?KEY|(^|_)(AUTH|PAT|KEY)(_|$)|_PWD$", re.IGNORECASE
)
LOOK_EVERY = 0.02  # seconds between two looks whether they have


def entry(module: str, function: str = "main") -> tuple[str, ...]:
    """Return the command that runs a function of one of our modules in a new interpreter.

    Not `-m`: before Python 3.11 that looks for modules in the working directory first."""
    return sys.executable, "-c", _code(module, function)


def _code(module: str, function: str) -> str:
    return (
        f"import sys; sys.path[:] = [*filter(None, sys.path), {str(CODE)!r}]; "
        f"from {module} import {function}; {function}()"
    )


def without_secrets() -> dict[str, str]:
    """Return the environment for children that parse media, which a hostile file may take over: no tokens, no
    passwords. Anything from a hub was fetched before they start."""
    return {name: value for name, value in os.environ.items() if name.startswith("RAY_") or not SECRET.search(name)}


def leashed(command: Sequence[str]) -> list[str]:
    """Return a foreign command, changed so that it is killed when this process ends, however it ends. On Linux it
    is the very process that is started."""
    return [
        sys.executable,
        "-I",
        "-S",
        "-c",
        _code("sutradhar.pipeline.processes.children", "leash"),
        str(os.getpid()),
        *command,
    ]


def leash() -> None:
    """Become the command that `leashed` was given; where the system cannot bind it to its parent, start it and
    watch both."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    try:
        if sys.platform == "linux":
            die_with_parent(parent)
            os.execvp(command[0], command)
        sys.exit(_watched(command, parent))
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


def _watched(command: Sequence[str], parent: int) -> int:
    asked: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, frame: asked.append(number))
    child = subprocess.Popen(command)
    while not asked and os.getppid() == parent:
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = child.wait(0.2)
            return code if code >= 0 else 128 - code
    end(child)
    return 128 + (asked or [signal.SIGKILL])[0]


def run(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, with nothing to read, and take what it says. It never outlives this process.

    Raises OSError, and subprocess.TimeoutExpired."""
    with contextlib.ExitStack() as started:
        with signals_held():
            pipe = subprocess.PIPE
            child = subprocess.Popen(
                leashed(command),
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=pipe,
                stderr=pipe,
                text=True,
                errors="replace",
            )
            started.enter_context(child)
            started.callback(end, child)
        said, complained = child.communicate(timeout=timeout)
    return subprocess.CompletedProcess(command, child.returncode, said, complained)


def end(child: subprocess.Popen[Any]) -> None:
    """Ask a process to end, and kill it where it does not do so within GRACE seconds."""
    if child.poll() is None:
        child.terminate()
    wait_or_kill(child)


def wait_or_kill(child: subprocess.Popen[Any]) -> None:
    """Wait until a process that was asked to end has done so, at most GRACE seconds; then kill it."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(GRACE)
    child.kill()
    child.wait()


def end_group(leader: subprocess.Popen[bytes]) -> None:
    """Ask all of a process group to end, and kill what is still there after GRACE seconds.

    The leader may end before the others: multiprocessing's resource tracker outlives all whose semaphores it
    removes."""
    _signal_group(leader.pid, signal.SIGTERM)
    _wait_until(lambda: leader.poll() is not None and not _has_members(leader.pid))
    _signal_group(leader.pid, signal.SIGKILL)
    leader.wait()


def _signal_group(group: int, number: int) -> bool:
    """Send a signal; False where the group has no members any more."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _has_members(group: int) -> bool:
    """Return whether the group has members. Dead ones that nobody has waited for do not count: in some containers
    nobody ever does."""
    import psutil

    if not _signal_group(group, 0):
        return False
    for process in psutil.process_iter():
        with contextlib.suppress(OSError, psutil.Error):
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                return True
    return False


def _wait_until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + GRACE
    while not true() and time.monotonic() < until:
        time.sleep(LOOK_EVERY)


def die_with_parent(parent: int, *, group: bool = True) -> None:
    """Have this process, a child of process `parent`, be killed when that ends, however it ends, also if it has
    ended already.

    Where the system cannot do it the child watches, and `group` says whether all of its process group is killed, or
    it alone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        threading.Thread(target=_watch, args=(parent, group), daemon=True).start()
    if os.getppid() != parent:  # it ended before the request took effect
        os._exit(1)


def share_one_heap() -> None:
    """Let all threads allocate from the same heap, where the C library is glibc. To be called before many threads
    are there.

    Else each gets a heap of its own, and what large arrays leave free in one is of no use to the others: a worker
    grew by a tenth in 2,000 recordings (docs/corpus.md)."""
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):
        mallopt(M_ARENA_MAX, 1)


def keep_numpy_to_one_thread() -> None:
    """Have NumPy multiply on the thread that asks for it. To be called before it is imported.

    The other threads of OpenBLAS spin for some 45 ms after each product, on cores that a recogniser's workers need
    (10 minutes of sound, base, int8, two cores: 1 s of 23)."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"


def _watch(parent: int, group: bool) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    if group:
        os.killpg(os.getpgid(0), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
