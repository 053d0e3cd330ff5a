"""A copy of the tree to which a test adds a stage, an engine or a format, as somebody would who works on it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.conftest import ROOT


def copy_of_the_tree(tree: Path) -> Path:
    for name in ("pipeline", "stages", "sutradhar", "scripts"):
        shutil.copytree(ROOT / name, tree / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("prepare-job.sh", "run-pipeline.sh"):
        shutil.copy(ROOT / name, tree)
    for name in (".venv", "models"):
        (tree / name).symlink_to(ROOT / name)
    return tree


def add_line(listed: Path, after: str, name: str) -> None:
    """Put a name into a list of the tree, on a line of its own."""
    text = listed.read_text()
    line = f'    "{after}",\n'
    assert line in text
    listed.write_text(text.replace(line, f'{line}    "{name}",\n', 1))


def shell(tree: Path, command: str, *arguments: str, code: int = 0) -> str:
    """Run a command of the tree. Returns what it printed; where it fails, errors too."""
    environment = os.environ | {"SUTRADHAR_HOME": str(tree)}
    done = subprocess.run(
        [tree / command, *arguments], env=environment, capture_output=True, text=True, check=False, cwd=tree
    )
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr if code else done.stdout


def settings_reference(tree: Path) -> str:
    """Return docs/settings.md as this tree writes it."""
    return shell(tree, ".venv/bin/python", "-m", "sutradhar.pipeline.jobs.settings")
