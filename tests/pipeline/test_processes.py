from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from tests.conftest import ROOT


def test_a_child_whose_parent_has_ended_before_it_began_ends_too() -> None:
    code = "from pipeline.processes import die_with_parent; die_with_parent(1); print('still here')"
    child = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (child.returncode, child.stdout) == (1, "")


HEAPS = """
import ctypes, sys, threading
from pipeline.processes import share_one_heap

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
