from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FAKES = ROOT / "tests" / "fakes"


@pytest.fixture
def root() -> Path:
    return ROOT


@pytest.fixture
def fake_stages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Child processes find the stages of tests/fakes. The working directory comes before PYTHONPATH, so leave the project's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"{FAKES}:{ROOT}")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert sys.version_info >= (3, 10)
