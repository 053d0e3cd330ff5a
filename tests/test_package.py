"""The package, built and installed as its user would have it: without the network, beside the packages that are here."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from packaging.requirements import Requirement

from tests.conftest import ROOT

pytestmark = [
    pytest.mark.skipif(not importlib.util.find_spec("setuptools"), reason="needs setuptools"),
    pytest.mark.skipif(not importlib.util.find_spec("pip"), reason="needs pip"),
]
BUILD_SDIST = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"


def run(*command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SUTRADHAR_"))}
    return subprocess.run(command, cwd=cwd, env=kept | environment, capture_output=True, text=True, check=False)


def copied(target: Path) -> Path:
    """Copy what a clone holds, links as links."""
    target.mkdir()
    for name in ("pipeline", "stages", "sutradhar", "requirements"):
        shutil.copytree(
            ROOT / name, target / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
        )
    for name in ("pyproject.toml", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, target)
    return target


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the package was installed, by way of an sdist and a wheel."""
    folder = tmp_path_factory.mktemp("package")
    source, site = copied(folder / "clone"), folder / "site"
    built = run(sys.executable, "-c", BUILD_SDIST, str(folder / "dist"), cwd=source)
    assert built.returncode == 0, built.stderr
    (sdist,) = (folder / "dist").iterdir()
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", str(site))
    done = run(sys.executable, "-m", "pip", "install", *options, str(sdist), cwd=folder)
    assert done.returncode == 0, done.stderr
    return site


def test_one_name_is_installed_and_nothing_beside_it(site: Path) -> None:
    names = {path.name for path in site.iterdir()} - {"bin"}  # the command, which --target puts there
    (version,) = (path.version for path in importlib.metadata.distributions(path=[str(site)]))
    assert names == {"sutradhar", f"sutradhar-{version}.dist-info"}
    assert [path.name for path in (site / "bin").iterdir()] == ["sutradhar"]
    assert not any(path.is_symlink() for path in (site / "sutradhar").rglob("*"))


def test_all_that_the_code_reads_is_installed(site: Path) -> None:
    def files(root: Path) -> set[str]:
        return {
            str(path.relative_to(root))
            for path in root.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }

    here = {f"{name}/{path}" for name in ("pipeline", "stages") for path in files(ROOT / name)}
    here |= {path for path in files(ROOT / "sutradhar") if "/" not in path}
    assert files(site / "sutradhar") == here


def test_the_package_asks_for_what_run_in_names(site: Path) -> None:
    (installed,) = importlib.metadata.distributions(path=[str(site)])
    lines = (line.partition("#")[0].strip() for line in (ROOT / "requirements" / "run.in").read_text().splitlines())
    asked = {str(Requirement(line)) for line in installed.requires or [] if "extra ==" not in line}
    assert asked == {str(Requirement(line)) for line in lines if line}
    assert set(installed.metadata.get_all("Provides-Extra") or []) == {"eval", "mlx", "ray"}


def test_what_a_wheel_leaves_is_no_part_of_the_project() -> None:
    assert {"/build/", "*.egg-info/"} <= set((ROOT / ".gitignore").read_text().splitlines())


@pytest.mark.skipif(not (ROOT / "models" / "base").is_dir(), reason="needs models/base")
def test_the_readmes_example_runs_in_an_empty_folder(site: Path, tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "empty"
    (home / "sutradhar").mkdir(parents=True)
    folder.mkdir()
    (home / "sutradhar" / "models").symlink_to(ROOT / "models")
    shutil.copy(ROOT / "samples" / "dialogue.mp4", folder / "film.mkv")
    code = dedent((ROOT / "README.md").read_text().split("### Use it from Python\n")[1].split("\nIt works in")[0])
    where = {"PYTHONPATH": str(site), "XDG_DATA_HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    done = run(sys.executable, "-c", code, cwd=folder, **where)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("27.52 27.52\nen Good morning, Daniel, have you watched the new film yet?")
    assert "none.wav none.wav does not exist" in done.stdout
    assert done.stdout.count("film.mkv ") == 1
    assert (folder / "film.srt").read_text().startswith("1\n00:00:00,")
    assert sorted(path.name for path in folder.iterdir()) == ["film.mkv", "film.srt"]
    command = (sys.executable, str(site / "bin" / "sutradhar"))
    assert run(*command, "run", "-j", "none", cwd=folder, **where).stdout.endswith(
        "sutradhar run --list shows what there is\n"
    )
    job = run(*command, "prepare", "film.mkv", "--transcribe", "-s", "en", "--end", "8", "--run", cwd=folder, **where)
    assert job.returncode == 0, job.stderr
    assert (home / "sutradhar" / "out" / job.stdout.strip() / "film.en.srt").is_file()
