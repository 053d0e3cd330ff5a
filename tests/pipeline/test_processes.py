from __future__ import annotations

import subprocess
import sys

from tests.conftest import ROOT


def test_a_child_whose_parent_has_ended_before_it_began_ends_too() -> None:
    code = "from pipeline.processes import die_with_parent; die_with_parent(1); print('still here')"
    child = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (child.returncode, child.stdout) == (1, "")
