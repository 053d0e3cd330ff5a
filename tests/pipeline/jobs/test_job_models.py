from __future__ import annotations

from pathlib import Path

import pytest

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.jobs.job import Job, Request
from sutradhar.pipeline.jobs.job_models import JobModels
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.jobs.stage import ModelNeed
from sutradhar.pipeline.workspace import Workspace
from tests.pipeline.models.test_integrity import make_model

BASE = ModelNeed("base", "ct2")


@pytest.fixture
def models(tmp_path: Path) -> JobModels:
    make_model(tmp_path / "models" / "base", ours=False)
    request = Request(job_id="test-1", media="film.mkv", media_record=None, duration_ms=0, created_at="2026-01-01")
    return JobModels(Job(Workspace(tmp_path), request), Settings(OFFLINE=True))


def places(models: JobModels) -> list[str]:
    return [found.path.name for found in (models.find(BASE), models.resolve(BASE, print)) if found]


def test_a_model_that_was_found_is_the_one_meant_to_the_end_whatever_comes_beside_it(
    models: JobModels, tmp_path: Path
) -> None:
    assert places(models) == ["base", "base"]
    make_model(tmp_path / "models" / "base-ct2", ours=False)  # where a new search would find it first
    assert places(models) == ["base", "base"]


def test_a_model_that_was_taken_away_is_looked_for_anew(models: JobModels, tmp_path: Path) -> None:
    folder = tmp_path / "models" / "base"
    assert places(models) == ["base", "base"]
    folder.rename(tmp_path / "models" / "base-ct2")
    assert places(models) == ["base-ct2", "base-ct2"]
    folder.with_name("base-ct2").rename(tmp_path / "elsewhere")
    assert models.find(BASE) is None
    with pytest.raises(UsageError, match=r"^Model 'base' is not in models/ and OFFLINE is on\."):
        models.resolve(BASE, print)
