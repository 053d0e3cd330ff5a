"""A format is one file and one line: `lrc` is added to a copy of the tree, for films and folders alike."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.scratch_tree import add_line, copy_of_the_tree, settings_reference, shell

pytestmark = pytest.mark.skipif(not (ROOT / "models" / "base").is_dir(), reason="needs models/base")

SAMPLE = ROOT / "samples" / "dialogue.mp4"
LRC = """
from sutradhar.stages.cues.formats.format import Format


def write(transcript, track):
    return "".join(f"[{_time(cue.start_ms)}]{' '.join(cue.lines)}\\n" for cue in track.cues)


def _time(ms):
    return f"{ms // 60_000:02}:{ms % 60_000 / 1000:05.2f}"


FORMAT = Format(escape=lambda text: text.replace("[", "("), write=write)
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = copy_of_the_tree(tmp_path_factory.mktemp("tree"))
    (tree / "stages" / "cues" / "formats" / "lrc.py").write_text(LRC)
    add_line(tree / "stages" / "cues" / "formats" / "__init__.py", after="vtt", name="lrc")
    return tree


@pytest.fixture(scope="module")
def job(tree: Path) -> Path:
    shell(tree, "prepare-job.sh", str(SAMPLE), "--transcribe", "-s", "en", "--end", "4", "--job-id", "film", "--run")
    return tree / "jobs" / "film"


def test_help_the_reference_and_the_refusal_of_another_name_it(tree: Path) -> None:
    assert "files to write: srt,vtt,lrc,json,txt" in " ".join(shell(tree, "prepare-job.sh", "--help").split())
    reference = settings_reference(tree)
    assert (
        "| `SUBTITLE_FORMATS` | `srt,vtt,lrc,json,txt` | Files to write, separated by commas: srt, vtt, lrc, json, txt. |"
        in reference
    )
    assert (
        "| `CORPUS_FORMATS` | `txt,json` | Files to write for each recording, separated by commas: srt, vtt, lrc, json, txt. |"
        in reference
    )
    refused = shell(tree, "prepare-job.sh", str(SAMPLE), "--transcribe", "-s", "en", "--formats", "doc", code=2)
    assert "no format doc; choose from srt, vtt, lrc, json, txt" in refused


def test_a_film_has_it(tree: Path, job: Path) -> None:
    assert "SUBTITLE_FORMATS=srt,vtt,lrc,json,txt\n" in (job / ".film.env").read_text()
    first, *_ = (tree / "out" / "film" / "dialogue.en.lrc").read_text().splitlines()
    assert first.startswith("[00:0")
    assert first.endswith("]Good morning, Daniel.")
    marker = json.loads((job / "stages" / "subtitles" / "stage.json").read_text())
    assert marker["settings"]["SUBTITLE_FORMATS"] == "srt,vtt,lrc,json,txt"
    assert "dialogue.en.lrc" in json.dumps(marker)


def test_a_run_after_a_change_of_formats_repeats_the_subtitles_and_no_more(tree: Path, job: Path) -> None:
    told = shell(tree, "run-pipeline.sh", "-j", "film", "--set", "SUBTITLE_FORMATS=lrc")
    assert [line.split()[3] for line in told.splitlines() if "COMPLETED (" in line] == ["subtitles:"]
    assert sorted(path.suffix for path in (tree / "out" / "film").glob("dialogue.en.*")) == [".lrc"]


def test_a_folder_has_it(tree: Path, tmp_path: Path) -> None:
    shutil.copy(SAMPLE, tmp_path / "call.mp4")
    shell(
        tree,
        "prepare-job.sh",
        str(tmp_path),
        "--transcribe",
        "-s",
        "en",
        "--formats",
        "lrc",
        "--job-id",
        "calls",
        "--run",
    )
    assert (tree / "out" / "calls" / "transcripts" / "call.mp4.lrc").read_text().startswith("[00:0")
