"""The scripts in a tree of their own, with a Python and a uv that only write down what they are asked."""

from __future__ import annotations

import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import ROOT

PYTHON = f"""#!/bin/sh
log="$(dirname "$0")/log"
[ -e "$log" ] || log="$(dirname "$0")/../../log"
case "$1 $2" in
  "-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && cp "$(dirname "$0")/uv" "$3/bin/uv" && echo created >>"$log" ;;
  "-m pipeline."*) printf '%s|' "$@" "$PWD" "$PYTHONPATH" "$PYTHONSAFEPATH" >>"$log"; echo >>"$log"; echo "$2" ;;
  *) exec {sys.executable} "$@" ;;
esac
"""
UV = """#!/bin/sh
tree="$(dirname "$0")/../.."
echo "uv $*" >>"$tree/log"
case "$*" in *--dry-run*) exit 1 ;; esac
[ ! -e "$tree/slow" ] || sleep 60
[ ! -e "$tree/broken" ]
"""
WRAPPER = """#!/usr/bin/env bash
set -euo pipefail
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/scripts/env.sh"
run_module pipeline.prepare "$@"
"""


@dataclass
class Tree:
    root: Path

    @property
    def env(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "PYTHON": str(self.root / "python3")}

    def run(self, *command: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=self.env, cwd=cwd or self.root, capture_output=True, text=True, timeout=30)

    def bootstrap(self, *options: str) -> subprocess.CompletedProcess[str]:
        return self.run(self.root / "scripts" / "bootstrap.sh", *options)

    def done(self) -> list[str]:
        """What was asked of Python and uv since the last call, in a word each."""
        lines = (self.root / "log").read_text().splitlines()
        (self.root / "log").write_text("")
        words = {"created": "venv", "run.txt": "run", "dev.txt": "dev", "mlx.txt": "mlx", "pipeline.models": "model", "pipeline.hardware": "hardware"}
        return [name for line in lines if "--dry-run" not in line for word, name in words.items() if word in line]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    root = tmp_path / "a tree"
    shutil.copytree(ROOT / "scripts", root / "scripts")
    (root / "requirements").mkdir()
    for name, line in (("run", "torch==2.8.0\nnvidia-nccl-cu12==2.27.3\nnvidia-ml-py==13.0"), ("dev", "pytest==9.2.0"), ("mlx", "mlx==0.32.4")):
        (root / "requirements" / f"{name}.txt").write_text(f"{line}\n")
    for name, text in (("python3", PYTHON), ("uv", UV), ("prepare-job.sh", WRAPPER), ("log", "")):
        (root / name).write_text(text)
        (root / name).chmod(0o755)
    # The set-up asks for 10 GB of disk, which a machine that only runs tests may not have.
    (root / "scripts" / "bootstrap.sh").write_text((root / "scripts" / "bootstrap.sh").read_text().replace("NEEDED_GB=10", "NEEDED_GB=0"))
    return Tree(root)


def test_sets_up_once_and_then_only_looks_at_the_hardware(tree: Tree) -> None:
    first = tree.bootstrap()
    assert (first.returncode, first.stdout) == (0, "")
    assert tree.done() == ["venv", "run", "model", "hardware"]
    assert tree.bootstrap().returncode == 0
    assert tree.done() == ["model", "hardware"]


def test_other_sets_are_installed_when_asked_and_stay(tree: Tree) -> None:
    assert tree.bootstrap("--dev", "--mlx").returncode == 0
    assert tree.done() == ["venv", "run", "dev", "mlx", "model", "hardware"]
    assert tree.bootstrap("--force").returncode == 0
    assert tree.done() == ["venv", "run", "dev", "mlx", "model", "hardware"]


def test_changed_requirements_are_installed(tree: Tree) -> None:
    tree.bootstrap()
    tree.done()
    (tree.root / "requirements" / "run.txt").write_text("torch==2.9.0\n")
    assert "requirements/run.txt has changed" in tree.run(tree.root / "prepare-job.sh").stderr
    tree.done()
    tree.bootstrap()
    assert tree.done() == ["run", "model", "hardware"]


def test_a_killed_set_up_is_made_anew(tree: Tree) -> None:
    (tree.root / "slow").touch()
    child = subprocess.Popen([tree.root / "scripts" / "bootstrap.sh"], env=tree.env, stderr=subprocess.DEVNULL, start_new_session=True)
    while "--requirement" not in (tree.root / "log").read_text():
        time.sleep(0.01)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    (tree.root / "slow").unlink()
    tree.done()
    again = tree.bootstrap()
    assert "[INFO] The last set-up was interrupted; making .venv anew" in again.stderr
    assert tree.done() == ["venv", "run", "model", "hardware"]


def test_a_set_up_that_fails_says_so_and_is_tried_again(tree: Tree) -> None:
    (tree.root / "broken").touch()
    failed = tree.bootstrap()
    assert failed.returncode == 1
    assert "[ERROR] Packages could not be installed" in failed.stderr
    (tree.root / "broken").unlink()
    tree.done()
    assert tree.bootstrap().returncode == 0
    assert tree.done() == ["venv", "run", "model", "hardware"]


def test_an_update_that_fails_keeps_the_venv_that_worked(tree: Tree) -> None:
    tree.bootstrap()
    (tree.root / "broken").touch()
    assert tree.bootstrap("--dev").returncode == 1
    tree.done()
    assert tree.bootstrap().returncode == 0
    assert tree.done() == ["model", "hardware"]


def test_two_at_once_set_up_once(tree: Tree) -> None:
    command = [tree.root / "scripts" / "bootstrap.sh"]
    children = [subprocess.Popen(command, env=tree.env, stderr=subprocess.DEVNULL) for _ in range(2)]
    assert [child.wait(timeout=30) for child in children] == [0, 0]
    assert sorted(tree.done()) == ["hardware", "hardware", "model", "model", "run", "venv"]


@pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64") or any(map(os.path.exists, ("/dev/nvidia0", "/dev/dxg"))),
    reason="only Linux without an NVIDIA GPU takes PyTorch's CPU build",
)
def test_takes_the_cpu_build_of_pytorch_where_its_index_answers(tree: Tree) -> None:
    (tree.root / "uv").write_text(UV.replace("exit 1", "exit 0"))
    tree.bootstrap()
    assert f"--torch-backend cpu --requirement {tree.root}/.venv/.without-cuda.txt" in (tree.root / "log").read_text()
    assert (tree.root / ".venv" / ".without-cuda.txt").read_text() == "torch==2.8.0\nnvidia-ml-py==13.0\n"


def test_refuses_what_it_cannot_work_with(tree: Tree) -> None:
    assert tree.bootstrap("--bogus").returncode == 2
    (tree.root / "python3").write_text("#!/bin/sh\nexit 1\n")
    without_python = tree.bootstrap()
    assert without_python.returncode == 1
    assert "[ERROR] No Python 3.10 to 3.13 found" in without_python.stderr


def test_help_sets_nothing_up(tree: Tree) -> None:
    shown = tree.bootstrap("--help")
    assert shown.returncode == 0
    assert "--force" in shown.stdout
    assert not (tree.root / ".venv").exists()


def test_a_wrapper_works_from_anywhere_and_sets_up_first(tree: Tree, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tree.root / "prepare-job.sh")
    first = tree.run(link, "a film.mkv", "", cwd=tmp_path)
    assert (first.returncode, first.stdout) == (0, "pipeline.prepare\n")
    assert first.stderr.startswith("[INFO] First run: setting up .venv (scripts/bootstrap.sh)\n")
    assert (tree.root / "log").read_text().splitlines()[-1] == f"-m|pipeline.prepare|a film.mkv||{tmp_path}|{tree.root}|1|"
    second = tree.run(link, cwd=tmp_path)
    assert (second.returncode, second.stderr) == (0, "")
