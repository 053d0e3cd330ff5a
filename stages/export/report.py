"""The report on a folder of recordings: one HTML page that needs nothing else, readable in light and dark."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

from stages.export.summary import LOW_CONFIDENCE, Summary

BARS = 24
WIDTH, HEIGHT = 560, 140  # of a histogram, in its own units
SHOWN = 200  # rows of a list; the files have all
STYLE = Path(__file__).with_name("report.css").read_text(encoding="utf-8")


def page(title: str, summary: Summary, made_with: Mapping[str, str]) -> str:
    charts = (
        _histogram("Length of the recordings", summary.durations_s, "s", logarithmic=True),
        _histogram("Speed, times real time", summary.speeds, "x", logarithmic=True),
        _histogram("Confidence, mean log-probability", summary.confidences, ""),
    )
    sections = (
        _figures(summary),
        _section("Distributions", f'<div class="charts">{"".join(charts)}</div>' if summary.done else ""),
        _section("Why files failed", _table(("reason", "files"), [(reason, f"{count:,}") for reason, count in summary.reasons.items()])),
        _section("Failures", _table(("file", "status", "reason"), [(one.path, one.status, one.reason) for one in summary.failures[:SHOWN]])),
        _more(len(summary.failures), "failures.csv"),
        _section(
            f"Low confidence (below {LOW_CONFIDENCE:g})",
            _table(("file", "log-probability"), [(one.path, f"{one.avg_logprob:.2f}") for one in summary.low_confidence[:SHOWN]]),
        ),
        _more(len(summary.low_confidence), "summary.json"),
        _section("Languages", _table(("language", "files"), [(name, f"{count:,}") for name, count in summary.languages.items()])),
        _section("Made with", _table(("setting", "value"), [pair for pair in made_with.items() if not pair[0].startswith("model ")])),
    )
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}: transcripts</title>\n<style>{STYLE}</style>\n<h1>{escape(title)}</h1>\n"
        + "\n".join(part for part in sections if part)
        + "\n</html>\n"
    )


def _figures(summary: Summary) -> str:
    speed = summary.hours / summary.worker_hours if summary.worker_hours else 0.0
    figures = [
        ("files", f"{summary.files:,}"),
        ("done", f"{summary.done:,}"),
        ("hours of sound", f"{summary.hours:,.1f}"),
        ("hours of speech", f"{summary.speech_hours:,.1f}"),
        ("speed of a worker", f"{speed:,.1f}x"),
    ]
    figures += [(status, f"{count:,}") for status, count in summary.statuses.items() if status != "done"]
    figures += [(name, f"{count:,}") for name, count in (("copies", summary.copies), ("nobody speaks", summary.silent)) if count]
    line = f'<p class="bad">{escape(summary.shortfall)}</p>' if summary.shortfall else '<p class="quiet">No file failed.</p>'
    return line + "<dl>" + "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in figures) + "</dl>"


def _section(title: str, content: str) -> str:
    return f"<h2>{escape(title)}</h2>\n{content}" if content else ""


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The last column holds numbers where its first value is one."""
    rows = list(rows)
    if not rows:
        return ""
    numeric = rows[0][-1].replace(",", "").replace(".", "").lstrip("-").isdecimal()
    kinds = [' class="number"' if numeric and place == len(heads) - 1 else "" for place in range(len(heads))]
    head = "".join(f"<th{kind}>{escape(text)}</th>" for text, kind in zip(heads, kinds, strict=True))
    body = "".join("<tr>" + "".join(f"<td{kind}>{escape(text)}</td>" for text, kind in zip(row, kinds, strict=True)) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _more(count: int, file: str) -> str:
    return f'<p class="quiet">{count - SHOWN:,} more in {file}.</p>' if count > SHOWN else ""


def _histogram(title: str, values: Sequence[float], unit: str, *, logarithmic: bool = False) -> str:
    """Bars of equal width, of the values' logarithms where they spread over orders of magnitude."""
    values = [value for value in values if math.isfinite(value) and (value > 0 or not logarithmic)]
    if not values:
        return ""
    scaled = [math.log10(value) for value in values] if logarithmic else values
    low, high = min(scaled), max(scaled)
    step = (high - low) / BARS or 1.0
    counts = [0] * BARS
    for value in scaled:
        counts[min(BARS - 1, int((value - low) / step))] += 1
    most, wide = max(counts), WIDTH / BARS
    bars = "".join(_bar(place * wide + 1, wide - 2, count / most * (HEIGHT - 40), count) for place, count in enumerate(counts) if count)
    first, last = f"{_number(min(values))}{unit}", f"{_number(max(values))}{unit}"
    middle = f"median {_number(sorted(values)[len(values) // 2])}{unit}"
    marks = ((0.0, "start", first), (WIDTH / 2, "middle", middle), (float(WIDTH), "end", last))
    labels = "".join(f'<text x="{x:g}" y="{HEIGHT - 5}" text-anchor="{anchor}">{escape(text)}</text>' for x, anchor, text in marks)
    return (
        f"<figure><figcaption>{escape(title)}</figcaption>"
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}: {first} to {last}, {middle}">'
        f'<line x1="0" y1="{HEIGHT - 20}" x2="{WIDTH}" y2="{HEIGHT - 20}"/>{bars}{labels}</svg></figure>'
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _bar(x: float, width: float, height: float, count: int) -> str:
    return f'<rect x="{x:.1f}" y="{HEIGHT - 20 - height:.1f}" width="{width:.1f}" height="{height:.1f}"><title>{count:,}</title></rect>'
