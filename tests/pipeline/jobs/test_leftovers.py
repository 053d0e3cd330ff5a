"""Half of things, made by processes that live or were killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from sutradhar.pipeline.jobs.leftovers import sweep, sweep_workspace
from sutradhar.pipeline.workspace import Workspace
from tests.conftest import ROOT

MAKES_A_MODEL = """
import sys, time
from pathlib import Path
from sutradhar.pipeline.models.downloads import place_for
with place_for(Path(sys.argv[1]), "mlx", print) as place:
    (place / "half").write_text("x")
    print("here", flush=True)
    time.sleep(60)
"""


def test_a_model_that_nobody_makes_any_more_is_removed_and_a_download_stays(tmp_path: Path) -> None:
    workspace, models = Workspace(tmp_path), tmp_path / "models"
    (models / ".fetch-large").mkdir(parents=True)
    with subprocess.Popen(
        [sys.executable, "-c", MAKES_A_MODEL, str(models / "base-mlx")], cwd=ROOT, stdout=subprocess.PIPE
    ) as maker:
        assert maker.stdout
        assert maker.stdout.readline() == b"here\n"
        sweep_workspace(workspace)
        assert (models / ".make-base-mlx" / "half").exists()
        maker.kill()
    sweep_workspace(workspace)
    assert [path.name for path in models.iterdir()] == [".fetch-large"]


def test_a_small_file_that_nobody_writes_any_more_is_removed(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for name, seconds in ((".tmp-00aaff-hardware_cache.json", 1.0), (".tmp-11aaff-hardware_cache.json", None)):
        (out / name).touch()
        if seconds:
            os.utime(out / name, (seconds, seconds))
    sweep_workspace(Workspace(tmp_path))
    assert [path.name for path in out.iterdir()] == [".tmp-11aaff-hardware_cache.json"]


def test_what_a_run_left_half_made_goes_and_what_recordings_are_called_stays(tmp_path: Path) -> None:
    job, stages, out = tmp_path / "jobs/a", tmp_path / "jobs/a/stages", tmp_path / "out/a"
    ours = [
        job / ".tmp-00aaff-a.env",
        stages / ".tmp-7-asr/asr/transcript.json",
        stages / "asr/.tmp-00aaff-stage.json",
        out / ".tmp-7-mux/film.mkv",
    ]
    theirs = out / "transcripts/.tmp-takes/take 1.txt"
    for path in (*ours, theirs):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    sweep(job, stages, out)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [theirs]
