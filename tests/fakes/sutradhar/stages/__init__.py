"""The fake stages, read as the real ones are, and the real descriptions of engines, which the pipeline reads."""

from __future__ import annotations

from pathlib import Path

__path__.append(str(Path(__file__).parents[4] / "sutradhar" / "stages"))


def __getattr__(name: str) -> object:
    if name != "WORKFLOWS":
        raise AttributeError(name)
    from .workflows import WORKFLOWS

    return WORKFLOWS
