"""A stage is added with one file and one line, in a copy of the tree, and takes effect everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.scratch_tree import add_line, copy_of_the_tree, settings_reference, shell

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
    tree = copy_of_the_tree(tmp_path_factory.mktemp("tree"))
    (tree / "stages" / "film" / "shout.py").write_text(SHOUT)
    add_line(tree / "stages" / "__init__.py", after="align", name="shout")
    return tree


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
    assert "| `SHOUT_MARK` | `_` | What a shouted word ends with. |" in settings_reference(tree)


def test_its_setting_is_listed_checked_and_taken_by_the_commands(tree: Path) -> None:
    assert "\n--- Stage shout ---\nSHOUT_MARK=_\n    What a shouted word ends with.\n" in shell(
        tree, "prepare-job.sh", "--list-settings"
    )
    assert "--list-settings" in shell(tree, "prepare-job.sh", "--help")
    sample = str(ROOT / "samples" / "dialogue.mp4")
    options = ("--transcribe", "-s", "en", "--job-id", "louder")
    refused = shell(tree, "prepare-job.sh", sample, *options, "--set", "SHOUT_MARC=!", code=2)
    assert "unknown setting SHOUT_MARC; did you mean SHOUT_MARK?" in refused
    shell(tree, "prepare-job.sh", sample, *options, "--set", "SHOUT_MARK=!")
    assert "# Chosen: given with --set\nSHOUT_MARK='!'\n" in (tree / "jobs" / "louder" / ".louder.env").read_text()


def test_a_change_of_its_setting_repeats_it_and_what_follows(tree: Path, job: Path) -> None:
    told = shell(tree, "run-pipeline.sh", "-j", "loud", "--set", "SHOUT_MARK=-")
    assert [line.split()[3] for line in told.splitlines() if "COMPLETED (" in line] == ["shout:", "subtitles:", "mux:"]
    assert "Stage shout runs again: SHOUT_MARK changed from '_' to '-'" in told
    assert (tree / "out" / "loud" / "dialogue.en.txt").read_text().startswith("GOOD- MORNING,- DANIEL.-")
    again = shell(tree, "run-pipeline.sh", "-j", "loud")
    assert "Job loud: everything was done already" in again


def test_a_setting_that_takes_a_name_of_every_job_is_refused(tree: Path) -> None:
    stage = tree / "stages" / "film" / "shout.py"
    stage.write_text(SHOUT.replace("SHOUT_MARK", "TITLE"))
    try:
        refused = shell(tree, "run-pipeline.sh", "-j", "loud", code=2)
    finally:
        stage.write_text(SHOUT)
    assert "Stage shout declares the setting TITLE, which every job has already; give it another name" in refused
