"""The results of a folder of recordings, for people and programs: all transcripts in one file, a table, a summary,
a report."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec
from msgspec.structs import replace

from sutradhar.pipeline.console import clock
from sutradhar.pipeline.files import json_document
from sutradhar.pipeline.jobs.stage import Outcome, Stage, StageContext
from sutradhar.pipeline.wording import counted
from sutradhar.pipeline.workspace import VERSION
from sutradhar.stages.corpus import manifest, results
from sutradhar.stages.corpus.export import report, tables
from sutradhar.stages.corpus.export.summary import Entry, NotDone, Survey
from sutradhar.stages.corpus.manifest import Recording
from sutradhar.stages.corpus.results import Store, Tally
from sutradhar.stages.corpus.transcript_paths import TREE, file_of
from sutradhar.stages.transcript import load


def run(ctx: StageContext) -> Outcome:
    store = Store.of_fingerprint(ctx.keep(results.FOLDER), load(ctx.read("recognised"), Tally).fingerprint)
    rows = manifest.read(ctx.keep(manifest.FILE))
    lines, table = ctx.deliver("transcripts.jsonl"), ctx.deliver("transcripts.parquet")
    survey = Survey(tables.write(lines, table, _entries(ctx, rows, store), ctx.settings.CORPUS_TIMESTAMPS))
    survey.not_done += [
        NotDone(f"{folder}/", "folder", f"cannot be listed: {reason}", 1) for folder, reason in _closed(ctx).items()
    ]
    summary = survey.summary
    made_with = {
        fingerprint: store.settings_of(fingerprint) for fingerprint in summary.made_with or [store.fingerprint]
    }
    ctx.deliver("summary.json").write_bytes(json_document(summary))
    ctx.deliver("failures.csv").write_text(tables.not_done(survey.not_done), encoding="utf-8")
    ctx.deliver("report.html").write_text(
        report.page(ctx.media.name, _about(ctx), survey, made_with, _links(ctx)), encoding="utf-8"
    )
    ctx.write("summary").write_bytes(msgspec.json.encode(summary))
    return Outcome(
        summary=f"Exported {counted(summary.done, 'transcript')}, {clock(summary.sound_s)} of sound; "
        f"a file for each is in {TREE}/",
        packages=("pyarrow",),
        failures=summary.shortfall,
        degraded=(summary.script_doubt,) if summary.script_doubt else (),
        seconds_of_media=summary.sound_s,
    )


def _entries(ctx: StageContext, rows: dict[str, Recording], store: Store) -> Iterator[Entry]:
    for number, row in enumerate(rows.values(), start=1):
        found = store.find(row.id) if row.status == "done" else None
        if row.status == "done" and not found:
            how = (
                "was damaged: run again, and it is made anew"
                if store.put_aside(row.id)
                else "is gone or cannot be read: run again"
            )
            row = replace(row, status="failed", reason=f"its result in {results.FOLDER}/ {how}")
        yield Entry(row, *found) if found else Entry(row, None)
        ctx.progress(number, len(rows), unit=" files/s", note=f"{number:,} of {len(rows):,} files")


def _closed(ctx: StageContext) -> dict[str, str]:
    """Return the folders that could not be listed, with why; an earlier version's scan did not say."""
    path = ctx.read("folders")
    return load(path, manifest.Folders).closed if path.is_file() else {}


def _about(ctx: StageContext) -> str:
    return f"Job {ctx.artifacts.parent.name}, {datetime.now().astimezone():%Y-%m-%d %H:%M %Z}, Sutradhar {VERSION}"


def _links(ctx: StageContext) -> report.Links:
    """Return a function that links to the first of a recording's files that exists."""
    forms = [form.strip() for form in ctx.settings.CORPUS_FORMATS.split(",")]

    def link(path: str) -> str:
        names = (file_of(path, form) for form in forms)
        return next((f"{TREE}/{name}" for name in names if (ctx.tree(TREE) / name).is_file()), "")

    return link


STAGE = Stage(
    name="export",
    run=run,
    reads=("recognised", "folders"),
    writes=("summary",),
    settings=("CORPUS_TIMESTAMPS", "CORPUS_FORMATS"),
    keeps=(manifest.FILE, results.FOLDER),
    trees=(TREE,),
)
