from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from sutradhar.stages.corpus.export import tables
from sutradhar.stages.corpus.export.summary import Entry, NotDone
from tests.stages.corpus.export.support import done, row

NAMES = {  # with how they stand in the CSV
    "कॉल/नमस्ते 🎬.wav": "कॉल/नमस्ते 🎬.wav",
    'a "b", c.wav': 'a "b", c.wav',
    "<script>.wav": "<script>.wav",
    "a\nb\x1b[31m\u202e.wav": r"a\nb\x1b[31m\u202e.wav",
    "=cmd().wav": "'=cmd().wav",
    "+1.wav": "'+1.wav",
    "-1.wav": "'-1.wav",
    "@SUM(A1).wav": "'@SUM(A1).wav",
    " =1.wav": "' =1.wav",
    "\t=1.wav": r"\t=1.wav",
    "＝1.wav": "'＝1.wav",
    "a=1.wav": "a=1.wav",
}


def written(
    folder: Path, *entries: Entry, times: tables.Times = "segment"
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows as JSON lines and as a table."""
    lines, table = folder / "transcripts.jsonl", folder / "transcripts.parquet"
    assert tuple(tables.write(lines, table, entries, times)) == entries
    return [json.loads(line) for line in lines.read_bytes().splitlines()], pyarrow.parquet.read_table(table).to_pylist()


def test_a_row_has_the_text_and_the_segments(tmp_path: Path) -> None:
    entry = done("कॉल/a.wav", "नमस्ते 🎬", "hello")
    (line,), (in_table,) = written(tmp_path, entry)
    segment = {
        "start_ms": 0,
        "end_ms": 2000,
        "speaker": "",
        "language": "hi",
        "text": "नमस्ते 🎬",
        "avg_logprob": -0.25,
        "no_speech_prob": 0.125,
    }
    assert line == {
        "path": "कॉल/a.wav",
        "sha256": entry.recording.id,
        "status": "done",
        "reason": "",
        "bytes": 100,
        "codec": "gsm_ms",
        "channels": 2,
        "duration_ms": 90_000,
        "made_with": "f1",
        "speech_ms": 45_000,
        "language": "hi",
        "text": "नमस्ते 🎬 hello",
        "avg_logprob": -0.25,
        "remarks": "",
        "segments": [segment, segment | {"start_ms": 2000, "end_ms": 4000, "text": "hello"}],
    }
    assert in_table == line


WITHOUT_TIMES = {"speaker": "", "language": "hi", "text": "hello", "avg_logprob": -0.25, "no_speech_prob": 0.125}
WITH_TIMES = WITHOUT_TIMES | {"start_ms": 0, "end_ms": 2000}
WITH_WORDS = WITH_TIMES | {"words": [{"text": "hello", "start_ms": 100, "end_ms": 1900, "probability": 0.75}]}


@pytest.mark.parametrize(("times", "segment"), [("none", WITHOUT_TIMES), ("segment", WITH_TIMES), ("word", WITH_WORDS)])
def test_segments_have_the_times_that_are_asked_for(
    tmp_path: Path, times: tables.Times, segment: dict[str, Any]
) -> None:
    (line,), (in_table,) = written(tmp_path, done("a.wav", "hello"), times=times)
    assert line["segments"] == in_table["segments"] == [segment]


def test_a_file_without_a_result_has_a_row_with_its_reason(tmp_path: Path) -> None:
    (line,), (in_table,) = written(tmp_path, Entry(row("a.wav", "failed", "cut short"), None))
    assert (line["status"], line["reason"], line.get("text")) == ("failed", "cut short", None)
    assert line["made_with"] is in_table["made_with"] is None
    assert (in_table["status"], in_table["reason"], in_table["text"], in_table["segments"]) == (
        "failed",
        "cut short",
        None,
        None,
    )


@pytest.mark.parametrize("name", NAMES)
def test_any_name_comes_back_from_every_table(tmp_path: Path, name: str) -> None:
    (line,), (in_table,) = written(tmp_path, Entry(row(name, "failed", 'cut, and "short"\nof it'), None))
    assert (line["path"], in_table["path"]) == (name, name)
    text = tables.not_done([NotDone(name, "failed", '=cut, and "short"\nof it', 1)])
    assert list(csv.reader(io.StringIO(text, newline=""))) == [
        ["path", "status", "reason", "attempts"],
        [NAMES[name], "failed", '\'=cut, and "short"\\nof it', "1"],
    ]


def test_each_row_is_one_line_to_every_program(tmp_path: Path) -> None:
    rows = [done("a\u2028b.wav", "one\u2028two\u2029three\x85four"), done("b.wav", "five")]
    assert [line["text"] for line in written(tmp_path, *rows)[0]] == ["one\u2028two\u2029three\x85four", "five"]
    assert [json.loads(line)["path"] for line in (tmp_path / "transcripts.jsonl").read_text().splitlines()] == [
        "a\u2028b.wav",
        "b.wav",
    ]


def test_many_rows_keep_their_order_across_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "GROUP_BYTES", 700)
    lines, in_table = written(tmp_path, *(done(f"{number}.wav") for number in range(7)))
    assert pyarrow.parquet.ParquetFile(tmp_path / "transcripts.parquet").num_row_groups == 3
    assert (
        [row["path"] for row in lines] == [row["path"] for row in in_table] == [f"{number}.wav" for number in range(7)]
    )


def test_no_rows_are_tables_without_rows(tmp_path: Path) -> None:
    assert written(tmp_path) == ([], [])
    assert pyarrow.parquet.read_schema(tmp_path / "transcripts.parquet").names[:3] == ["path", "sha256", "status"]
    assert tables.not_done([]) == "path,status,reason,attempts\n"
