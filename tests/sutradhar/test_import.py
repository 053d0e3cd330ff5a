"""What a program of somebody else's gets that imports us: names, and nothing done to it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import sutradhar
from tests.conftest import ROOT


def python(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def test_importing_loads_nothing_heavy(tmp_path: Path) -> None:
    code = "import sys, sutradhar; print(sorted({'numpy', 'msgspec', 'av', 'ctranslate2', 'mlx', 'torch'} & set(sys.modules)), len(sys.modules))"
    names, _, count = python("-c", code, cwd=tmp_path).stdout.rpartition(" ")
    assert names == "[]"
    assert int(count) < 150


def test_a_program_keeps_its_signals(tmp_path: Path) -> None:
    code = "import signal, sutradhar.model; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    (tmp_path / "theirs.py").write_text(code)
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text(code)  # imported while Python still looks for the command
    (tmp_path / "package" / "__main__.py").write_text("")
    for command in ("theirs", "package"):
        assert python("-m", command, cwd=tmp_path).stdout == "True\n"
    ours = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    (tmp_path / "sitecustomize.py").write_text(f"import atexit; atexit.register(lambda: exec({ours!r}))")
    shown = subprocess.run(
        [sys.executable, "-m", "sutradhar.pipeline.running.run", "--version"],
        env=os.environ | {"PYTHONPATH": f"{tmp_path}:{ROOT}"}, cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shown.stdout.endswith("False\n")


def test_names_are_there_and_documented() -> None:
    for name in sutradhar.__all__:
        value = getattr(sutradhar, name)
        assert name.startswith("__") or value.__doc__
    assert set(sutradhar.__all__) <= set(dir(sutradhar))
    assert not hasattr(sutradhar, "pandas")
