"""The reasons for which a stage that is done runs again."""

from __future__ import annotations

import io
import os
from dataclasses import replace

import pytest

from sutradhar.pipeline.console import Console
from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.jobs.job import Job
from sutradhar.pipeline.jobs.stage import Stage
from sutradhar.pipeline.running.runner import Plan, run_job
from sutradhar.stages.text.glossary import read_glossary
from tests.fakes.sutradhar.stages import WORKFLOWS
from tests.pipeline.running.test_runner import die, run
from tests.pipeline.running.test_runner import job as job

pytestmark = pytest.mark.usefixtures("fake_stages")


@pytest.mark.parametrize(
    ("changes", "again"),
    [({"TITLE": "x"}, ["shout"]), ({"BATCH_SIZE": "1"}, []), ({"WHISPER_MODEL": "small"}, [])],
    ids=["result", "tuning", "unrelated"],
)
def test_a_changed_setting_reruns_only_what_depends_on_it(job: Job, changes: dict[str, str], again: list[str]) -> None:
    run(job)
    summary, output = run(job, **changes)
    assert summary.ran == again
    if again:
        assert "Stage shout runs again: TITLE changed from '' to 'x'" in output


def test_a_replaced_film_reruns_everything_even_with_the_same_size_and_an_older_date(job: Job) -> None:
    run(job)
    job.media.write_text("HELLO")
    os.utime(job.media, (1, 1))
    summary, output = run(job)
    assert "film.txt is not the file that the job was prepared for" in output
    assert "Stage copy runs again: the media file changed" in output
    assert summary.ran == ["copy", "shout"]


def test_a_touched_film_repeats_only_what_reads_it(job: Job) -> None:
    run(job)
    os.utime(job.media, (1, 1))
    assert run(job)[0].ran == ["copy"]


def with_a_file(job: Job) -> dict[str, tuple[Stage, ...]]:
    """The stages, the second of which reads a file of the user's."""
    (job.folder / "names.tsv").write_text("राज\tRaj\n", encoding="utf-8")
    copy, shout = WORKFLOWS["film"]
    return {"film": (copy, replace(shout, files=lambda settings: ("names.tsv",), check_file=read_glossary))}


def test_a_file_of_the_users_is_an_input(job: Job) -> None:
    stages = with_a_file(job)
    assert run_job(job, stages, Plan(), {}, Console(io.StringIO())).ran == ["copy", "shout"]
    assert run_job(job, stages, Plan(), {}, Console(io.StringIO())).ran == []
    (job.folder / "names.tsv").write_text("राज\tKing\n", encoding="utf-8")
    output = io.StringIO()
    assert run_job(job, stages, Plan(), {}, Console(output)).ran == ["shout"]
    assert "Stage shout runs again: names.tsv changed" in output.getvalue()


def test_a_file_of_the_users_that_is_gone_or_wrong_is_refused_before_a_stage_starts(job: Job) -> None:
    stages, output = with_a_file(job), io.StringIO()
    (job.folder / "names.tsv").write_text("राज Raj\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"names.tsv, line 1: write source, TAB, target"):
        run_job(job, stages, Plan(), {}, Console(output))
    (job.folder / "names.tsv").unlink()
    with pytest.raises(
        UsageError,
        match=r"^Cannot read the glossary .*names.tsv: No such file or directory; give the path of a text file$",
    ):
        run_job(job, stages, Plan(), {}, Console(output))
    assert "STARTING" not in output.getvalue()


def test_a_file_of_the_users_that_is_gone_after_a_run_is_told_in_one_line(job: Job) -> None:
    stages = with_a_file(job)
    run_job(job, stages, Plan(), {}, Console(io.StringIO()))
    (job.folder / "names.tsv").unlink()
    with pytest.raises(UsageError, match=r"^Cannot read .*names.tsv"):
        run_job(job, stages, Plan(), {}, Console(io.StringIO()))


def test_what_was_asked_for_again_and_interrupted_goes_on_though_there_is_an_older_result(job: Job) -> None:
    die(job, TITLE="piecemeal")
    run(job)
    die(job, Plan(force=("shout",)))
    summary, output = run(job)
    assert "Stage shout runs again: it was asked for again, and interrupted" in output
    assert summary.ran == ["shout"]
    assert run(job)[0].ran == []


@pytest.mark.parametrize("damage", ["delete", "truncate", "flip"])
def test_a_damaged_artifact_is_made_again(job: Job, damage: str) -> None:
    run(job)
    path = job.artifacts / "shout/text.json"
    if damage == "delete":
        path.unlink()
    else:
        path.write_text("HELL" if damage == "truncate" else "HELLP")
    summary, output = run(job)
    assert summary.ran == ["shout"]
    assert "Stage shout runs again: shout/text.json" in output
    assert path.read_text() == "HELLO"


def test_only_verify_sees_a_flipped_bit_under_an_old_date(job: Job) -> None:
    run(job)
    path = job.artifacts / "shout/text.json"
    status = path.stat()
    path.write_text("HELLP")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert run(job)[0].ran == []
    assert run(job, Plan(verify=True))[0].ran == ["shout"]
