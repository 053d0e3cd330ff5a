from __future__ import annotations

import json
from pathlib import Path

import pytest

from sutradhar.evaluate import main
from tests.pipeline.folders import corpus_job
from tests.scratch_tree import add_line, copy_of_the_tree, shell

SRT = """1
00:00:01,000 --> 00:00:02,000
The cat sat

2
00:00:03,000 --> 00:00:04,000
on the mat.
"""
LAB = """
from sutradhar.stages.evaluate.readers import Reader
from sutradhar.stages.evaluate.version import Utterance, Version, words_in

READER = Reader((".lab",), lambda text, stem: {stem: Version((Utterance(words_in(text)),))})
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SUTRADHAR_HOME", str(tmp_path))
    (tmp_path / "reference.txt").write_text("The cat sat\non the mat\n")
    (tmp_path / "film.en.srt").write_text(SRT)
    (tmp_path / "other.txt").write_text("The bat sat on mat")
    return tmp_path


def test_systems_stand_side_by_side(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reference.txt", "film.en.srt", "other.txt"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split() == ["film.en.srt", "other.txt"]
    assert lines[4].split() == ["WER", "0.0", "%", "33.3", "%"]


def test_json_goes_to_a_file_or_alone_to_standard_output(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reference.txt", "other.txt", "--json", "-"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["systems"][0]["figures"]["deletions"] == {"title": "deletions", "value": 1, "unit": ""}
    assert (printed["schema"], printed["language"], printed["normaliser"]) == (1, "en", "english")
    assert main(["reference.txt", "other.txt", "--json", "found.json"]) == 0
    assert json.loads((here / "found.json").read_text()) == printed
    assert capsys.readouterr().out.startswith("1 recording, English")


def test_a_job_is_judged_by_its_results(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "calls").mkdir()
    job = corpus_job(here, here / "calls", "calls-1")
    transcripts = job.deliverables / "transcripts"
    transcripts.mkdir(parents=True)
    for name in ("a", "b"):
        (transcripts / f"{name}.wav.txt").write_text("Hello there\n")
        (here / "calls" / f"{name}.txt").write_text("Hello there\n")
    assert main(["calls", "calls-1"]) == 0
    assert capsys.readouterr().out.startswith("2 recordings, English")


def test_the_language_is_that_of_the_script_unless_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "hindi.txt").write_text("हमने उस उम्मीदवार को चुना।")
    assert main(["hindi.txt", "hindi.txt"]) == 0
    assert "Hindi, normaliser unicode" in capsys.readouterr().out
    assert main(["reference.txt", "other.txt", "-l", "German"]) == 0
    assert "German, normaliser unicode" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["none.txt", "other.txt"], "none.txt: no such file or folder; as a job: No job none.txt in "),
        (["reference.txt", "reference.txt", "reference.txt"], "The same system is named twice"),
        (["reference.txt", "other.txt", "--normaliser", "x"], "--normaliser x: no such normaliser"),
        (["reference.txt", "other.txt", "--profile", "x"], "SUBTITLE_PROFILE=x: no such profile"),
        (["reference.txt", "other.txt", "-l", "Qwertyish"], "Unknown language 'Qwertyish'"),
        (["reference.txt", "bad.srt"], "bad.srt: no subtitles"),
    ],
)
def test_bad_input_is_told_in_one_line(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], line: str
) -> None:
    (here / "bad.srt").write_text("only text")
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"[ERROR] {line}")
    assert told.err.count("\n") == 1


def test_a_reader_is_one_file_and_one_line(tmp_path: Path) -> None:
    tree = copy_of_the_tree(tmp_path / "tree")
    (tree / "stages" / "evaluate" / "readers" / "lab.py").write_text(LAB)
    add_line(tree / "stages" / "evaluate" / "readers" / "__init__.py", after="plain_text", name="lab")
    (tree / "a.lab").write_text("hello world")
    (tree / "a.txt").write_text("hello word")
    assert "50.0 %" in shell(tree, "scripts/evaluate.sh", "a.txt", "a.lab")
    assert ".txt, .lab" in shell(tree, "scripts/evaluate.sh", "--help")


@pytest.mark.parametrize(
    "wish", [["--fps", "0"], ["--fps", "nan"], ["--fps", "-5"], ["--fps", "inf"], ["--json", "gone/found.json"]]
)
def test_numbers_and_places_that_will_not_do_are_refused_first(
    wish: list[str], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["missing.txt", "missing.txt", *wish]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"[ERROR] {wish[0]} ")
