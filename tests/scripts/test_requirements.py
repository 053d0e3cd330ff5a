"""requirements/*.txt pin everything, with hashes, and name no registry."""

from __future__ import annotations

import re

import pytest
from packaging.requirements import Requirement

from tests.conftest import ROOT

PIN = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[\w.]+)( ; .+?)?(?P<hashes>( --hash=sha256:[0-9a-f]{64})+)")
SETS = sorted(path.stem for path in (ROOT / "requirements").glob("*.txt"))


def pins(name: str) -> set[tuple[str, str]]:
    lines = (ROOT / "requirements" / f"{name}.txt").read_text().replace(" \\\n    ", " ").splitlines()
    found = [PIN.fullmatch(line) for line in lines]
    assert [line for line, pin in zip(lines, found, strict=True) if not pin] == []
    return {(pin["name"], pin["version"]) for pin in found if pin}


def test_every_set_is_pinned_with_hashes() -> None:
    assert SETS == sorted(path.stem for path in (ROOT / "requirements").glob("*.in"))
    assert all(pins(name) for name in SETS)


@pytest.mark.parametrize("name", SETS)
def test_everything_asked_for_is_pinned(name: str) -> None:
    asked = re.findall(r"^[a-z0-9][a-z0-9-]*", (ROOT / "requirements" / f"{name}.in").read_text(), re.MULTILINE)
    assert asked
    assert set(asked) <= {package for package, _ in pins(name)}


def test_the_package_takes_what_was_tested_and_not_the_next_that_changes() -> None:
    lines = (ROOT / "requirements/run.in").read_text().splitlines()
    asked = {one.name: one.specifier for line in lines if (one := _requirement(line))}
    assert all(version in asked[package] for package, version in pins("run") if package in asked)
    newer = {"av": "19.0.2", "ctranslate2": "5.0", "faster-whisper": "1.3.0", "onnxruntime": "2.0", "langcodes": "4.0"}
    assert [package for package, version in newer.items() if version in asked[package]] == []


def _requirement(line: str) -> Requirement | None:
    text = line.partition("#")[0].strip()
    return Requirement(text) if text and ";" not in text else None


@pytest.mark.parametrize("name", [name for name in SETS if name != "run"])
def test_sets_agree_on_versions(name: str) -> None:
    run = pins("run")
    shared = {package for package, _ in run}
    assert {pin for pin in pins(name) if pin[0] in shared} <= run


def test_mlx_is_of_one_version_in_all_its_builds() -> None:
    builds = {
        pin
        for name in ("mlx", "mlx-cuda13")
        for pin in pins(name)
        if pin[0].startswith("mlx") and pin[0] != "mlx-whisper"
    }
    assert {package for package, _ in builds} == {"mlx", "mlx-cpu", "mlx-metal", "mlx-cuda-13"}
    assert len({version for _, version in builds}) == 1
