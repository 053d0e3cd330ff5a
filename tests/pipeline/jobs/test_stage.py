from __future__ import annotations

from pathlib import Path

import pytest

from sutradhar.pipeline.jobs.stage import ModelNeed, Outcome, Stage
from tests.stages.run_stage import StageRun

STAGE = Stage("look", lambda ctx: Outcome(""), keeps=("manifest.jsonl",), trees=("texts",))


def test_what_is_kept_lies_in_the_jobs_folder_and_a_tree_among_the_deliverables(tmp_path: Path) -> None:
    context = StageRun(STAGE, tmp_path, tmp_path).context
    assert context.keep("manifest.jsonl") == tmp_path / "manifest.jsonl"
    assert context.tree("texts") == tmp_path / "texts"


def test_what_is_not_declared_cannot_be_had(tmp_path: Path) -> None:
    context = StageRun(STAGE, tmp_path, tmp_path).context
    with pytest.raises(LookupError, match="stage look does not declare that it reads transcript"):
        context.read("transcript")
    with pytest.raises(LookupError, match="stage look does not declare that it writes windows"):
        context.write("windows")
    with pytest.raises(LookupError, match="stage look does not declare that it uses TITLE"):
        _ = context.settings.TITLE
    with pytest.raises(LookupError, match="stage look does not declare that it keeps results"):
        context.keep("results")
    with pytest.raises(LookupError, match="stage look does not declare that it fills manifest"):
        context.tree("manifest.jsonl")
    with pytest.raises(LookupError, match=r"stage look does not declare that it loads base \(ct2\)"):
        context.model(ModelNeed("base", "ct2"))
