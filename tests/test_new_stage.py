"""A stage is added with one file and one line, in a copy of the tree, and takes effect everywhere."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.skipif(not (ROOT / "models" / "base").is_dir(), reason="needs models/base")

SHOUT = """
from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from sutradhar.pipeline.jobs.stage import Outcome, Stage, StageContext
from sutradhar.stages.transcript import Transcript, load, save


class Own(msgspec.Struct):
    SHOUT_MARK: Annotated[str, Meta(description="What a shouted word ends with.")] = "_"


def run(ctx: StageContext) -> Outcome:
    transcript = load(ctx.read("transcript"), Transcript)
    segments = tuple(_shouted(segment, ctx.settings.SHOUT_MARK) for segment in transcript.segments)
    save(ctx.write("transcript"), replace(transcript, segments=segments))
    return Outcome(summary="Shouted")


def _shouted(segment, mark):
    words = tuple(replace(word, text=word.text.upper() + mark) for word in segment.words)
    return replace(segment, text="".join(word.text for word in words).strip(), words=words)


STAGE = Stage(
    name="shout",
    run=run,
    reads=("transcript",),
    writes=("transcript",),
    settings=("SHOUT_MARK",),
    own_settings=Own,
)
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = tmp_path_factory.mktemp("tree")
    for name in ("pipeline", "stages", "sutradhar", "scripts"):
        shutil.copytree(ROOT / name, tree / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("prepare-job.sh", "run-pipeline.sh"):
        shutil.copy(ROOT / name, tree)
    for name in (".venv", "models"):
        (tree / name).symlink_to(ROOT / name)
    (tree / "stages" / "film" / "shout.py").write_text(SHOUT)
    workflows = tree / "stages" / "__init__.py"
    workflows.write_text(workflows.read_text().replace('    "align",\n', '    "align",\n    "shout",\n'))
    return tree


def shell(tree: Path, command: str, *arguments: str) -> str:
    environment = os.environ | {"SUTRADHAR_HOME": str(tree)}
    done = subprocess.run([tree / command, *arguments], env=environment, capture_output=True, text=True, check=False, cwd=tree)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def job(tree: Path) -> Path:
    """A job that was prepared and run."""
    sample = str(ROOT / "samples" / "dialogue.mp4")
    shell(tree, "prepare-job.sh", sample, "--transcribe", "-s", "en", "--end", "4", "--job-id", "loud", "--run")
    return tree / "jobs" / "loud"


def test_it_takes_effect_on_what_comes_after_it(tree: Path, job: Path) -> None:
    assert (job / "stages" / "shout" / "transcript.json").is_file()
    assert (tree / "out" / "loud" / "dialogue.en.txt").read_text().startswith("GOOD_ MORNING,_ DANIEL._")


def test_its_setting_is_in_the_env_file_and_in_the_reference(tree: Path, job: Path) -> None:
    told = "# --- Stage shout ---\n\n# What a shouted word ends with.\nSHOUT_MARK=_\n"
    assert told in (job / ".loud.env").read_text()
    reference = [tree / ".venv" / "bin" / "python", "-m", "sutradhar.pipeline.jobs.settings"]
    written = subprocess.run(reference, cwd=tree, capture_output=True, text=True, check=True).stdout
    assert "| `SHOUT_MARK` | `_` | What a shouted word ends with. |" in written


def test_a_change_of_its_setting_repeats_it_and_what_follows(tree: Path, job: Path) -> None:
    told = shell(tree, "run-pipeline.sh", "-j", "loud", "--set", "SHOUT_MARK=-")
    assert [line.split()[3] for line in told.splitlines() if "COMPLETED (" in line] == ["shout:", "subtitles:", "mux:"]
    assert "Stage shout runs again: SHOUT_MARK changed from '_' to '-'" in told
    assert (tree / "out" / "loud" / "dialogue.en.txt").read_text().startswith("GOOD- MORNING,- DANIEL.-")
