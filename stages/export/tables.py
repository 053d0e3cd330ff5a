"""All transcripts as JSON lines and as a Parquet table, and the failures as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from stages.export.summary import Entry, Summary

if TYPE_CHECKING:
    import pyarrow

AT_ONCE = 1000  # rows of a group in the table


def write(lines: Path, table: Path, entries: Iterable[Entry]) -> Iterator[Entry]:
    """A row for each file, whatever became of it, as the entries pass by."""
    import pyarrow
    import pyarrow.parquet

    schema = _schema()
    with lines.open("wb") as file, pyarrow.parquet.ParquetWriter(table, schema, compression="zstd") as writer:
        waiting: list[dict[str, Any]] = []
        for entry in entries:
            row = _row(entry)
            file.write(msgspec.json.encode(row) + b"\n")
            waiting.append(row)
            if len(waiting) == AT_ONCE:
                writer.write_table(pyarrow.Table.from_pylist(waiting, schema))
                waiting = []
            yield entry
        writer.write_table(pyarrow.Table.from_pylist(waiting, schema))


def _schema() -> pyarrow.Schema:
    import pyarrow as pa

    segment = pa.struct(
        [("start_ms", pa.int64()), ("end_ms", pa.int64()), ("speaker", pa.string()), ("text", pa.string()), ("avg_logprob", pa.float32())]
    )
    return pa.schema(
        [
            *(("path", pa.string()), ("sha256", pa.string()), ("status", pa.string()), ("reason", pa.string()), ("bytes", pa.int64())),
            *(("codec", pa.string()), ("channels", pa.int32()), ("duration_ms", pa.int64()), ("speech_ms", pa.int64()), ("language", pa.string())),
            *(("text", pa.string()), ("avg_logprob", pa.float32()), ("segments", pa.list_(segment))),
        ]
    )


def _row(entry: Entry) -> dict[str, Any]:
    row, result = entry.recording, entry.result
    found: dict[str, Any] = {
        "path": row.path,
        "sha256": row.id,
        "status": row.status,
        "reason": row.reason,
        "bytes": row.bytes,
        "codec": row.codec,
        "channels": row.channels,
        "duration_ms": row.duration_ms,
    }
    if result is None:
        return found
    fields = ("start_ms", "end_ms", "speaker", "text", "avg_logprob")
    return found | {
        "speech_ms": result.speech_ms,
        "language": result.language,
        "text": " ".join(segment.text for segment in result.segments),
        "avg_logprob": result.avg_logprob,
        "segments": [{name: getattr(segment, name) for name in fields} for segment in result.segments],
    }


def failures(summary: Summary) -> str:
    """CSV: what is neither done nor waiting."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("path", "status", "reason", "attempts"))
    writer.writerows((failure.path, failure.status, failure.reason, failure.attempts) for failure in summary.failures)
    return text.getvalue()
