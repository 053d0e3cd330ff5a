"""An evaluation as a table for people, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sutradhar.pipeline.languages import name as language_name
from sutradhar.pipeline.wording import counted, escaped
from sutradhar.stages.evaluate.evaluation import Evaluation, Judgement
from sutradhar.stages.evaluate.figures import Figure

_SCHEMA = 1
_NOTHING = "-"
_COMPARED = ("wer", "cer")  # figures whose difference from the first system's stands in the table
_GAP = "  "


def table_of(evaluation: Evaluation) -> str:
    """Return the table: a row a figure, a column a system."""
    rows = [["", *(judgement.system for judgement in evaluation.judgements)]]
    for title in _titles(evaluation):
        rows += _section(evaluation.judgements, title)
    lines = [_head(evaluation), "", *_aligned(rows)]
    told = [*_left_out(evaluation), *evaluation.notes]
    return "\n".join(map(escaped, [*lines, *([""] if told else []), *told])) + "\n"


def _head(evaluation: Evaluation) -> str:
    conditions = evaluation.conditions
    return (
        f"{counted(len(evaluation.recordings), 'recording')}, {language_name(conditions.language)}, "
        f"normaliser {conditions.normaliser}; [95 % intervals] over {evaluation.resampled_by}"
    )


def _titles(evaluation: Evaluation) -> list[str]:
    return [section.title for section in evaluation.judgements[0].sections]


def _section(judgements: Sequence[Judgement], title: str) -> Iterator[list[str]]:
    keys = dict.fromkeys(
        figure.key
        for judgement in judgements
        for section in judgement.sections
        if section.title == title
        for figure in section.figures
    )
    if keys:
        yield [title]
    for key in keys:
        figures = [judgement.figures.get(key) for judgement in judgements]
        name = next(figure.title for figure in figures if figure)
        yield [f"{_GAP}{name}", *(_shown(figure) for figure in figures)]
        if key in _COMPARED and len(judgements) > 1:
            differences = [_difference(figure, figures[0]) for figure in figures[1:]]
            if any(differences):
                yield [f"{_GAP}{_GAP}against {judgements[0].system}", "", *differences]


def _shown(figure: Figure | None) -> str:
    if figure is None or figure.value is None:
        return _NOTHING
    text = f"{figure.value:.{figure.digits}f}" + (f" {figure.unit}" if figure.unit else "")
    if bounds := figure.interval:
        text += f" [{bounds[0]:.{figure.digits}f} {bounds[1]:.{figure.digits}f}]"
    return text


def _difference(figure: Figure | None, first: Figure | None) -> str:
    found = figure.difference(first) if figure and first else None
    return f"{found[0]:+.1f} [{found[1]:+.1f} {found[2]:+.1f}]" if found else ""


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    columns = max(map(len, rows))
    widths = [max(len(row[column]) for row in rows if column < len(row)) for column in range(columns)]
    for row in rows:
        first, *others = row
        cells = (text.rjust(width) for text, width in zip(others, widths[1:], strict=False))
        yield _GAP.join([first.ljust(widths[0]), *cells]).rstrip()


def _left_out(evaluation: Evaluation) -> list[str]:
    """Say what was not measured, and why: in one line where the reason is the same for all systems."""
    lines = []
    for title in _titles(evaluation):
        reasons: dict[str, list[str]] = {}
        for judgement in evaluation.judgements:
            for section in judgement.sections:
                if section.title == title and section.left_out:
                    reasons.setdefault(section.left_out, []).append(judgement.system)
        for reason, systems in reasons.items():
            whose = "" if len(systems) == len(evaluation.judgements) else f" of {', '.join(systems)}"
            lines.append(f"Left out: {title}{whose}: {reason}")
    return lines


def document_of(evaluation: Evaluation) -> dict[str, Any]:
    """Return what JSON gets: all figures, with their bounds where they have any."""
    first = evaluation.judgements[0].figures
    return {
        "schema": _SCHEMA,
        "language": evaluation.conditions.language,
        "normaliser": evaluation.conditions.normaliser,
        "recordings": evaluation.recordings,
        "resampled_by": evaluation.resampled_by,
        "systems": [_judgement(judgement, first) for judgement in evaluation.judgements],
        "notes": evaluation.notes,
    }


def _judgement(judgement: Judgement, first: dict[str, Figure]) -> dict[str, Any]:
    return {
        "system": judgement.system,
        "figures": {key: _figure(figure, first.get(key)) for key, figure in judgement.figures.items()},
        "left_out": {section.title: section.left_out for section in judgement.sections if section.left_out},
    }


def _figure(figure: Figure, first: Figure | None) -> dict[str, Any]:
    found: dict[str, Any] = {"title": figure.title, "value": figure.value, "unit": figure.unit}
    if bounds := figure.interval:
        found["interval"] = bounds
    if first and first is not figure and (difference := figure.difference(first)):
        found["against_first"] = {"difference": difference[0], "interval": difference[1:]}
    return found
