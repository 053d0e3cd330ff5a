"""The command that makes CTranslate2's form of the toy."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sutradhar.pipeline.files import record
from sutradhar.pipeline.models.folder import forms_of, read_source
from sutradhar.stages.film.translate.indictrans2 import convert
from sutradhar.stages.film.translate.indictrans2.ct2 import CTranslate2
from sutradhar.stages.film.translate.indictrans2.engine import IndicTrans2
from sutradhar.stages.film.translate.indictrans2.generator import BeamSearch
from sutradhar.stages.film.translate.indictrans2.tokenizer import IndicTokenizer
from tests.conftest import ROOT

TOY = ROOT / "tests" / "data" / "indictrans2" / "toy"
FILES = ["config.json", "model.SRC", "model.TGT", "model.bin", "source_vocabulary.json", "target_vocabulary.json"]
FORMS = ["indictrans2-int8", "indictrans2-float16", "indictrans2-float32"]


def start(source: Path, target: Path, form: str) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "sutradhar.stages.film.translate.indictrans2.convert",
        str(source),
        "--output",
        str(target),
        "--form",
        form,
    ]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("form", FORMS)
def test_makes_a_model_that_translates(form: str, tmp_path: Path) -> None:
    target, child = tmp_path / "models" / "toy", start(TOY, tmp_path / "models" / "toy", form)
    assert (child.communicate(), child.returncode) == (("", ""), 0)
    assert forms_of(target) == FORMS  # CTranslate2 changes numbers as it loads
    assert [path.name for path in target.parent.iterdir()] == ["toy"]
    assert sorted(path.name for path in target.iterdir()) == sorted([*FILES, "source.json"])
    toy = IndicTrans2(CTranslate2(target, "cpu", "float32"), IndicTokenizer(target))
    assert [found[0].text for found in toy.translate(["नमस्ते", "मुझे घर जाना है।"], "hi", "en", BeamSearch())] == [
        "Hello.",
        "I have to go home.",
    ]


def test_a_killed_conversion_leaves_nothing_that_is_taken_for_a_model_and_the_next_makes_it(tmp_path: Path) -> None:
    target = tmp_path / "models" / "toy"
    code = f"""
import os, signal
from pathlib import Path
from sutradhar.pipeline.models import downloads
from sutradhar.stages.film.translate.indictrans2 import convert
downloads.write_source = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
convert.convert(Path({str(TOY)!r}), Path({str(target)!r}), "indictrans2-int8")
"""
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == -signal.SIGKILL
    assert not target.exists()
    assert start(TOY, target, "indictrans2-int8").wait() == 0
    assert [path.name for path in target.parent.iterdir()] == ["toy"]


def test_fewer_bits_are_smaller_files(tmp_path: Path) -> None:
    sizes = []
    for form in FORMS:
        convert.convert(TOY, tmp_path / form, form)
        sizes.append((tmp_path / form / "model.bin").stat().st_size)
    assert sizes == sorted(set(sizes))


def test_source_json_tells_what_it_was_made_of(tmp_path: Path) -> None:
    target = tmp_path / "made"
    assert convert.main([str(TOY), "--output", str(target), "--form", "indictrans2-int8"]) == 0
    source = read_source(target)
    assert source
    assert (source.repo, source.revision, source.form) == ("toy", "", "indictrans2-int8")
    assert (source.via, source.licence) == ("converted from indictrans2, int8", "not stated")
    assert source.files == {name: record(target / name) for name in FILES}


def test_where_the_checkpoint_came_from_is_told_on(tmp_path: Path) -> None:
    fetched = tmp_path / "fetched"
    shutil.copytree(TOY, fetched)
    notes = {
        "repo": "ai4bharat/x",
        "revision": "abc",
        "form": "indictrans2",
        "via": "hub",
        "licence": "mit",
        "fetched_at": "",
        "files": {},
    }
    (fetched / "source.json").write_text(json.dumps(notes))
    convert.convert(fetched, tmp_path / "made", "indictrans2-int8")
    source = read_source(tmp_path / "made")
    assert source
    assert (source.repo, source.revision, source.licence) == ("ai4bharat/x", "abc", "mit")


def test_what_is_made_is_private_whoever_converts(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        assert convert.main([str(TOY), "--output", str(tmp_path / "made"), "--form", "indictrans2-int8"]) == 0
    finally:
        os.umask(before)
    assert {oct(path.stat().st_mode & 0o777) for path in (tmp_path / "made").iterdir()} == {"0o600"}


def edit_config(folder: Path, **changes: object) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "model.SRC").unlink(), "is no IndicTrans2 checkpoint: model.SRC is missing"),
        (lambda folder: os.truncate(folder / "model.safetensors", 1000), "model.safetensors is damaged ("),
        (
            lambda folder: (folder / "dict.SRC.json").write_text("{"),
            "dict.SRC.json is missing or damaged; get the model again",
        ),
        (
            lambda folder: (folder / "dict.TGT.json").write_text('{"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3}'),
            "dict.TGT.json does not number ",
        ),
        (
            lambda folder: (folder / "model.TGT").write_bytes(b"no model of SentencePiece"),
            "model.SRC or model.TGT is damaged; get the model again",
        ),
        (lambda folder: (folder / "config.json").write_text("{"), "config.json is missing or damaged"),
        (
            lambda folder: edit_config(folder, encoder_layers="two"),
            "config.json is damaged (Expected `int`, got `str` - at `$.encoder_layers`)",
        ),
        (lambda folder: edit_config(folder, model_type="whisper"), "config.json calls it 'whisper', not 'IndicTrans'"),
        (lambda folder: edit_config(folder, encoder_layers=3), "does not fit its config.json: model.encoder.layers.2"),
    ],
    ids=["file", "weights", "dictionary", "another dictionary", "pieces", "config", "type", "another model", "layers"],
)
def test_a_damaged_checkpoint_is_refused_in_one_line_and_nothing_stays(
    damage: object, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert callable(damage)
    shutil.copytree(TOY, tmp_path / "broken")
    damage(tmp_path / "broken")
    assert (
        convert.main(
            [str(tmp_path / "broken"), "--output", str(tmp_path / "models" / "made"), "--form", "indictrans2-int8"]
        )
        == 2
    )
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("[ERROR] ")
    assert message in line
    assert not (tmp_path / "models").is_dir() or list((tmp_path / "models").iterdir()) == []


def test_never_replaces_what_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "mine.txt").write_text("x")
    assert convert.main([str(TOY), "--output", str(tmp_path / "made"), "--form", "indictrans2-int8"]) == 2
    assert "move it away and try again" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["mine.txt"]


def test_two_at_once_make_one(tmp_path: Path) -> None:
    children = [start(TOY, tmp_path / "made", "indictrans2-int8") for _ in range(2)]
    printed = [child.communicate() for child in children]
    assert [child.returncode for child in children] == [0, 0]
    assert {line for _, errors in printed for line in errors.splitlines()} <= {
        "[INFO] Another process is making made; waiting for it"
    }
    assert [path.name for path in tmp_path.iterdir()] == ["made"]
    assert forms_of(tmp_path / "made") == FORMS
