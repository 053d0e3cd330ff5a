"""What scripts/bootstrap.sh asks of Python and uv, and when."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.scripts.conftest import Tree


def test_sets_up_once_and_then_only_looks_at_the_hardware(tree: Tree) -> None:
    first = tree.bootstrap()
    assert (first.returncode, first.stdout) == (0, "")
    assert tree.done() == ["venv", "run", "model", "hardware"]
    assert tree.bootstrap().returncode == 0
    assert tree.done() == ["model", "hardware"]


def test_fetches_the_starter_model_and_the_detector_of_speech_and_goes_on_without_them(tree: Tree) -> None:
    assert "[WARN]" not in tree.bootstrap().stderr
    fetch = "sutradhar.pipeline.models.command|fetch"
    assert re.findall(rf"{re.escape(fetch)}\|([^|]+)", (tree.root / "log").read_text()) == ["base", "segmentation-3.0"]
    (tree.root / "no network").touch()
    again = tree.bootstrap()
    assert again.returncode == 0
    assert "[WARN] Going on without the starter model; fetch a model later with scripts/get-model.sh\n" in again.stderr
    assert "[WARN] Going on without it: speech is found by Silero alone; fetch it later" in again.stderr


def test_other_sets_are_installed_when_asked_and_stay(tree: Tree) -> None:
    assert tree.bootstrap("--eval", "--dev", "--mlx").returncode == 0
    assert tree.done() == ["venv", "run", "eval", "dev", "mlx", "choose", "verify", "model", "hardware"]
    assert tree.bootstrap("--force").returncode == 0
    assert tree.done() == ["venv", "run", "eval", "dev", "mlx", "model", "hardware"]


def test_changed_requirements_are_installed(tree: Tree) -> None:
    tree.bootstrap()
    tree.done()
    (tree.root / "requirements" / "run.txt").write_text("torch==2.9.0\n")
    assert "requirements/run.txt has changed" in tree.run(tree.root / "prepare-job.sh").stderr
    tree.done()
    tree.bootstrap()
    assert tree.done() == ["run", "model", "hardware"]


def test_packages_that_somebody_took_away_are_put_back(tree: Tree) -> None:
    tree.bootstrap()
    tree.done()
    (tree.root / "gone").touch()
    assert "[INFO] Packages are missing in .venv; putting them back ..." in tree.bootstrap().stderr
    assert tree.done() == ["run", "model", "hardware"]


def test_a_killed_set_up_is_made_anew(tree: Tree) -> None:
    (tree.root / "slow").touch()
    child = subprocess.Popen(
        [tree.root / "scripts" / "bootstrap.sh"], env=tree.env, stderr=subprocess.DEVNULL, start_new_session=True
    )
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


def test_refuses_what_it_cannot_work_with(tree: Tree) -> None:
    assert tree.bootstrap("--bogus").returncode == 2
    (tree.root / "python3").write_text("#!/bin/sh\nexit 1\n")
    without_python = tree.bootstrap()
    assert without_python.returncode == 1
    assert "it must be a Python from 3.10 to 3.13" in without_python.stderr


def test_help_sets_nothing_up(tree: Tree) -> None:
    shown = tree.bootstrap("--help")
    assert shown.returncode == 0
    assert "--force" in shown.stdout
    assert not (tree.root / ".venv").exists()


@pytest.mark.parametrize(
    ("script", "module"),
    [("prepare-job.sh", "sutradhar.pipeline.prepare.prepare"), ("run-pipeline.sh", "sutradhar.pipeline.running.run")],
)
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_is_the_same_without_an_environment(script: str, module: str, option: str, tree: Tree) -> None:
    for package in ("pipeline", "stages", "sutradhar"):
        shutil.copytree(ROOT / package, tree.root / package, symlinks=True)
    for name in {script, "run-pipeline.sh"}:  # by the latter a clone is known
        shutil.copy(ROOT / name, tree.root)
    shown = tree.run(tree.root / script, "film.mkv", option)
    with_environment = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, with_environment.stdout, "")
    assert not (tree.root / ".venv").exists()


def test_help_sets_up_where_it_needs_more_than_python(tree: Tree) -> None:
    shown = tree.run(tree.root / "prepare-job.sh", "--help")  # there is no sutradhar/ in this tree
    assert shown.stderr.startswith("[INFO] First run: setting up .venv")
    assert tree.done()[0] == "venv"


def test_a_film_called_help_is_no_request_for_it(tree: Tree) -> None:
    assert tree.run(tree.root / "prepare-job.sh", "--", "--help").stderr.startswith(
        "[INFO] First run: setting up .venv"
    )


def test_a_wrapper_works_from_anywhere_and_sets_up_first(tree: Tree, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tree.root / "prepare-job.sh")
    first = tree.run(link, "a film.mkv", "", cwd=tmp_path)
    assert (first.returncode, first.stdout) == (0, "sutradhar.pipeline.prepare.prepare\n")
    assert first.stderr.startswith("[INFO] First run: setting up .venv (scripts/bootstrap.sh)\n")
    assert (tree.root / "log").read_text().splitlines()[
        -1
    ] == f"-m|sutradhar.pipeline.prepare.prepare|a film.mkv||{tmp_path}|{tree.root}|1|"
    second = tree.run(link, cwd=tmp_path)
    assert (second.returncode, second.stderr) == (0, "")


@pytest.mark.skipif(sys.platform != "linux", reason="the system has to do it")
def test_a_set_up_for_a_command_ends_with_it(tree: Tree) -> None:
    (tree.root / "slow").touch()
    command = subprocess.Popen([tree.root / "prepare-job.sh"], env=tree.env, stderr=subprocess.DEVNULL)
    while not (tree.root / "log").exists() or "--requirement" not in (tree.root / "log").read_text():
        time.sleep(0.01)
    command.kill()
    command.wait()
    until = time.monotonic() + 20
    while left := [
        line
        for line in subprocess.run(["ps", "-Ao", "args"], capture_output=True, text=True).stdout.splitlines()
        if str(tree.root) in line
    ]:
        assert time.monotonic() < until, left
        time.sleep(0.1)


def test_a_venv_whose_python_cannot_be_run_is_told_in_one_line(tree: Tree) -> None:
    tree.bootstrap()
    python = tree.root / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to(tree.root / "gone")
    broken = tree.run(tree.root / "prepare-job.sh", "film.mkv")
    assert (broken.returncode, broken.stdout) == (2, "")
    assert broken.stderr == f"[ERROR] {python} cannot be run: scripts/bootstrap.sh makes .venv anew\n"


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs another user")
def test_who_may_not_run_the_python_of_a_shared_clone_is_told_of_sutradhar_home(tree: Tree, tmp_path: Path) -> None:
    tree.bootstrap()
    python, private = tree.root / ".venv" / "bin" / "python", tmp_path / "private"
    private.mkdir(mode=0o700)
    python.rename(private / "python")
    python.symlink_to(private / "python")
    for folder in (tree.root, *tree.root.parents[:4]):
        if folder != Path(tempfile.gettempdir()):
            folder.chmod(0o755)
    other = tree.run("setpriv", "--reuid=65534", "--clear-groups", str(tree.root / "prepare-job.sh"), "film.mkv")
    way = (
        "set SUTRADHAR_HOME to a folder of your own (export SUTRADHAR_HOME=~/sutradhar), and run the same command again"
    )
    assert (other.returncode, other.stdout, other.stderr) == (2, "", f"[ERROR] {python} may not be run by you: {way}\n")


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs another user")
@pytest.mark.parametrize(("option", "code"), [("", 0), ("--dev", 2), ("--force", 2)])
def test_packages_of_a_shared_clone_are_used_and_left_to_its_owner(
    tree: Tree, tmp_path: Path, option: str, code: int
) -> None:
    tree.bootstrap()
    tree.done()
    for folder in (tree.root, *tree.root.parents[:4]):
        if folder != Path(tempfile.gettempdir()):
            folder.chmod(0o755)
    (tree.root / "log").chmod(0o666)
    mine = tmp_path / "mine"
    mine.mkdir()
    mine.chmod(0o777)
    command = [
        "setpriv",
        "--reuid=65534",
        "--clear-groups",
        "env",
        f"SUTRADHAR_HOME={mine}",
        str(tree.root / "scripts/bootstrap.sh"),
    ]
    other = tree.run(*command, *filter(None, [option]))
    assert other.returncode == code, other.stderr
    if code:
        again = f"whoever owns {tree.root} has to run the same command there"
        assert other.stderr == f"[ERROR] {tree.root}/.venv is not yours, and lacks what was asked for: {again}\n"
    else:
        assert tree.done() == ["model", "hardware"]


def test_a_python_of_ones_choice_that_will_not_do_is_named(tree: Tree) -> None:
    (tree.root / "python3").write_text("#!/bin/sh\necho Python 3.9.2; exit 1\n")
    refused = tree.bootstrap()
    assert refused.returncode == 1
    assert (
        f"PYTHON={tree.root}/python3 cannot be used (Python 3.9.2): it must be a Python from 3.10 to 3.13"
        in refused.stderr
    )


@pytest.mark.parametrize("option", ["--list", "--status", "--status=film"])
def test_looking_at_jobs_sets_nothing_up(option: str, tree: Tree) -> None:
    shutil.copy(ROOT / "run-pipeline.sh", tree.root)
    looked = tree.run(tree.root / "run-pipeline.sh", option)
    assert (looked.returncode, looked.stdout, looked.stderr.count("\n")) == (2, "", 1)
    assert looked.stderr.startswith("[ERROR] Nothing is set up yet: run scripts/bootstrap.sh first")
    assert not (tree.root / ".venv").exists()
