"""What came of a folder of recordings, for people and programs: all transcripts in one file, a table, a summary, a report."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from pipeline.console import clock
from pipeline.stage import Outcome, Stage, StageContext
from pipeline.wording import counted
from stages import manifest, results
from stages.export import report, tables
from stages.export.summary import Entry, summarise
from stages.manifest import Recording
from stages.results import TREE, Store, Tally
from stages.transcript import load


def run(ctx: StageContext) -> Outcome:
    tally = load(ctx.read("recognise/done.json"), Tally)
    store = Store.of_fingerprint(ctx.keep(results.FOLDER), tally.fingerprint)
    rows = manifest.read(ctx.keep(manifest.FILE))
    lines, table = ctx.deliver("transcripts.jsonl"), ctx.deliver("transcripts.parquet")
    summary = summarise(tables.write(lines, table, _entries(ctx, rows, store), ctx.settings.CORPUS_TIMESTAMPS))
    ctx.deliver("summary.json").write_bytes(msgspec.json.format(msgspec.json.encode(summary), indent=1) + b"\n")
    ctx.deliver("failures.csv").write_text(tables.failures(summary), encoding="utf-8")
    ctx.deliver("report.html").write_text(report.page(ctx.media.name, summary, store.made_with), encoding="utf-8")
    ctx.write("export/summary.json").write_bytes(msgspec.json.encode(summary))
    return Outcome(
        summary=f"Exported {counted(summary.done, 'transcript')}, {clock(summary.hours * 3600)} of sound; a file for each is in {TREE}/",
        packages=("pyarrow",),
        failures=summary.shortfall,
        seconds_of_media=summary.hours * 3600,
    )


def _entries(ctx: StageContext, rows: dict[str, Recording], store: Store) -> Iterator[Entry]:
    for number, row in enumerate(rows.values(), start=1):
        found = store.find(row.id) if row.status == "done" else None
        if row.status == "done" and not found:
            row = replace(row, status="failed", reason=f"its result in {results.FOLDER}/ is damaged: remove it and run again")
        yield Entry(row, *found) if found else Entry(row, None)
        ctx.progress(number, len(rows), unit=" files/s", note=f"{number:,} of {len(rows):,} files")


STAGE = Stage(
    name="export",
    run=run,
    reads=("recognise/done.json",),
    writes=("export/summary.json",),
    settings=("CORPUS_TIMESTAMPS",),
    keeps=(manifest.FILE, results.FOLDER),
)
