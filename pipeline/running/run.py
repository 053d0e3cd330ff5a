"""The command `run-pipeline.sh`: it runs prepared jobs, and tells how they stand."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sutradhar.pipeline.commands import Parser
from sutradhar.pipeline.errors import INTERRUPTED, Interrupted, JobBusy, UsageError
from sutradhar.pipeline.processes.ending import code_of, end_with, exit_code_of_output, take_signals, tidying_up
from sutradhar.pipeline.workspace import VERSION, Workspace

if TYPE_CHECKING:
    from sutradhar.pipeline.console import Console
    from sutradhar.pipeline.jobs.job import Job
    from sutradhar.pipeline.running.runner import Plan, Summary

EXAMPLES = """\
examples:
  ./run-pipeline.sh -j 20261121-film-1                 run a job, or go on where it stopped
  ./run-pipeline.sh -j 20261121-film-1 --set WHISPER_BEAM_SIZE=1   change a setting; only what depends on it runs again
  ./run-pipeline.sh -j 20261121-film-1 --from subtitles            run this stage and all after it again
  ./run-pipeline.sh --all                              every job that is not finished, one after another
  ./run-pipeline.sh --status 20261121-film-1           how far a job is, also while it runs in another shell
  ./run-pipeline.sh --list                             all jobs, a line each

Of a folder of recordings every result stays in the store, also with --from and --force. \
To begin anew, remove jobs/<job-id>/results.

exit codes: 0 all done, 1 a stage failed or some recordings of a folder have no transcript, 2 usage or settings,
75 the job is running elsewhere, 129/130/143 interrupted
"""


def make_parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="run-pipeline.sh",
        description="Run the stages of prepared jobs. "
        "What is done already is skipped, so the same command goes on after an interruption.",
        epilog=EXAMPLES,
        example="./run-pipeline.sh -j 20261121-film-1",
        names="-j",
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "-j",
        "--job",
        nargs="+",
        metavar="JOB",
        help="jobs to run, one after another: ids, titles, or parts of ids that no other has",
    )
    what.add_argument("--all", action="store_true", help="run every job that is not finished, oldest first")
    what.add_argument("--list", action="store_true", help="list all jobs")
    what.add_argument(
        "--status",
        nargs="?",
        const="",
        metavar="JOB",
        help="show the stages of a job (without JOB: of all that run, or the newest)",
    )
    parser.add_argument(
        "--from",
        dest="start",
        default="",
        metavar="STAGE",
        help="run this stage and all after it again; see below for folders",
    )
    parser.add_argument("--until", default="", metavar="STAGE", help="stop after this stage")
    parser.add_argument(
        "--force",
        action="append",
        default=[],
        metavar="STAGE",
        help="run this stage again even if nothing changed (repeatable)",
    )
    parser.add_argument(
        "--verify", action="store_true", help="read every file in full to see whether it is as it was made"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="changes",
        help="write a setting into the job's .env first (repeatable)",
    )
    parser.add_argument("--version", action="version", version=f"Sutradhar {VERSION}")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    arguments = make_parser().parse_args(argv)
    from sutradhar.pipeline.console import Console

    return run(arguments, Console(sys.stdout), Workspace.find())


def run(arguments: argparse.Namespace, console: Console, workspace: Workspace) -> int:
    os.umask(0o077)  # recordings are private: folders 0700, files 0600
    take_signals(Interrupted.message)
    return code_of(lambda: _run(arguments, console, workspace), console.error)


def _run(arguments: argparse.Namespace, console: Console, workspace: Workspace) -> int:
    if arguments.list or arguments.status is not None:
        return _show(arguments, console, workspace)
    workspace.require_writable()
    return _run_jobs(_chosen(arguments, workspace), arguments, console)


def _chosen(arguments: argparse.Namespace, workspace: Workspace) -> list[Job]:
    from sutradhar.pipeline.jobs import status
    from sutradhar.pipeline.jobs.job import all_jobs, find_job

    if arguments.all:
        return [job for job in all_jobs(workspace) if status.of_job(job) is not status.JobState.DONE]
    return [find_job(workspace, name) for name in arguments.job]


def _show(arguments: argparse.Namespace, console: Console, workspace: Workspace) -> int:
    from sutradhar.pipeline.jobs import status
    from sutradhar.pipeline.jobs.job import all_jobs, closed_jobs, find_job
    from sutradhar.pipeline.wording import counted

    jobs = all_jobs(workspace)
    if closed := closed_jobs(workspace):
        console.warn(
            f"{counted(closed, 'job')} in {workspace.jobs} may not be read by you; "
            "SUTRADHAR_HOME says where jobs of your own are"
        )
    if arguments.list:
        for line in status.listing(jobs):
            console.print(line)
        return exit_code_of_output(console.fault)
    if not arguments.status and not jobs:
        raise UsageError(f"There is no job in {workspace.jobs} yet; ./prepare-job.sh makes one")
    chosen = [find_job(workspace, arguments.status)] if arguments.status else status.of_interest(jobs)
    for number, job in enumerate(chosen):
        for line in ["", *status.report(job)] if number else status.report(job):
            console.print(line)
    return exit_code_of_output(console.fault)


def _run_jobs(jobs: list[Job], arguments: argparse.Namespace, console: Console) -> int:
    from sutradhar.pipeline.jobs import envfile
    from sutradhar.pipeline.running.runner import Plan

    changes = envfile.parse_assignments(arguments.changes)
    plan = Plan(arguments.start, arguments.until, tuple(arguments.force), arguments.verify)
    codes: list[int] = []
    for job in jobs:  # one job's failure does not keep the next from running; an interruption does
        codes.append(code_of(partial(_run_one, job, plan, changes, console), console.error))
        if codes[-1] > INTERRUPTED:
            return codes[-1]
    if len(jobs) > 1:
        console.info(f"{codes.count(0)} of {len(jobs)} jobs done")
    if not jobs:
        console.info("Every job is done; nothing to run")
    return next((code for code in (1, 2, JobBusy.exit_code) if code in codes), 0)


def _run_one(job: Job, plan: Plan, changes: dict[str, str], console: Console) -> int:
    from sutradhar.pipeline.running.runner import run_job
    from sutradhar.stages import WORKFLOWS

    try:
        with tidying_up():
            summary = run_job(job, WORKFLOWS, plan, changes, console)
    except Interrupted as error:
        error.args = (f"Interrupted; ./run-pipeline.sh -j {job.id} goes on from here{_kept(job)}",)
        raise
    _tell(summary, console)
    return 1 if summary.failures else 0


def _kept(job: Job) -> str:
    from sutradhar.pipeline.jobs.status import kept

    stopped = job.stopped()
    return f": {kept(stopped.progress)}" if stopped and stopped.progress.kept else ""


def _tell(summary: Summary, console: Console) -> None:
    media_seconds = summary.decoded_seconds or summary.job.request.duration_ms / 1000
    if worked := media_seconds * (1 - _done_before(summary)):
        speed = f"{worked / summary.seconds:.1f}x real time, real-time factor {summary.seconds / worked:.2f}"
        whole = "" if worked == media_seconds else f"the rest of {media_seconds:.1f}s: "
        console.info(
            f"Job {summary.job.id}: done in {summary.seconds:.1f}s for {whole}{worked:.1f}s of media ({speed})"
        )
    elif summary.ran:
        console.info(f"Job {summary.job.id}: done in {summary.seconds:.1f}s")
    else:
        console.info(f"Job {summary.job.id}: everything was done already")
    for line in summary.degraded:
        console.warn(f"Degraded: {line}")
    for path in summary.files:
        console.info(f"  {_short(path)}{'/' if path.is_dir() else ''}")
    for line in summary.failures:
        console.error(line)


def _done_before(summary: Summary) -> float:
    """Return the share that earlier runs had done of the work that the speed is told by; 1 where none of it was
    left."""
    from sutradhar.stages import WORKFLOWS

    paced = {stage.name for stages in WORKFLOWS.values() for stage in stages if stage.sets_pace}
    return min((share for name, share in summary.before.items() if name in paced), default=1.0)


def _short(path: Path) -> str:
    with contextlib.suppress(ValueError, OSError):  # the working directory may be gone
        return str(path.relative_to(Path.cwd()))
    return str(path)


if __name__ == "__main__":
    end_with(main)
