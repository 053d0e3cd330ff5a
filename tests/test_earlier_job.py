"""A job that the version before has prepared and half run, and that was killed in its stage subtitles, is finished by this one.

It was made with:
prepare-job.sh talk.opus --translate -s de -t en --device cpu --job-id talk"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import msgspec
import pytest

from sutradhar.pipeline import media
from tests.conftest import ROOT
from tests.test_workflow import shell

BASE = ROOT / "models" / "base"
pytestmark = pytest.mark.skipif(not BASE.is_dir(), reason="needs models/base")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The job as it was left, on a machine that has its film and its model in other folders."""
    kept, job = ROOT / "tests" / "data" / "interrupted_job", tmp_path / "jobs" / "talk"
    shutil.copytree(kept / "job", job)
    (job / "talk.env").rename(job / ".talk.env")
    (tmp_path / "models").symlink_to(ROOT / "models")
    film = shutil.copy(kept / "talk.opus", tmp_path)
    request = json.loads((job / "job.json").read_text())
    (job / "job.json").write_text(json.dumps(request | {"media": str(film)}))
    os.utime(film, ns=(0, request["media_record"]["mtime_ns"]))
    marker = json.loads((job / "stages" / "asr" / "stage.json").read_text())
    marker["inputs"]["model base/source.json"] = msgspec.to_builtins(media.identity(BASE / "source.json"))  # has a date
    (job / "stages" / "asr" / "stage.json").write_text(json.dumps(marker))
    return tmp_path


def test_a_job_of_the_version_before_is_finished_without_repeating_what_is_done(home: Path) -> None:
    done = shell(home, "run-pipeline.sh", "-j", "talk")
    assert done.returncode == 0, done.stdout
    told = [line.split() for line in done.stdout.splitlines()]
    skipped = ["demux:", "vad:", "asr:", "align:", "translate:"]
    assert [words[3] for words in told if "SKIPPED" in words] == skipped
    assert [words[3] for words in told if "COMPLETED" in words] == ["subtitles:", "mux:"]
    assert {path.name for path in (home / "out" / "talk").glob("*.srt")} == {"talk.de.srt", "talk.en.srt"}
