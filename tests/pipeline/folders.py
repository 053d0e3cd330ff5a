"""Jobs for folders of recordings, on the stages of tests/fakes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from sutradhar.pipeline import media
from sutradhar.pipeline.jobs import envfile
from sutradhar.pipeline.jobs.job import Job, Request
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.workspace import Workspace


def folder_job(home: Path, *names: str, job_id: str = "calls-1") -> Job:
    """A job for `home/calls`, in which such files are."""
    calls = home / "calls"
    calls.mkdir(exist_ok=True)
    for name in names:
        (calls / name).write_text(name)
    return corpus_job(home, calls, job_id)


def corpus_job(home: Path, source: Path, job_id: str) -> Job:
    record = None if source.is_dir() else media.identity(source)
    request = Request(job_id=job_id, media=str(source), media_record=record, duration_ms=0, created_at="2026-01-01")
    return Job.create(Workspace(home), request, envfile.render(Settings(WORKFLOW="corpus"), "Job", {}))


def stages_of(job: Job) -> list[str]:
    """The lines of `--status` for the stages, with a blank between words, and without the times."""
    lines = (" ".join(line.split()) for line in run_pipeline(job, "--status", job.id)[1].splitlines()[1:])
    return [
        re.sub(r" \d+\.\ds; .*", "", line) for line in lines if line.split()[0] in ("copy", "shout", "look", "tell")
    ]


def run_pipeline(job: Job, *arguments: str) -> tuple[int, str]:
    """The exit code and the output of `run-pipeline.sh`."""
    done = subprocess.run(
        [sys.executable, "-m", "sutradhar.pipeline.running.run", *arguments],
        env=os.environ | {"SUTRADHAR_HOME": str(job.workspace.root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout
