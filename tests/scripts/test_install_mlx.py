"""What install-mlx.sh asks of Python and uv, in which order, and what it leaves where that fails."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time

import psutil
import pytest

from tests.scripts.conftest import Tree


def test_installs_verifies_and_then_looks_at_the_hardware(tree: Tree) -> None:
    first = tree.install_mlx()
    assert (first.returncode, first.stdout) == (0, "")
    assert tree.done() == ["venv", "run", "mlx", "choose", "verify", "model", "hardware"]
    assert first.stderr.endswith("[INFO] Ready. Next: ./prepare-job.sh FILM --transcribe -s LANGUAGE\n")
    assert tree.install_mlx().returncode == 0
    assert tree.done() == ["choose", "verify", "model", "hardware"]


def test_the_build_for_cuda_lies_apart_and_comes_first(tree: Tree) -> None:
    (tree.root / "mlx build").write_text("cuda13\n")
    folder, path = (
        tree.root / ".venv" / "mlx-cuda13",
        tree.root / ".venv" / "lib" / "python3.11" / "site-packages" / "mlx-cuda13.pth",
    )
    assert tree.install_mlx().returncode == 0
    assert (
        f"--requirement {tree.root}/requirements/mlx-cuda13.txt --no-deps --target {folder}.new\n"
        in (tree.root / "log").read_text()
    )
    assert tree.done() == ["venv", "run", "mlx", "choose", "cuda", "verify", "model", "hardware"]
    assert folder.is_dir()
    assert path.read_text() == 'import sys; sys.path.insert(0, sys.prefix + "/mlx-cuda13")\n'
    tree.install_mlx()
    assert tree.done() == ["choose", "verify", "model", "hardware"]
    tree.bootstrap("--force")
    assert tree.done() == ["venv", "run", "mlx", "cuda", "model", "hardware"]
    (tree.root / "mlx build").write_text("cpu\n")
    tree.install_mlx()
    assert tree.done() == ["choose", "verify", "model", "hardware"]
    assert not folder.exists()
    assert not path.exists()


@pytest.mark.parametrize("fault", ["broken", "mlx broken"], ids=["no packages", "MLX does not compute"])
def test_what_fails_leaves_the_hardware_cache_and_says_so(fault: str, tree: Tree) -> None:
    tree.bootstrap()
    tree.done()
    (tree.root / fault).touch()
    failed = tree.install_mlx()
    assert failed.returncode == 1
    assert failed.stderr.endswith(
        f"[WARN] MLX was not set up, and {tree.root}/out/hardware_cache.json was left as it was\n"
    )
    assert "hardware" not in tree.done()
    (tree.root / fault).unlink()
    assert tree.install_mlx().returncode == 0
    assert tree.done()[-1] == "hardware"


def test_what_was_damaged_meanwhile_is_installed_anew(tree: Tree) -> None:
    """MLX's own packages alone, not the 7 GB that they share the environment with."""
    tree.install_mlx()
    (tree.root / "mlx broken").touch()
    tree.done()
    repaired = tree.install_mlx()
    assert repaired.returncode == 0
    assert "[INFO] The MLX that is installed does not work; installing it anew ...\n" in repaired.stderr
    assert "--no-deps --reinstall" in (tree.root / "log").read_text()
    assert tree.done() == ["choose", "verify", "mlx again", "verify", "model", "hardware"]
    assert (tree.root / ".venv" / ".mlx-alone.txt").read_text() == "mlx==0.32.4\nmlx-whisper==0.4.3\n"
    assert tree.install_mlx().returncode == 0
    assert tree.done() == ["choose", "verify", "model", "hardware"]


def test_a_build_for_cuda_is_installed_anew_too(tree: Tree) -> None:
    (tree.root / "mlx build").write_text("cuda13\n")
    tree.install_mlx()
    (tree.root / "mlx broken").touch()
    tree.done()
    assert tree.install_mlx().returncode == 0
    assert tree.done() == ["choose", "verify", "mlx again", "cuda", "verify", "model", "hardware"]


def test_what_cannot_be_repaired_is_tried_once(tree: Tree) -> None:
    tree.install_mlx()
    (tree.root / "mlx broken").touch()
    (tree.root / "mlx beyond repair").touch()
    tree.done()
    assert tree.install_mlx().returncode == 1
    assert tree.done() == ["choose", "verify", "mlx again", "verify"]


def names_below(child: subprocess.Popen[str]) -> set[str]:
    """Of its processes, but those that end meanwhile."""
    found = set()
    for process in psutil.Process(child.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            found.add(process.name())
    return found


@pytest.mark.parametrize(
    ("command", "again"),
    [(["install-mlx.sh"], "./install-mlx.sh"), (["scripts/bootstrap.sh", "--dev"], "the same command")],
)
def test_an_interruption_is_said_and_keeps_what_works(command: list[str], again: str, tree: Tree) -> None:
    tree.bootstrap()
    tree.done()
    (tree.root / "slow").touch()
    child = subprocess.Popen(
        [tree.root / command[0], *command[1:]], env=tree.env, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    while "sleep" not in names_below(child):
        time.sleep(0.01)
    assert "--requirement" in (tree.root / "log").read_text()
    os.killpg(child.pid, signal.SIGINT)
    _, said = child.communicate(timeout=30)
    assert child.returncode == 130
    assert f"[ERROR] Interrupted; run {again} again to go on\n" in said
    (tree.root / "slow").unlink()
    tree.done()
    assert tree.install_mlx().returncode == 0
    assert "venv" not in tree.done()


def test_a_build_for_cuda_that_cannot_be_had_leaves_what_works(tree: Tree) -> None:
    tree.install_mlx()
    (tree.root / "mlx build").write_text("cuda13\n")
    (tree.root / "broken").touch()
    assert tree.install_mlx().returncode == 1
    assert not (tree.root / ".venv" / "mlx-cuda13").exists()
    tree.done()
    assert tree.bootstrap().returncode == 0
    assert tree.done() == ["model", "hardware"]


@pytest.mark.parametrize(
    ("system", "message"),
    [
        (
            {"uname": "Darwin", "sysctl": "1", "sw_vers": "13.6.1"},
            "MLX needs macOS 14 or newer, and this is 13.6.1. Update macOS",
        ),
        ({"uname": "Darwin", "sysctl": ""}, "MLX needs Apple Silicon, and this Mac has an Intel processor"),
        (
            {"uname": "Linux", "getconf": "glibc 2.31"},
            "MLX's wheels need glibc 2.35 (Ubuntu 22.04, Debian 12), and this is 2.31",
        ),
        ({"uname": "Linux", "getconf": ""}, "MLX's wheels need glibc, which this Linux does not use"),
        (
            {"uname": "Linux", "getconf": "glibc 2.41"},
            "MLX has no wheels for processors of the kind Linux, only for x86_64 and aarch64",
        ),
        ({"uname": "MINGW64_NT-10.0"}, "MLX runs on macOS and Linux; on Windows use WSL 2"),
    ],
    ids=["old macOS", "Intel Mac", "old glibc", "musl", "other processor", "Windows"],
)
def test_refuses_a_system_that_mlx_is_not_made_for(system: dict[str, str], message: str, tree: Tree) -> None:
    tree.system(**system)
    refused = tree.install_mlx()
    assert refused.returncode == 2
    assert f"[ERROR] {message}" in refused.stderr
    assert not (tree.root / ".venv").exists()


def test_help_and_unknown_options_install_nothing(tree: Tree) -> None:
    shown = tree.install_mlx("--help")
    assert shown.returncode == 0
    assert "exit codes: 0 installed and computing" in shown.stdout
    unknown = tree.install_mlx("--bogus")
    assert (unknown.returncode, unknown.stderr) == (2, "[ERROR] Unknown option --bogus; see ./install-mlx.sh --help\n")
    assert not (tree.root / ".venv").exists()
