"""Child processes: they end when their parent does, and keep their memory together."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

PR_SET_PDEATHSIG = 1  # linux/prctl.h
M_ARENA_MAX = -8  # malloc.h of glibc


def die_with_parent(parent: int, *, group: bool = True) -> None:
    """Called in a child of process `parent`: be killed when that ends, however it ends, also if it has ended already.

    Where the system cannot do it the child watches, and `group` says whether all of its process group is killed, or it alone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        threading.Thread(target=_watch, args=(parent, group), daemon=True).start()
    if os.getppid() != parent:  # it ended before the request took effect
        os._exit(1)


def share_one_heap() -> None:
    """To be called before many threads are there: let all of them allocate from the same heap, where the C library is glibc.

    It would give each a heap of its own, and what large arrays leave free in one is of no use to the others: a worker grew by a tenth in
    2,000 recordings (docs/corpus.md)."""
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):
        mallopt(M_ARENA_MAX, 1)


def _watch(parent: int, group: bool) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    if group:
        os.killpg(os.getpgid(0), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
