from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from sutradhar.pipeline.jobs.stage import Outcome
from sutradhar.stages.corpus import manifest
from sutradhar.stages.corpus.export import STAGE
from sutradhar.stages.corpus.manifest import Recording
from sutradhar.stages.corpus.results import Store, Tally
from sutradhar.stages.corpus.transcript_paths import file_of
from tests.stages.corpus.export.support import result, row
from tests.stages.run_stage import StageRun


def export(
    tmp_path: Path,
    *rows: Recording,
    damaged: Recording | None = None,
    unwritten: tuple[Recording, ...] = (),
    avg_logprob: float = -0.25,
    times: str = "segment",
) -> Outcome:
    """Of a job whose recordings that are done say their own names."""
    store = Store(tmp_path / "results", {"WHISPER_MODEL": "base"})
    store.create()
    for one in rows:
        if one.status == "done":
            store.write(result(one, one.path, avg_logprob=avg_logprob))
    if damaged:
        (store.folder / damaged.id[:2] / f"{damaged.id}.json").write_bytes(b"{")
    rows = (*unwritten, *rows)
    manifest.rewrite(tmp_path / "manifest.jsonl", rows)
    run = StageRun(STAGE, tmp_path / "calls", tmp_path, CORPUS_TIMESTAMPS=times)
    (run.artifacts / "recognise").mkdir()
    (run.artifacts / "recognise" / "done.json").write_bytes(
        msgspec.json.encode(Tally(fingerprint=store.fingerprint, statuses={}, rows="", results=""))
    )
    outcome = run.run()
    assert run.progress[-1:] == ([(len(rows), len(rows))] if rows else [])
    return outcome


def lines(tmp_path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (tmp_path / "out" / "transcripts.jsonl").read_bytes().splitlines()]


def test_folders_that_could_not_be_listed_stand_among_what_has_no_transcript(tmp_path: Path) -> None:
    (tmp_path / "artifacts/scan").mkdir(parents=True)
    (tmp_path / "artifacts/scan/folders.json").write_text('{"closed":{"=in/b":"Input/output error"}}')
    export(tmp_path, row("a.wav"))
    assert (tmp_path / "out/failures.csv").read_text().splitlines()[1:] == [
        "'=in/b/,folder,cannot be listed: Input/output error,1"
    ]


def test_delivers_every_table_and_the_report(tmp_path: Path) -> None:
    outcome = export(tmp_path, row("a.wav"), row("नमस्ते 🎬.wav"))
    out = tmp_path / "out"
    assert {path.name for path in out.iterdir()} == {
        "transcripts.jsonl",
        "transcripts.parquet",
        "summary.json",
        "failures.csv",
        "report.html",
    }
    assert [line["text"] for line in lines(tmp_path)] == ["a.wav", "नमस्ते 🎬.wav"]
    assert json.loads((out / "summary.json").read_bytes())["statuses"] == {"done": 2}
    assert json.loads((tmp_path / "scratch" / "export" / "summary.json").read_bytes()) == json.loads(
        (out / "summary.json").read_bytes()
    )
    assert (out / "failures.csv").read_text() == "path,status,reason,attempts\n"
    assert "<h1>calls</h1>" in (out / "report.html").read_text(encoding="utf-8")
    assert (outcome.summary, outcome.failures, outcome.seconds_of_media) == (
        "Exported 2 transcripts, 3:00 of sound; a file for each is in transcripts/",
        "",
        180.0,
    )


def test_each_row_tells_which_store_its_result_is_from(tmp_path: Path) -> None:
    old, new = row("a.wav"), row("b.wav")
    before = Store(tmp_path / "results", {"WHISPER_MODEL": "tiny"})
    before.create()
    before.write(result(old, "from before"))
    export(tmp_path, new, unwritten=(old,))
    assert [(line["path"], line["text"], line["made_with"]) for line in lines(tmp_path)] == [
        ("a.wav", "from before", "dc5e73da0e6fd33b"),
        ("b.wav", "b.wav", "05f601cda1814c67"),
    ]


def test_failures_are_told_and_listed(tmp_path: Path) -> None:
    outcome = export(
        tmp_path,
        row("a.wav"),
        row('b, "c".wav', "failed", "cut short", attempts=2),
        row("d.wav", "unsupported", "no sound", attempts=0),
    )
    assert outcome.failures == "1 failed and 1 unsupported of 3 files; failures.csv says which and why"
    assert (tmp_path / "out" / "failures.csv").read_text() == (
        'path,status,reason,attempts\n"b, ""c"".wav",failed,cut short,2\nd.wav,unsupported,no sound,0\n'
    )
    assert [line["status"] for line in lines(tmp_path)] == ["done", "failed", "unsupported"]


def test_the_report_names_the_job_and_links_to_transcripts_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "transcripts").mkdir()
    (tmp_path / "transcripts" / "a.wav.json").touch()
    long = f"{'c' * 250}.wav"
    (tmp_path / "transcripts" / file_of(long, "json")).touch()
    export(tmp_path, row("a.wav"), row("b.wav"), row(long), avg_logprob=-2.0)
    html = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert re.findall('href="(.*?)"', html) == ["transcripts/a.wav.json", f"transcripts/{'c' * 200}~1fc01b30.json"]
    assert re.search(
        rf'<p class="quiet">Job {tmp_path.name}, \d{{4}}-\d\d-\d\d \d\d:\d\d [^,]+, Sutradhar 0\.1\.0</p>', html
    )


@pytest.mark.parametrize(
    ("times", "names"),
    [("none", set()), ("segment", {"start_ms", "end_ms"}), ("word", {"start_ms", "end_ms", "words"})],
)
def test_times_follow_the_setting(tmp_path: Path, times: str, names: set[str]) -> None:
    export(tmp_path, row("a.wav"), times=times)
    segment = json.loads((tmp_path / "out" / "transcripts.jsonl").read_bytes())["segments"][0]
    assert segment.keys() & {"start_ms", "end_ms", "words"} == names
    assert "CORPUS_TIMESTAMPS" in STAGE.settings


def test_what_is_pending_is_exported_as_such(tmp_path: Path) -> None:
    assert export(tmp_path, row("a.wav"), row("b.wav", "pending", attempts=0)).failures == ""
    assert [line["status"] for line in lines(tmp_path)] == ["done", "pending"]


def test_a_damaged_result_is_a_failure_and_no_empty_transcript(tmp_path: Path) -> None:
    bad = row("bad.wav")
    assert export(tmp_path, row("a.wav"), bad, damaged=bad).failures.startswith("1 failed of 2 files")
    store = Store(tmp_path / "results", {"WHISPER_MODEL": "base"})
    assert store.ids() == {row("a.wav").id}  # so it is made anew
    assert (store.folder / bad.id[:2] / f"{bad.id}.json.damaged").read_bytes() == b"{"
    assert [(line["status"], line["reason"]) for line in lines(tmp_path)] == [
        ("done", ""),
        ("failed", "its result in results/ was damaged: run again, and it is made anew"),
    ]


@pytest.mark.parametrize("status", ["empty", "failed"])
def test_a_folder_of_which_nothing_came_is_exported_too(tmp_path: Path, status: manifest.Status) -> None:
    assert (
        export(tmp_path, row("a.wav", status, "0 bytes")).summary
        == "Exported 0 transcripts, 0:00 of sound; a file for each is in transcripts/"
    )
    assert [line["status"] for line in lines(tmp_path)] == [status]


def test_a_folder_of_short_texts_in_another_script_is_told_of(tmp_path: Path) -> None:
    told = "Over all transcripts, 100% of the text is not in Devanagari: the model is too small for the language (hi), or it is another"
    assert export(tmp_path, *(row(f"okay-thank-you-{name}.wav") for name in "abcdef")).degraded == (told,)
    assert told in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
