"""Models whose files are no longer what they were."""

from __future__ import annotations

import io
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from sutradhar.pipeline.console import Console
from sutradhar.pipeline.errors import UsageError, in_one_line
from sutradhar.pipeline.files import record
from sutradhar.pipeline.jobs.job import Job
from sutradhar.pipeline.jobs.stage import ModelNeed
from sutradhar.pipeline.models import content, integrity, library
from sutradhar.pipeline.models.folder import SOURCE
from sutradhar.pipeline.models.form import Release, ResolvedModel
from sutradhar.pipeline.running.runner import Plan, run_job
from sutradhar.pipeline.workspace import Workspace
from tests.conftest import ROOT
from tests.damaged_json import DEEP, damaged
from tests.fakes.sutradhar.stages import WORKFLOWS
from tests.pipeline.media.test_watch import film as film
from tests.pipeline.media.test_watch import job as job

NAMES = ("config.json", "model.bin", "tokenizer.json", "vocabulary.txt")


def make_model(folder: Path, *, ours: bool, variable: str = "w") -> ResolvedModel:
    """A ct2 model of a few bytes."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"lang_ids": [1]}')
    (folder / "tokenizer.json").write_text('{"a": 1}')
    (folder / "vocabulary.txt").write_text("a\nb\nनम\n")
    (folder / "README.md").write_text("read me")
    text = (len(variable) + 1).to_bytes(2, "little") + variable.encode() + b"\0"
    numbers = b"\1" + (3).to_bytes(4, "little") + b"\1" + (3).to_bytes(4, "little") + b"xyz"
    one, no = (1).to_bytes(4, "little"), bytes(4)
    (folder / "model.bin").write_bytes((6).to_bytes(4, "little") + text + one + one + text + numbers + no)
    if ours:
        from sutradhar.pipeline.models.downloads import write_source

        write_source(
            folder, Release("someone/whisper"), "ct2", "hub", "mit", {name: record(folder / name) for name in NAMES}
        )
    return ResolvedModel(folder.resolve(), "base", "", "ct2")


def flip(path: Path, at: int = -1, *, keep_date: bool = False) -> None:
    before, content = path.stat(), bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)
    if keep_date:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("ours", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_a_flipped_bit_is_noticed_in_every_file(tmp_path: Path, name: str, ours: bool) -> None:
    model, workspace = make_model(tmp_path / "models" / "base", ours=ours), Workspace(tmp_path)
    integrity.check_content(model, workspace)
    flip(model.path / name, at=len((model.path / name).read_bytes()) // 2)
    remedy = (
        rf"Remove {model.path}, then get it again: \./scripts/get-model\.sh base"
        if ours
        else r"Get it again, or, .* remove .*/model_hashes/base-\w{8}\.json"
    )
    when = "fetched or converted" if ours else "first used"
    with pytest.raises(
        UsageError,
        match=rf"^Model base is damaged: {name} is not what it was when the model was {when}, by its sha256\. {remedy}$",
    ):
        integrity.check_content(model, workspace)


def test_one_that_we_made_is_compared_with_what_we_wrote_then_also_when_it_is_first_used(tmp_path: Path) -> None:
    model = make_model(tmp_path / "models" / "base", ours=True)
    flip(model.path / "model.bin")
    with pytest.raises(UsageError, match=r"model\.bin is not what it was"):
        integrity.check_content(model, Workspace(tmp_path))


def test_a_bit_under_an_old_date_is_noticed_a_day_later_and_with_verify(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, workspace = make_model(tmp_path / "models" / "base", ours=False), Workspace(tmp_path)
    integrity.check_content(model, workspace)
    flip(model.path / "model.bin", keep_date=True)
    integrity.check_content(model, workspace)
    with pytest.raises(UsageError, match=r"model\.bin is not what it was"):
        integrity.check_content(model, workspace, verify=True)
    monkeypatch.setattr(integrity, "DAY", 0.0)
    with pytest.raises(UsageError, match=r"model\.bin is not what it was"):
        integrity.check_content(model, workspace)


def test_a_record_of_the_future_vouches_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, workspace = make_model(tmp_path / "models" / "base", ours=False), Workspace(tmp_path)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 400 * 86_400)  # a clock that is put right afterwards
    integrity.check_content(model, workspace)
    monkeypatch.undo()
    flip(model.path / "model.bin", keep_date=True)
    with pytest.raises(UsageError, match=r"model\.bin is not what it was"):
        integrity.check_content(model, workspace)


def test_a_folder_in_the_place_of_the_record_is_told_by_its_name(tmp_path: Path) -> None:
    model, workspace = make_model(tmp_path / "models" / "base", ours=False), Workspace(tmp_path)
    integrity.check_content(model, workspace)
    (place,) = (workspace.out / integrity.FOLDER).iterdir()
    place.unlink()
    place.mkdir()
    with pytest.raises(OSError, match="directory") as caught:
        integrity.check_content(model, workspace)
    assert (
        in_one_line(caught.value)
        == f"Cannot use {place}: Is a directory; put right what is there and run the same command again"
    )
    assert list(place.parent.iterdir()) == [place]


def test_a_file_of_another_size_was_put_there_by_somebody_and_so_is_one_after_the_record_is_removed(
    tmp_path: Path,
) -> None:
    model, workspace = make_model(tmp_path / "models" / "base", ours=False), Workspace(tmp_path)
    integrity.check_content(model, workspace)
    (model.path / "vocabulary.txt").write_text("a\nb\nc\nd\n")
    integrity.check_content(model, workspace)
    (model.path / "vocabulary.txt").write_text("a\nb\nc\ne\n")
    with pytest.raises(UsageError) as caught:
        integrity.check_content(model, workspace)
    Path(str(caught.value).rpartition(" remove ")[2]).unlink()
    integrity.check_content(model, workspace)


def test_what_is_no_part_of_the_model_may_change_and_its_folder_may_be_read_only(tmp_path: Path) -> None:
    model, workspace = make_model(tmp_path / "models" / "base", ours=False), Workspace(tmp_path / "mine")
    before = sorted(model.path.iterdir())
    integrity.check_content(model, workspace)
    (model.path / "README.md").write_text("read ME")
    integrity.check_content(model, workspace, verify=True)
    assert sorted(model.path.iterdir()) == before
    assert SOURCE not in {path.name for path in before}


@pytest.mark.parametrize("content", damaged("path").values(), ids=damaged("path"))
def test_a_damaged_record_is_made_anew(tmp_path: Path, content: bytes) -> None:
    model, workspace = make_model(tmp_path / "models" / "base", ours=False), Workspace(tmp_path)
    integrity.check_content(model, workspace)
    (place,) = (workspace.out / integrity.FOLDER).iterdir()
    place.write_bytes(content)
    integrity.check_content(model, workspace)
    assert record(model.path / "model.bin").sha256 in place.read_text()


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("config.json", b'{"a": "\xff"}', "it is no JSON"),
        ("config.json", b'{"a": ', "it is no JSON"),
        pytest.param("config.json", DEEP, "it is no JSON", id="deep"),
        ("tokenizer.json", b"", "it is no JSON"),
        ("vocabulary.txt", b"a\n\xff\n", "it is not UTF-8"),
        ("model.bin", b"", "its names, shapes and length do not go together"),
        ("model.bin", b"\xff" * 40, "its names, shapes and length do not go together"),
    ],
)
def test_a_damaged_header_is_one_line_before_anything_is_loaded(
    tmp_path: Path, name: str, content: bytes, what: str
) -> None:
    model = make_model(tmp_path / "models" / "base", ours=False)
    (model.path / name).write_bytes(content)
    with pytest.raises(
        UsageError,
        match=rf"^Model base is damaged: {name} cannot be used: {what}\. Get it again, or, if another model was put",
    ):
        integrity.check_content(model, Workspace(tmp_path))


@pytest.mark.parametrize("content", damaged("repo").values(), ids=damaged("repo"))
def test_a_run_takes_a_model_with_a_damaged_note_of_its_source_as_one_of_the_users_own(
    job: Job, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    model = make_model(job.workspace.models / "base", ours=True)
    (model.path / SOURCE).write_bytes(content)
    assert library.check("base", "ct2", models_dir=job.workspace.models, offline=True)  # as when a job is prepared
    copy, shout = WORKFLOWS["film"]
    stages = {"film": (copy, replace(shout, models=lambda settings: (ModelNeed("base", "ct2"),)))}
    assert run_job(job, stages, Plan(verify=True), {}, Console(io.StringIO())).ran == ["copy", "shout"]


WORDS = "a\nb\n<|30.00|>\n"


@pytest.mark.parametrize(
    ("name", "content", "there"),
    [
        ("vocabulary.txt", WORDS, None),
        ("vocabulary.txt", WORDS.rstrip(), None),
        ("vocabulary.txt", WORDS + "more\n", None),
        ("vocabulary.txt", WORDS[:-3], 2),
        ("vocabulary.txt", "a\nb\n", 2),
        ("vocabulary.txt", "", 0),
        ("vocabulary.json", '["a", "b", "c"]', None),
        ("vocabulary.json", '["a", "b"]', 2),
        ("vocabulary.json", "3", 0),
    ],
)
def test_a_vocabulary_that_is_cut_short_is_told_also_of_the_users_own_model(
    tmp_path: Path, name: str, content: str, there: int | None
) -> None:
    model = make_model(tmp_path / "models" / "base", ours=False, variable="decoder/embeddings/weight")
    (model.path / "vocabulary.txt").unlink()
    (model.path / name).write_text(content)
    if there is None:
        integrity.check_content(model, Workspace(tmp_path))
        return
    what = rf"^Model base is damaged: {name} cannot be used: it has {there} of the 3 words that the model knows\. Get it again"
    with pytest.raises(UsageError, match=what):
        integrity.check_content(model, Workspace(tmp_path))


@pytest.mark.skipif(not (ROOT / "models" / "base").is_dir(), reason="needs models/base")
def test_the_starter_models_vocabulary_cut_by_a_byte_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "model.bin").symlink_to(ROOT / "models" / "base" / "model.bin")
    copy = Path(shutil.copy(ROOT / "models" / "base" / "vocabulary.txt", tmp_path))
    os.truncate(copy, copy.stat().st_size - 2)
    assert content.damage(copy) == "it has 51,864 of the 51,865 words that the model knows"


@pytest.mark.skipif(not (ROOT / "models" / "base").is_dir(), reason="needs models/base")
def test_the_starter_model_is_whole_and_is_not_where_a_byte_of_its_header_is_another(tmp_path: Path) -> None:
    assert [content.damage(path) for path in sorted((ROOT / "models" / "base").iterdir())] == [""] * 5
    copy = shutil.copy(ROOT / "models" / "base" / "model.bin", tmp_path / "model.bin")
    os.truncate(copy, Path(copy).stat().st_size - 1)
    assert content.damage(Path(copy)) == "its names, shapes and length do not go together"


def test_a_run_checks_its_models_before_a_stage_starts_and_with_verify_those_of_stages_that_are_done(
    job, monkeypatch: pytest.MonkeyPatch
) -> None:  # type: ignore[no-untyped-def]
    model = make_model(job.workspace.models / "base", ours=True)
    copy, shout = WORKFLOWS["film"]
    stages = {"film": (copy, replace(shout, models=lambda settings: (ModelNeed("base", "ct2"),)))}
    run_job(job, stages, Plan(), {}, Console(io.StringIO()))
    flip(model.path / "model.bin", keep_date=True)
    for place in (job.workspace.out / integrity.FOLDER).iterdir():
        assert '"model.bin"' in place.read_text()
    with pytest.raises(UsageError, match=r"model\.bin is not what it was"):
        run_job(job, stages, Plan(verify=True), {}, Console(io.StringIO()))
    assert library.find("base", "ct2", models_dir=job.workspace.models)
