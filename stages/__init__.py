"""The work. Each name is a module with a `STAGE`; a workflow runs its stages in this order, those that the job
wants."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sutradhar.pipeline.jobs.stage import Stage

    WORKFLOWS: dict[str, tuple[Stage, ...]]

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


def __getattr__(name: str) -> object:
    """Load the stages when `WORKFLOWS` is asked for: descriptions of engines are read without them."""
    if name != "WORKFLOWS":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return {"film": _stages("film", FILM), "corpus": _stages("corpus", CORPUS)}


def _stages(workflow: str, names: tuple[str, ...]) -> tuple[Stage, ...]:
    return tuple(import_module(f"{__name__}.{workflow}.{name}").STAGE for name in names)
