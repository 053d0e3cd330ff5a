"""The work. Each name is a module with a `STAGE`; a workflow runs its stages in this order, those that the job wants."""

from __future__ import annotations

from importlib import import_module

from pipeline.stage import Stage

FILM = (
    "demux",
    "vad",
    "asr",
    "align",
    "translate",
    "rescue",
    "subtitles",
    "mux",
)
CORPUS = (
    "scan",
    "recognise",
    "export",
)


def _stages(names: tuple[str, ...]) -> tuple[Stage, ...]:
    return tuple(import_module(f"stages.{name}").STAGE for name in names)


WORKFLOWS = {"film": _stages(FILM), "corpus": _stages(CORPUS)}
