from __future__ import annotations

from pathlib import Path

import pytest

from sutradhar.pipeline import installed, workspace
from sutradhar.pipeline.errors import UsageError


def test_a_clone_names_its_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(installed.AS_COMMAND, raising=False)
    assert str(UsageError("run ./run-pipeline.sh -j a")) == "run ./run-pipeline.sh -j a"


@pytest.mark.parametrize(
    ("in_a_clone", "installed_as"),
    [
        ("./run-pipeline.sh -j JOB goes on", "sutradhar run -j JOB goes on"),
        ("./run-pipeline.sh --status JOB", "sutradhar status JOB"),
        ("Get it: ./scripts/get-model.sh large-v3 --form mlx", "Get it: sutradhar models fetch large-v3 --form mlx"),
        ("(prepare-job.sh --help tells all)", "(sutradhar prepare --help tells all)"),
        ("or run ./install-mlx.sh", 'or run pip install "sutradhar[mlx]"'),
        (
            "/srv/run-pipeline.sh and my-prepare-job.sh are files of others",
            "/srv/run-pipeline.sh and my-prepare-job.sh are files of others",
        ),
    ],
)
def test_an_installation_names_its_command(in_a_clone: str, installed_as: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(installed.AS_COMMAND, "1")
    assert str(UsageError(in_a_clone)) == installed_as


def test_without_a_clone_things_lie_in_the_users_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace, "IS_CLONE", False)
    monkeypatch.delenv("SUTRADHAR_HOME", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert workspace.Workspace.find().models == tmp_path / "sutradhar" / "models"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert workspace.Workspace.find().root.is_relative_to(tmp_path)
    monkeypatch.setenv("SUTRADHAR_HOME", str(tmp_path / "own"))
    assert workspace.Workspace.find().root == tmp_path / "own"
