"""The scripts in a tree of their own, with a Python and a uv that only write down what they are asked."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import ROOT

PYTHON = f"""#!/bin/sh
log="$(dirname "$0")/log"
[ -e "$log" ] || log="$(dirname "$0")/../../log"
case "$1 $2" in
  "-m venv") mkdir -p "$3/bin" "$3/lib/python3.11/site-packages" && cp "$0" "$3/bin/python" && cp "$(dirname "$0")/uv" "$3/bin/uv" && echo created >>"$log" ;;
  "-m pip") [ "$3" = config ] || [ ! -e "$(dirname "$log")/broken" ] ;;
  "-m sutradhar."*)
    printf '%s|' "$@" "$PWD" "$PYTHONPATH" "$PYTHONSAFEPATH" >>"$log"; echo >>"$log"
    case "$3" in choose) cat "$(dirname "$log")/mlx build" ;; verify) [ ! -e "$(dirname "$log")/mlx broken" ] ;; fetch) [ ! -e "$(dirname "$log")/no network" ] ;; *) echo "$2" ;; esac ;;
  *) exec {sys.executable} "$@" ;;
esac
"""
UV = """#!/bin/sh
tree="$(dirname "$0")/../.."
case "$*" in *--dry-run*) [ -e "$tree/gone" ] || echo "Would make no changes"; exit 0 ;; esac
echo "uv $*" >>"$tree/log"
[ ! -e "$tree/slow" ] || sleep 60
case "$*" in *--reinstall*) [ -e "$tree/mlx beyond repair" ] || rm -f "$tree/mlx broken" ;; esac
case "$*" in *" --target "*) mkdir -p "${*##* --target }" ;; esac
[ ! -e "$tree/broken" ]
"""
WRAPPER = """#!/usr/bin/env bash
set -euo pipefail
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/scripts/env.sh"
run_module sutradhar.pipeline.prepare.prepare "$@"
"""


@dataclass
class Tree:
    root: Path

    @property
    def env(self) -> dict[str, str]:
        return {"PATH": f"{self.root / 'system'}:{os.environ['PATH']}", "PYTHON": str(self.root / "python3")}

    def run(self, *command: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=self.env, cwd=cwd or self.root, capture_output=True, text=True, timeout=30)

    def bootstrap(self, *options: str) -> subprocess.CompletedProcess[str]:
        return self.run(self.root / "scripts" / "bootstrap.sh", *options)

    def install_mlx(self, *options: str) -> subprocess.CompletedProcess[str]:
        return self.run(self.root / "install-mlx.sh", *options)

    def system(self, **answers: str) -> None:
        """Have programs that tell about the system print something else, or fail where it is empty."""
        (self.root / "system").mkdir(exist_ok=True)
        for name, answer in answers.items():
            (self.root / "system" / name).write_text(f"#!/bin/sh\n[ -n '{answer}' ] && echo '{answer}'\n")
            (self.root / "system" / name).chmod(0o755)

    def done(self) -> list[str]:
        """What was asked of Python and uv since the last call, in a word each."""
        lines = (self.root / "log").read_text().splitlines()
        (self.root / "log").write_text("")
        words = {
            "created": "venv",
            "run.txt": "run",
            "eval.txt": "eval",
            "dev.txt": "dev",
            "mlx.txt": "mlx",
            ".mlx-alone.txt": "mlx again",
            "mlx.build|choose": "choose",
            "mlx-cuda13.txt": "cuda",
            "mlx.build|verify": "verify",
            "sutradhar.pipeline.models.command|fetch|base|": "model",
            "sutradhar.pipeline.machine.command": "hardware",
        }
        return [name for line in lines for word, name in words.items() if word in line]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    root = tmp_path / "a tree"
    shutil.copytree(ROOT / "scripts", root / "scripts")
    (root / "requirements").mkdir()
    for name, line in (
        ("run", "torch==2.8.0\nnvidia-nccl-cu12==2.27.3\nnvidia-ml-py==13.0"),
        ("eval", "jiwer==4.0.0"),
        ("dev", "pytest==9.2.0"),
        ("mlx", "jinja2==3.1.6\nmlx==0.32.4\nmlx-whisper==0.4.3\nnumba==0.68.1"),
        ("mlx-cuda13", "mlx-cuda-13==0.32.4"),
    ):
        (root / "requirements" / f"{name}.txt").write_text(f"{line}\n")
    for name, text in (
        ("python3", PYTHON),
        ("uv", UV),
        ("prepare-job.sh", WRAPPER),
        ("log", ""),
        ("mlx build", "cpu\n"),
    ):
        (root / name).write_text(text)
        (root / name).chmod(0o755)
    shutil.copy(ROOT / "install-mlx.sh", root)
    # The set-up asks for 10 GB of disk, which a machine that only runs tests may not have.
    script = (root / "scripts" / "bootstrap.sh").read_text()
    (root / "scripts" / "bootstrap.sh").write_text(
        script.replace("NEEDED_GB=10", "NEEDED_GB=0").replace("check_disk 5", "check_disk 0")
    )
    made = Tree(root)
    made.system(getconf="glibc 2.36", sysctl="1", sw_vers="15.1")
    return made
