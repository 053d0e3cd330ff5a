"""Runs one stage by itself, as the runner would."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import msgspec

from sutradhar.pipeline.jobs.settings import Settings, declared_settings
from sutradhar.pipeline.jobs.stage import Outcome, Stage, StageContext
from sutradhar.pipeline.jobs.workflow import Step, steps_of
from sutradhar.pipeline.models import library
from sutradhar.pipeline.progress import Progress
from sutradhar.stages import WORKFLOWS


def step_of(stage: Stage, settings: Settings) -> Step:
    """Return the stage in its place in a job with these settings; one that is in no list, alone."""
    is_listed = any(stage in stages for stages in WORKFLOWS.values())
    steps = steps_of(WORKFLOWS if is_listed else {settings.workflow: (stage,)}, settings)
    return next(step for step in steps if step.stage == stage)


class StageRun:
    """The folders of a run under `tmp_path`, its outcome, and the progress that was told."""

    def __init__(self, stage: Stage, media: Path, tmp_path: Path, **settings: object) -> None:
        self.stage = stage
        self.progress: list[tuple[float, float]] = []
        self.told: list[Progress] = []
        self.artifacts, self.scratch, self.deliverables = (tmp_path / name for name in ("artifacts", "scratch", "out"))
        for folder in (self.artifacts, self.scratch, self.deliverables):
            folder.mkdir(exist_ok=True)
        workflow = "corpus" if stage in WORKFLOWS["corpus"] else "transcribe"
        step = step_of(stage, msgspec.convert({"WORKFLOW": workflow, **settings}, Settings))
        self.context = StageContext(
            stage=stage,
            settings=declared_settings(stage.name, step.values),
            media=media,
            reads=step.reads,
            writes=step.writes,
            artifacts=self.artifacts,
            scratch=self.scratch,
            deliverables=self.deliverables,
            models=tmp_path,
            resolved={},
            pieces=tmp_path / "pieces.jsonl",
            log=logging.getLogger("test"),
            report=self._report,
        )

    def _report(self, progress: Progress) -> None:
        self.told.append(progress)
        self.progress.append((progress.done, progress.total))

    def run(self) -> Outcome:
        context = self.context
        needs = self.stage.models(context.settings)
        found = {need: library.find(need.name, need.form, models_dir=context.models) for need in needs}
        resolved = {need: model for need, model in found.items() if model}
        return self.stage.run(replace(context, resolved=resolved | dict(context.resolved)))
