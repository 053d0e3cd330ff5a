"""The transcripts as JSON lines and as a Parquet table, and the files without a transcript as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

import msgspec

from sutradhar.pipeline.wording import escaped, escaped_json
from sutradhar.stages.corpus.export.summary import Entry, NotDone
from sutradhar.stages.corpus.results import Result
from sutradhar.stages.transcript import Segment, Word

if TYPE_CHECKING:
    import pyarrow

T = TypeVar("T")
Times = Literal["word", "segment", "none"]
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # some spreadsheets begin one with the wide forms too
# Bytes of JSON, after which a group of rows is written to the table: the most that is held at a time.
GROUP_BYTES = 8_000_000


@dataclass(frozen=True)
class Column(Generic[T]):
    name: str
    kind: str | tuple[Column[Any], ...]  # Arrow's name of its type, or the columns of a list of rows in it
    value: Callable[[T], Any]


FILE: tuple[Column[Entry], ...] = (
    Column("path", "string", lambda entry: entry.recording.path),
    Column("sha256", "string", lambda entry: entry.recording.id),
    Column("status", "string", lambda entry: entry.recording.status),
    Column("reason", "string", lambda entry: entry.recording.reason),
    Column("bytes", "int64", lambda entry: entry.recording.bytes),
    Column("codec", "string", lambda entry: entry.recording.codec),
    Column("channels", "int32", lambda entry: entry.recording.channels),
    Column("duration_ms", "int64", lambda entry: entry.recording.duration_ms),
    Column("made_with", "string", lambda entry: entry.made_with or None),
)
RESULT: tuple[Column[Result], ...] = (
    Column("speech_ms", "int64", lambda result: result.speech_ms),
    Column("language", "string", lambda result: result.language),
    Column("text", "string", lambda result: " ".join(segment.text for segment in result.segments)),
    Column("avg_logprob", "float32", lambda result: result.avg_logprob),
    Column("remarks", "string", lambda result: "; ".join((*result.degraded, *result.notes))),
)
TIMES: tuple[Column[Any], ...] = (  # the times of a segment or a word
    Column("start_ms", "int64", lambda one: one.start_ms),
    Column("end_ms", "int64", lambda one: one.end_ms),
)
SEGMENT: tuple[Column[Segment], ...] = (
    Column("speaker", "string", lambda segment: segment.speaker),
    Column("language", "string", lambda segment: segment.language),
    Column("text", "string", lambda segment: segment.text),
    Column("avg_logprob", "float32", lambda segment: segment.avg_logprob),
    Column("no_speech_prob", "float32", lambda segment: segment.no_speech_prob),
)
WORD: tuple[Column[Word], ...] = (
    Column("text", "string", lambda word: word.text),
    *TIMES,
    Column("probability", "float32", lambda word: word.probability),
)
WORDS: tuple[Column[Segment], ...] = (Column("words", WORD, lambda segment: segment.words),)
SEGMENTS: dict[Times, tuple[Column[Segment], ...]] = {
    "none": SEGMENT,
    "segment": (*TIMES, *SEGMENT),
    "word": (*TIMES, *SEGMENT, *WORDS),
}


def write(lines: Path, table: Path, entries: Iterable[Entry], times: Times) -> Iterator[Entry]:
    """Write a row for each file, whatever became of it, as the entries pass by. `times` are those that the segments
    have."""
    import pyarrow
    import pyarrow.parquet

    of_result = (*RESULT, Column[Result]("segments", SEGMENTS[times], lambda result: result.segments))
    schema = pyarrow.schema(_fields((*FILE, *of_result)))
    with lines.open("wb") as file, pyarrow.parquet.ParquetWriter(table, schema, compression="zstd") as writer:
        waiting: list[dict[str, Any]] = []
        size = 0
        for entry in entries:
            row = _row(entry, FILE) | (_row(entry.result, of_result) if entry.result else {})
            size += file.write(escaped_json(msgspec.json.encode(row)) + b"\n")
            waiting.append(row)
            if size >= GROUP_BYTES:
                writer.write_table(pyarrow.Table.from_pylist(waiting, schema))
                waiting, size = [], 0
            yield entry
        writer.write_table(pyarrow.Table.from_pylist(waiting, schema))


def _fields(columns: Sequence[Column[Any]]) -> list[tuple[str, pyarrow.DataType]]:
    import pyarrow as pa

    kinds = (
        pa.type_for_alias(column.kind) if isinstance(column.kind, str) else pa.list_(pa.struct(_fields(column.kind)))
        for column in columns
    )
    return list(zip((column.name for column in columns), kinds, strict=True))


def _row(of: T, columns: Sequence[Column[T]]) -> dict[str, Any]:
    return {
        column.name: column.value(of)
        if isinstance(column.kind, str)
        else [_row(one, column.kind) for one in column.value(of)]
        for column in columns
    }


def not_done(files: Iterable[NotDone]) -> str:
    """Return a CSV of the files without a transcript, and why, but not of files that only wait. Spreadsheets take
    every cell for what it says."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("path", "status", "reason", "attempts"))
    writer.writerows((_inert(file.path), file.status, _inert(file.reason), file.attempts) for file in files)
    return text.getvalue()


def _inert(cell: str) -> str:
    """Return a cell fit to be shown, with an apostrophe before what a spreadsheet would take for a formula."""
    cell = escaped(cell)
    return f"'{cell}" if cell.lstrip().startswith(FORMULA) else cell
