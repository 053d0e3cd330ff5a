"""What the README says can be pasted."""

from __future__ import annotations

import subprocess
import sys
from textwrap import dedent

import pytest

from tests.conftest import ROOT


@pytest.mark.skipif(not (ROOT / "models" / "base").is_dir(), reason="needs models/base")
def test_the_python_example_runs_as_it_stands_there() -> None:
    section = (ROOT / "README.md").read_text().split("### Use it from Python\n")[1].split("\nA window is")[0]
    code = dedent(section).replace('WHISPER_BACKEND="mlx"', 'WHISPER_BACKEND="whisperx"')  # which everybody has
    assert code.count('"whisperx"') == 2
    done = subprocess.run([sys.executable, "-"], input=code, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("['Good morning, Daniel, have you watched the new film yet?")
