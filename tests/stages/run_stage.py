"""Runs one stage by itself, as the runner would."""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from pipeline.settings import Settings
from pipeline.stage import Outcome, Progress, Stage, StageContext


class StageRun:
    """The folders of a run under `tmp_path`, its outcome, and the progress that was told."""

    def __init__(self, stage: Stage, media: Path, tmp_path: Path, **settings: object) -> None:
        self.stage = stage
        self.progress: list[tuple[float, float]] = []
        self.told: list[Progress] = []
        self.artifacts, self.scratch, self.deliverables = (tmp_path / name for name in ("artifacts", "scratch", "out"))
        for folder in (self.artifacts, self.scratch, self.deliverables):
            folder.mkdir(exist_ok=True)
        self.context = StageContext(
            stage=stage,
            settings=msgspec.convert(settings, Settings),
            media=media,
            artifacts=self.artifacts,
            scratch=self.scratch,
            deliverables=self.deliverables,
            models=tmp_path,
            pieces=tmp_path / "pieces.jsonl",
            log=logging.getLogger("test"),
            report=self._report,
        )

    def _report(self, progress: Progress) -> None:
        self.told.append(progress)
        self.progress.append((progress.done, progress.total))

    def run(self) -> Outcome:
        return self.stage.run(self.context)
