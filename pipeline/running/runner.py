"""Run the stages of a job that are due, in order, each in a child process, and publish what they made.

What a stage writes appears in its place only when it is complete, and its marker is written after everything it names.
So a run may be killed at any moment: the next one finds each stage either done or not begun.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
import shutil
import socket
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from msgspec.structs import replace

from sutradhar.pipeline.console import Console
from sutradhar.pipeline.errors import Interrupted, StageFailed, SutradharError, UsageError, in_one_line
from sutradhar.pipeline.files import record, write_atomic
from sutradhar.pipeline.jobs import leftovers, markers, publish
from sutradhar.pipeline.jobs.freshness import outside_records, staleness
from sutradhar.pipeline.jobs.job import Job, Running
from sutradhar.pipeline.jobs.job_models import JobModels
from sutradhar.pipeline.jobs.markers import MEDIA, Marker
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.jobs.stage import ModelNeed, Stage
from sutradhar.pipeline.jobs.workflow import Step, steps_of
from sutradhar.pipeline.machine import hardware
from sutradhar.pipeline.media.watch import MediaWatch
from sutradhar.pipeline.models import integrity
from sutradhar.pipeline.models.form import ResolvedModel
from sutradhar.pipeline.processes.ending import signals_held
from sutradhar.pipeline.progress import Progress
from sutradhar.pipeline.running import stage_process
from sutradhar.pipeline.running.child import Assignment
from sutradhar.pipeline.wording import escaped
from sutradhar.pipeline.workspace import VERSION

RUNNING_INTERVAL = 1.0  # seconds between two notes of how far the run is
USED_BY_THE_RUNNER = {"OFFLINE", "WORKFLOW", "TRANSLATION_ENGINE", "CUDA_VISIBLE_DEVICES", "OUT_MODE"}
PRIVATE = 0o600  # the mode that files have by themselves
Models = Mapping[ModelNeed, ResolvedModel]


@dataclass(frozen=True)
class Plan:
    """The part of a workflow to run."""

    start: str = ""  # this stage and all after it run again
    until: str = ""  # no stage after this one runs
    force: tuple[str, ...] = ()  # these run again
    verify: bool = False  # read every file in full instead of trusting size and time


@dataclass
class Summary:
    """The deeds of a run, for the last lines of its output."""

    job: Job
    ran: list[str] = field(default_factory=list)
    seconds: float = 0.0
    before: dict[str, float] = field(default_factory=dict)  # by stage: the share of its work that earlier runs had kept
    decoded_seconds: float = 0.0  # length of the film as decoded, which may be more than its header tells
    degraded: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)


def run_job(
    job: Job, workflows: Mapping[str, Sequence[Stage]], plan: Plan, changes: Mapping[str, str], console: Console
) -> Summary:
    """Bring a job to its end, after writing `changes` into its settings. Raises UsageError, JobBusy, StageFailed,
    Interrupted."""
    with job.lock() as amiss, console.logging_to(job.logs / "pipeline.log"), contextlib.ExitStack() as begun:
        for line in amiss:
            console.warn(line)
        try:
            job.note_stopped()  # the note of a run that was killed is not this one's
            leftovers.sweep_workspace(job.workspace)
            leftovers.sweep(job.folder, job.artifacts, job.deliverables)  # safe: a stage's child dies with its runner
            text, settings = job.changed_settings(changes) if changes else ("", job.settings())
            run = JobRun(job, steps_of(workflows, settings), settings, plan, console)
            begun.callback(run.close)
            selected = run.prepare()
            with _written(job, text, changes, console) if changes else contextlib.nullcontext():
                run.warn_of_idle(changes)
                job.note_failure("")
                summary = run.run(selected, changes)
                run.finish()
            job.note_success()
            summary.degraded[:0] = amiss
            return summary
        except Interrupted:
            job.note_interruption()
            raise
        except (SutradharError, OSError) as error:
            job.note_failure(in_one_line(error))
            raise
        finally:
            job.note_stopped()


@contextlib.contextmanager
def _written(job: Job, text: str, changes: Iterable[str], console: Console) -> Iterator[None]:
    """Give the job new settings, and the old ones again where a stage refuses the new."""
    before = job.env_path.read_bytes()
    job.write_settings(text)
    console.info(f"Written to {job.env_path.name}: {', '.join(changes)}")
    try:
        yield
    except UsageError:
        if job.env_path.read_bytes() == text.encode():
            write_atomic(job.env_path, before)
            console.warn(f"{job.env_path.name} is as it was before: {', '.join(changes)} was not kept")
        raise


class JobRun:
    """One run of one job, with the lock held."""

    def __init__(self, job: Job, steps: Sequence[Step], settings: Settings, plan: Plan, console: Console) -> None:
        self.job = job
        self.steps = steps
        self.settings = settings
        self.models = JobModels(job, settings)
        self.plan = plan
        self.console = console
        self.watch: MediaWatch | None = None  # None for a folder
        self.started = time.monotonic()
        self.before: dict[str, float] = {}  # by stage that ran: the share of its work that earlier runs had kept

    def prepare(self) -> list[Step]:
        """Return the stages of the plan, once all that can keep one of them from working has been looked at. Raises
        UsageError."""
        self.console.info(f"Job {self.job.id}: {self.settings.WORKFLOW} {self.job.media.name}")
        self._check_media()
        selected = self._selected()
        for stage in (step.stage for step in selected):
            stage.check(self.settings)
            for name in stage.files(self.settings):
                stage.check_file(self.job.folder / name)
        due = self._due(selected)
        for stage in due:
            stage.foresee(self.job.media, self.settings)
        self._provide(due)
        if self.plan.verify:
            self._verify_models([step.stage for step in selected])
        return selected

    def run(self, selected: Sequence[Step], changes: Iterable[str] = ()) -> Summary:
        summary = Summary(self.job, before=self.before)
        for step in selected:
            marker, ran = self._bring_up_to_date(step)
            if (mode := int(self.settings.OUT_MODE, 8)) != PRIVATE or "OUT_MODE" in changes:
                publish.let_read(self.job, mode)
            if ran:
                summary.ran.append(step.name)
            if step.stage.reads_media and marker.seconds_of_media:
                summary.decoded_seconds = marker.seconds_of_media
            summary.degraded += [f"{step.name}: {line}" for line in marker.degraded]
            summary.failures += [marker.failures] if marker.failures else []
            summary.files += [self.job.deliverables / name for name in marker.deliverables]
            trees = [self.job.deliverables / name for name in step.stage.trees]
            summary.files += [tree for tree in trees if tree.is_dir() and tree not in summary.files]
        summary.seconds = time.monotonic() - self.started
        return summary

    def finish(self) -> None:
        if self.watch:
            self.watch.finish(self.console.info)

    def close(self) -> None:
        """Leave nothing at work that belongs to the job, whichever way the run ends."""
        if self.watch:
            self.watch.close()

    def warn_of_idle(self, changes: Iterable[str]) -> None:
        used = {key for step in self.steps for key in step.values} | USED_BY_THE_RUNNER
        if idle := sorted(set(changes) - used):
            self.console.warn(
                f"{', '.join(idle)}: no stage of this job uses {'it' if len(idle) == 1 else 'them'}, so nothing changes"
            )

    def _check_media(self) -> None:
        prepared = self.job.request.media_record
        if prepared is None:
            if not self.job.media.is_dir():
                raise UsageError(f"{self.job.media} is no folder any more; put it back, or {self._where_it_is}")
            return
        try:
            self.watch = MediaWatch(self.job.media, self.job.folder)
            reads = any(step.stage.reads_media for step in self.steps)  # lists of recordings may grow
            changed = self.watch.verify(_now()) if self.plan.verify and reads else ""
        except OSError as error:
            raise UsageError(
                f"Cannot read {self.job.media}: {error.strerror}; put the file back, or {self._where_it_is}"
            ) from None
        if changed:
            self.console.warn(changed)
        elif self.watch.record.sha256 != prepared.sha256 and reads:
            self.console.warn(
                f"{self.job.media.name} is not the file that the job was prepared for; working on the new one"
            )

    @property
    def _where_it_is(self) -> str:
        return f"write where it is now into {self.job.folder}/job.json, as media"

    def _selected(self) -> list[Step]:
        names = [step.name for step in self.steps]
        for name in (self.plan.start, self.plan.until, *self.plan.force):
            if name and name not in names:
                raise UsageError(f"No stage {name!r} in this job; its stages are {', '.join(names)}")
        last = names.index(self.plan.until) if self.plan.until else len(names) - 1
        for name in (self.plan.start, *self.plan.force):
            if name and names.index(name) > last:
                raise UsageError(f"Stage {name} comes after --until {self.plan.until}; leave one of them away")
        return list(self.steps[: last + 1])

    def _due(self, selected: Sequence[Step]) -> list[Stage]:
        """Return the first stage that has to run, and all after it, since they may have to."""
        due = itertools.dropwhile(lambda step: not self._why_run(step, self._marker(step.stage)), selected)
        return [step.stage for step in due]

    def _marker(self, stage: Stage) -> Marker | None:
        return markers.read_marker(self.job.marker_path(stage.name), lambda warning: None)

    def _provide(self, due: Sequence[Stage]) -> None:
        """Check that the machine can run every engine, and has every model, before the first stage starts: not
        hours later."""
        workspace = self.job.workspace
        for engine in (need for stage in due for need in stage.engines(self.settings)):
            place = engine.backend, engine.device, workspace.hardware_cache, self.console
            hardware.check(*place, engine.setting, engine.everywhere)
        for need in dict.fromkeys(need for stage in due for need in stage.models(self.settings)):
            model = self.models.resolve(need, self.console.info)
            integrity.check_content(model, workspace, say=self.console.info)

    def _verify_models(self, selected: Sequence[Stage]) -> None:
        """Verify the models that are here, also those of stages that are done. Raises UsageError."""
        for need in dict.fromkeys(need for stage in selected for need in stage.models(self.settings)):
            if model := self.models.find(need):
                integrity.check_content(model, self.job.workspace, verify=True, say=self.console.info)

    def _bring_up_to_date(self, step: Step) -> tuple[Marker, bool]:
        stage = step.stage
        marker = markers.read_marker(self.job.marker_path(stage.name), self.console.warn)
        reason = self._why_run(step, marker)
        if marker and not reason:
            self._drop_pieces(stage)
            self.console.info(f"⏭  Stage {stage.name}: SKIPPED (already completed)")
            return marker, False
        if marker:
            self.console.info(f"Stage {stage.name} runs again: {reason}")
        return self._run_stage(step, marker), True

    def _asked_again(self, stage: Stage) -> str:
        """Return the option that asks for the stage from the beginning; "" where none does."""
        names = [step.name for step in self.steps]
        if self.plan.start and names.index(stage.name) >= names.index(self.plan.start):
            return f"--from {self.plan.start}"
        return f"--force {stage.name}" if stage.name in self.plan.force else ""

    def _why_run(self, step: Step, marker: Marker | None) -> str:
        """Say why the stage has to run; "" where it need not."""
        if asked := self._asked_again(step.stage):
            return asked
        if marker is None:
            return "it has not run yet"
        if step.stage.always:
            return "it looks for what is new"
        media_record = self.watch.record if self.watch else None
        return staleness(self.job, step, marker, self.settings, self.models, media_record, verify=self.plan.verify)

    def _run_stage(self, step: Step, old: Marker | None) -> Marker:
        stage = step.stage
        started_at, started = _now(), time.monotonic()
        models = {need: self.models.resolve(need, self.console.info) for need in stage.models(self.settings)}
        self.console.info(f"▶️  Stage {stage.name}: STARTING")
        inputs = {name: record(self.job.artifacts / name) for name in step.reads.values()}
        inputs |= outside_records(self.job, stage, self.settings, self.models)
        if stage.reads_media and self.watch:
            self.watch.look(f"before {stage.name} reads it")
            inputs[MEDIA] = self.watch.record
        pieces = self._pieces(stage, markers.fingerprint(inputs, step.settings))
        with self._scratch(stage) as (scratch, deliverables):
            result = self._call_watched(step, models, scratch, deliverables, pieces)
            outcome = result.outcome
            self.before[stage.name] = result.before
            written = step.writes.values()
            made = publish.synced_records(scratch, written)
            if absent := [name for name in written if name not in made or not made[name].size]:
                raise StageFailed(f"Stage {stage.name} ended without writing {', '.join(absent)}; please report this")
            marker = Marker(
                stage=stage.name,
                inputs=inputs,
                outputs=made,
                deliverables=publish.synced_records(deliverables, sorted(path.name for path in deliverables.iterdir())),
                settings=dict(step.settings),
                summary=escaped(outcome.summary),
                engine=outcome.engine,
                packages=result.packages,
                degraded=tuple(map(escaped, outcome.degraded)),
                failures=escaped(outcome.failures),
                started_at=started_at,
                ended_at=_now(),
                seconds=round(time.monotonic() - started, 3),
                seconds_of_media=outcome.seconds_of_media and outcome.seconds_of_media * (1 - result.before),
                attempt=result.attempt,
                tool_version=VERSION,
            )
            with signals_held():
                publish.publish(self.job, marker, old, scratch, deliverables, self.console.warn)
        self._drop_pieces(stage)
        self.job.note_completed(stage.name)
        # The summary of a folder tells it all in a moment; for a film hours may pass until then.
        warn = self.console.log_warning if self.settings.workflow == "corpus" else self.console.warn_of_deed
        for line in marker.degraded:
            warn(line)
        self.console.info(marker.summary)
        self.console.info(f"✅ Stage {stage.name}: COMPLETED ({marker.seconds:.1f}s)")
        return marker

    @contextlib.contextmanager
    def _scratch(self, stage: Stage) -> Iterator[tuple[Path, Path]]:
        """Give two empty folders on the file systems where the results will be, removed afterwards."""
        name = f".tmp-{os.getpid()}-{stage.name}"
        folders = self.job.artifacts / name, self.job.deliverables / name
        try:
            for folder in folders:
                folder.mkdir(parents=True)
            yield folders
        finally:
            with signals_held():
                for folder in folders:
                    shutil.rmtree(folder, ignore_errors=True)

    def _call_watched(
        self, step: Step, models: Models, scratch: Path, deliverables: Path, pieces: Path
    ) -> stage_process.Result:
        """Call the stage as `_call` does. Where the film changed meanwhile, that is the error raised, whatever the
        stage made of it."""
        if not step.stage.reads_media or not self.watch:
            return self._call(step, models, scratch, deliverables, pieces)
        self.watch.read_whole()
        try:
            result = self._call(step, models, scratch, deliverables, pieces)
        except (StageFailed, UsageError):
            self.watch.look(f"while {step.name} read it")
            raise
        self.watch.look(f"while {step.name} read it")
        return result

    def _pieces(self, stage: Stage, fingerprint: str) -> Path:
        """Return the path where the stage keeps what it has done, once all is removed that this run may not go on
        from."""
        path = self.job.pieces_path(stage.name, fingerprint)
        for other in path.parent.glob("*"):
            if other != path or self._asked_again(stage):
                other.unlink()
        if stage.in_pieces:
            path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _drop_pieces(self, stage: Stage) -> None:
        """Remove the pieces of a complete stage: nothing will go on from them."""
        shutil.rmtree(self.job.pieces_path(stage.name, "").parent, ignore_errors=True)

    def _call(
        self, step: Step, models: Models, scratch: Path, deliverables: Path, pieces: Path
    ) -> stage_process.Result:
        assignment = Assignment(
            workflow=self.settings.workflow,
            stage=step.name,
            settings=dict(step.values),
            media=self.job.media,
            reads=dict(step.reads),
            writes=dict(step.writes),
            artifacts=self.job.artifacts,
            scratch=scratch,
            deliverables=deliverables,
            models=self.job.workspace.models,
            resolved=tuple(models.items()),
            pieces=pieces,
            verify=self.plan.verify,
            cuda_visible_devices=self.settings.CUDA_VISIBLE_DEVICES,
        )
        started, noted = time.monotonic(), -RUNNING_INTERVAL
        latest = Running(os.getpid(), socket.gethostname(), step.name)

        def progress(progress: Progress) -> None:
            nonlocal noted, latest
            self.console.progress(progress)
            seconds = time.monotonic() - started
            is_new = progress.kept != latest.progress.kept
            latest = replace(latest, progress=progress, seconds=round(seconds, 1))
            if is_new or seconds - noted >= RUNNING_INTERVAL:
                noted = seconds
                self.job.note_running(latest)

        self.job.note_running(latest)
        try:
            with self.console.stage(step.name):
                result = stage_process.call(assignment, self.job.logs / f"{step.name}.log", self.console, progress)
            return dataclasses.replace(result, before=_share_before(step.stage, latest.progress))
        finally:
            self.job.note_running(latest)


def _share_before(stage: Stage, progress: Progress) -> float:
    """Return the share of the work of a finished stage that earlier runs of it had kept."""
    return progress.already / progress.total if stage.in_pieces and progress.total else 0.0


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")
