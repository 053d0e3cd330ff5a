"""A shard as a command; what several do together is in test_corpus_workflow.py."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.jobs import envfile
from sutradhar.pipeline.jobs.job import Job, Request
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.workspace import Workspace
from sutradhar.stages.corpus.recognise import shard


def test_a_damaged_model_is_refused_before_anything_is_recognised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise UsageError("base/model.bin is damaged")

    request = Request(job_id="calls-1", media=str(tmp_path), media_record=None, duration_ms=0, created_at="2026-01-01")
    Job.create(
        Workspace(tmp_path), request, envfile.render(Settings(WORKFLOW="corpus", SOURCE_LANGUAGE="en"), "Job", {})
    )
    monkeypatch.setenv("SUTRADHAR_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["shard", "calls-1", "0", "1"])
    monkeypatch.setattr(shard.JobModels, "resolve", lambda *_: None)
    monkeypatch.setattr(shard.integrity, "check_content", refuse)
    assert shard.main() == 2
    assert "base/model.bin is damaged" in capsys.readouterr().err
