"""A part of a folder's recordings, for clusters that hand out numbered pieces of work: scripts/slurm-corpus.sh runs
one a GPU.

    python -m sutradhar.stages.corpus.recognise.shard JOB 3 16

recognises what shard 3 of 16 holds. Shards share the job and write into its store alone. What any of them leaves
undone, run-pipeline.sh does, which also brings the manifest up to date and writes the report.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from sutradhar.pipeline.console import Console
from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.jobs.job import Job, find_job
from sutradhar.pipeline.jobs.job_models import JobModels
from sutradhar.pipeline.jobs.settings import declared_settings
from sutradhar.pipeline.jobs.stage import StageContext
from sutradhar.pipeline.jobs.workflow import steps_of
from sutradhar.pipeline.models import integrity
from sutradhar.pipeline.processes.channel import log_to
from sutradhar.pipeline.processes.ending import end_with, exit_code_of, signals_held
from sutradhar.pipeline.running.child import keep_temporary_files_in
from sutradhar.pipeline.workspace import Workspace
from sutradhar.stages.corpus import recognise


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m sutradhar.stages.corpus.recognise.shard",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("job", metavar="JOB")
    parser.add_argument("number", type=int, metavar="NUMBER", help="which shard, from 0")
    parser.add_argument("count", type=int, metavar="COUNT", help="how many there are")
    arguments = parser.parse_args()
    if not 0 <= arguments.number < arguments.count:
        parser.error(f"there is no shard {arguments.number} of {arguments.count}: they are counted from 0")
    os.umask(0o077)
    console = Console(sys.stderr)
    return exit_code_of(lambda: _run(arguments.job, (arguments.number, arguments.count), console), tell=console.error)


def _run(name: str, shard: tuple[int, int], console: Console) -> int:
    job = find_job(Workspace.find(), name)
    with job.lock(shared=True) as amiss, console.stage("recognise"):
        for line in amiss:
            console.warn(line)
        return _work(job, shard, console)


@contextlib.contextmanager
def _scratch(job: Job) -> Iterator[Path]:
    """Give a folder within the job: what a killed shard leaves there, run-pipeline.sh sweeps."""
    folder = job.artifacts / f".tmp-{socket.gethostname()}-{os.getpid()}-shard"
    try:
        folder.mkdir(parents=True)
        keep_temporary_files_in(folder)
        yield folder
    finally:
        with signals_held():
            shutil.rmtree(folder, ignore_errors=True)


def _work(job: Job, shard: tuple[int, int], console: Console) -> int:
    settings = job.settings()
    if settings.WORKFLOW != "corpus":
        raise UsageError(f"Job {job.id} is no folder of recordings: run it with ./run-pipeline.sh -j {job.id}")
    log = log_to(console.say)
    # No runner has started a shard, and its machine may have the model in a hub cache of its own, or not yet.
    models = JobModels(job, settings)
    resolved = {need: models.resolve(need, console.info) for need in recognise.STAGE.models(settings)}
    for model in resolved.values():
        integrity.check_content(model, job.workspace, say=console.info)
    (step,) = steps_of({"corpus": (recognise.STAGE,)}, settings)
    with _scratch(job) as scratch:
        ctx = StageContext(
            stage=step.stage,
            settings=declared_settings(step.name, step.values),
            media=job.media,
            reads=step.reads,
            writes=step.writes,
            artifacts=job.artifacts,
            scratch=scratch,
            deliverables=job.deliverables / "shard",
            models=job.workspace.models,
            resolved=resolved,
            pieces=job.pieces_path("recognise", "none"),
            log=log,
            report=console.progress,
        )
        corpus = recognise.work(ctx, shard)
    for line in corpus.degraded:
        console.warn(f"Degraded: {line}")
    pace = corpus.pace
    console.info(f"Shard {shard[0]} of {shard[1]}: {pace.done} done, {pace.failed} failed, {pace.overall()}")
    return 1 if pace.failed else 0


if __name__ == "__main__":
    end_with(main)
