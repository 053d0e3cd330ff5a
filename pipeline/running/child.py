"""One run of one stage, in a process of its own: a child of `processes.channel`, which is sent an Assignment."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, Any

import msgspec

from sutradhar.pipeline.jobs.settings import declared_settings
from sutradhar.pipeline.jobs.stage import ModelNeed, Outcome, Stage, StageContext
from sutradhar.pipeline.models.form import ResolvedModel
from sutradhar.pipeline.processes import channel
from sutradhar.pipeline.processes.channel import Broken, EventWriter, Note
from sutradhar.pipeline.progress import Progress


class Assignment(msgspec.Struct, frozen=True):
    workflow: str
    stage: str
    settings: dict[str, Any]  # those that the stage declares
    media: Path
    reads: dict[str, str]  # by kind, the paths of artifacts
    writes: dict[str, str]
    artifacts: Path
    scratch: Path
    deliverables: Path
    models: Path
    pieces: Path
    resolved: tuple[tuple[ModelNeed, ResolvedModel], ...]  # the models that the stage needs
    verify: bool = False
    cuda_visible_devices: str = ""


class Finished(msgspec.Struct, frozen=True, tag=True):
    outcome: Outcome
    packages: dict[str, str]


LastWord = Finished | Broken
Event = Progress | Note | LastWord


def run_stage(stage: Stage, assignment: Assignment, events: EventWriter) -> LastWord:
    context = StageContext(
        stage=stage,
        settings=declared_settings(stage.name, assignment.settings),
        media=assignment.media,
        reads=assignment.reads,
        writes=assignment.writes,
        artifacts=assignment.artifacts,
        scratch=assignment.scratch,
        deliverables=assignment.deliverables,
        models=assignment.models,
        resolved=dict(assignment.resolved),
        pieces=assignment.pieces,
        log=logging.getLogger("sutradhar"),
        report=events.progress,
        verify=assignment.verify,
    )

    def work() -> Finished:
        outcome = stage.run(context)
        return Finished(outcome, _versions(outcome.packages))

    return channel.boundary(work, (context.artifacts.parent, context.deliverables.parent))


def _versions(distributions: tuple[str, ...]) -> dict[str, str]:
    versions = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in distributions:
        with contextlib.suppress(PackageNotFoundError):
            versions[name] = version(name)
    return versions


def keep_temporary_files_in(scratch: Path) -> None:
    """Send the temporary files of libraries and their processes to the scratch folder: they go with it, however the
    processes end. Ray's stay elsewhere, since its sockets need short paths."""
    os.environ.setdefault("RAY_TMPDIR", tempfile.gettempdir())
    folder = scratch / "tmp"
    with contextlib.suppress(OSError):  # a full disk is told by the stage
        folder.mkdir()
        os.environ["TMPDIR"] = tempfile.tempdir = str(folder)


def main() -> None:
    channel.serve(Assignment, _run)


def _run(assignment: Assignment, incoming: IO[bytes], events: EventWriter) -> LastWord:
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # onnxruntime reports to Microsoft otherwise
    keep_temporary_files_in(assignment.scratch)
    if assignment.cuda_visible_devices:
        os.environ["CUDA_VISIBLE_DEVICES"] = assignment.cuda_visible_devices
    from sutradhar.stages import WORKFLOWS

    stage = next(stage for stage in WORKFLOWS[assignment.workflow] if stage.name == assignment.stage)
    return run_stage(stage, assignment, events)
