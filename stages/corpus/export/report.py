"""The report on a folder of recordings: one HTML page that needs nothing else, readable in light and dark."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import quote

from sutradhar.pipeline.console import clock
from sutradhar.pipeline.wording import counted, escaped
from sutradhar.stages.corpus.export.charts import histogram
from sutradhar.stages.corpus.export.summary import LISTED, FolderSummary, Survey
from sutradhar.stages.corpus.results import model_file_of

SHOWN = 200  # rows of a list; the files have all
STYLE = Path(__file__).with_name("report.css").read_text(encoding="utf-8")
# From a recording's path to that of its transcript, relative to the page; empty where there is none.
Links = Callable[[str], str]
Look = Literal["text", "short", "number"]  # the look of a column; short ones are not broken


class Link(NamedTuple):
    text: str
    path: str


def page(title: str, about: str, survey: Survey, made_with: Mapping[str, Mapping[str, str]], link: Links) -> str:
    """Return the page. `about` says what made it and when; `made_with` has the settings of each fingerprint."""
    summary = survey.summary
    sections = (
        _figures(summary),
        _section("Distributions", _charts(survey)),
        _section("Why files have no transcript", _counts("reason", "files", summary.reasons)),
        _section("Files without a transcript", _not_done(survey)),
        _section(f"Low confidence (below {summary.low_confidence_below:g})", _doubts(summary, link)),
        _section("Nobody speaks", _silent(summary, link)),
        _section("Remarks on recordings with a transcript", _counts("remark", "recordings", summary.remarks)),
        _section("Languages", _counts("language", "recordings", summary.languages)),
        _section("Made with", _made_with(summary, made_with)),
    )
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{_text(title)}: transcripts</title>\n<style>{STYLE}</style>\n"
        f'<h1>{_text(title)}</h1>\n<p class="quiet">{_text(about)}</p>\n'
        + "\n".join(part for part in sections if part)
        + "\n</html>\n"
    )


def _figures(summary: FolderSummary) -> str:
    figures = [("files", f"{summary.files:,}"), *((status, f"{count:,}") for status, count in summary.statuses.items())]
    parts = (
        ("recordings with text", summary.with_text),
        ("nobody speaks", summary.silent),
        ("copies of them", summary.copies),
    )
    figures += [(name, f"{count:,}") for name, count in parts if count]
    if summary.recordings:
        figures += [
            ("sound", _length(summary.sound_s)),
            ("speech of all channels", _length(summary.speech_of_all_channels_s)),
        ]
    if summary.speed:
        figures += [("speed of a worker", f"{summary.speed:,.1f}x")]
    line = (
        f'<p class="bad">{_text(summary.shortfall)}</p>'
        if summary.shortfall
        else '<p class="quiet">No file failed.</p>'
    )
    line += f'<p class="bad">{_text(summary.script_doubt)}</p>' if summary.script_doubt else ""
    return (
        line
        + "<dl>"
        + "".join(f"<div><dt>{_text(name)}</dt><dd>{_text(value)}</dd></div>" for name, value in figures)
        + "</dl>"
    )


def _length(seconds: float) -> str:
    return clock(seconds) if seconds < 3600 else f"{seconds / 3600:,.1f} h"


def _charts(survey: Survey) -> str:
    charts = (
        histogram("Length of the recordings", survey.durations_s, _duration, logarithmic=True),
        histogram("Speed, times real time", survey.speeds, lambda value: f"{_number(value)}x", logarithmic=True),
        histogram("Confidence, mean log-probability", survey.confidences, _number),
    )
    return f'<div class="charts">{"".join(charts)}</div>' if any(charts) else ""


def _duration(seconds: float) -> str:
    return clock(seconds) if seconds >= 60 else f"{seconds:.3g} s"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _not_done(survey: Survey) -> str:
    rows = [(file.path, file.status, file.reason) for file in survey.not_done[:SHOWN]]
    return _table({"file": "text", "status": "short", "reason": "text"}, rows) + _more(
        len(survey.not_done) - SHOWN, "failures.csv"
    )


def _doubts(summary: FolderSummary, link: Links) -> str:
    rows = [(Link(file.path, link(file.path)), f"{file.avg_logprob:.2f}") for file in summary.low_confidence_files]
    return _table({"file": "text", "log-probability": "number"}, rows) + _more(
        summary.low_confidence - LISTED, "transcripts.jsonl (avg_logprob)"
    )


def _silent(summary: FolderSummary, link: Links) -> str:
    table = _table({"file": "text"}, [(Link(path, link(path)),) for path in summary.silent_files])
    return table + _more(summary.silent - len(summary.silent_files), "transcripts.jsonl (no segments)")


def _made_with(summary: FolderSummary, made_with: Mapping[str, Mapping[str, str]]) -> str:
    """List what results were made with. Sums of the model's files are told only where results of different ones
    stand together."""
    pairs = [set(settings.items()) for settings in made_with.values()]
    common = set.intersection(*pairs) if pairs else set()
    tables = {
        fingerprint: _table(
            {"setting": "text", "value": "text"},
            [pair for pair in settings.items() if pair not in common or model_file_of(pair[0]) is None],
        )
        for fingerprint, settings in made_with.items()
    }
    if len(tables) == 1:
        return "".join(tables.values())
    return "\n".join(
        f"<h3>{_text(fingerprint)}: {counted(summary.made_with.get(fingerprint, 0), 'recording')}</h3>\n{table}"
        for fingerprint, table in tables.items()
    )


def _section(title: str, content: str) -> str:
    return f"<h2>{_text(title)}</h2>\n{content}" if content else ""


def _counts(name: str, of: str, counts: Mapping[str, int]) -> str:
    return _table({name: "text", of: "number"}, [(text, f"{count:,}") for text, count in counts.items()])


def _table(columns: Mapping[str, Look], rows: Iterable[Sequence[str | Link]]) -> str:
    body = "".join(
        f"<tr>{''.join(_cell(cell, look) for cell, look in zip(row, columns.values(), strict=True))}</tr>"
        for row in rows
    )
    head = "".join(f'<th class="{look}">{_text(name)}</th>' for name, look in columns.items())
    return f"<table><tr>{head}</tr>{body}</table>" if body else ""


def _cell(cell: str | Link, look: Look) -> str:
    if isinstance(cell, str):
        return f'<td class="{look}">{_text(cell)}</td>'
    return (
        f'<td class="{look}"><a href="{quote(cell.path)}">{_text(cell.text)}</a></td>'
        if cell.path
        else _cell(cell.text, look)
    )


def _more(count: int, where: str) -> str:
    return f'<p class="quiet">{count:,} more in {where}.</p>' if count > 0 else ""


def _text(text: str) -> str:
    """Return a text so that a browser shows it as it is."""
    return html.escape(escaped(text))
