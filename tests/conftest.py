from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from sutradhar.pipeline.machine import hardware
from sutradhar.pipeline.machine.probe import Probe

ROOT = Path(__file__).parent.parent
FAKES = ROOT / "tests" / "fakes"


@pytest.fixture(autouse=True)
def _keeps_the_umask() -> Iterator[None]:
    """Commands that are called within this process make it private."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)


@pytest.fixture
def root() -> Path:
    return ROOT


def probed(name: str) -> Probe:
    """A machine of `tests/data/probes/`."""
    return msgspec.json.decode((ROOT / "tests" / "data" / "probes" / f"{name}.json").read_bytes(), type=Probe)


@pytest.fixture
def on_machine(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Probe]:
    """Stand on a machine of `tests/data/probes/`, whatever this one has."""

    def stand_on(name: str) -> Probe:
        facts = probed(name)
        monkeypatch.setattr(hardware, "probe", lambda: facts)
        monkeypatch.setattr(hardware, "probe_machine", lambda: facts)
        return facts

    return stand_on


@pytest.fixture
def fake_stages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Child processes find the stages of tests/fakes. The working directory comes before PYTHONPATH, so leave the project's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"{FAKES}:{ROOT}")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert sys.version_info >= (3, 10)
