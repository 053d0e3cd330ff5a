"""The project's folders, and the rules for a job id."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.installed import CLONE, IS_CLONE

VERSION = "0.1.0"
JOB_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@dataclass(frozen=True)
class Workspace:
    """The folder that holds `jobs/`, `out/` and `models/`: `$SUTRADHAR_HOME`, or the clone, or the user's own data
    folder."""

    root: Path

    @classmethod
    def find(cls) -> Workspace:
        return cls(
            Path(os.environ.get("SUTRADHAR_HOME") or (CLONE if IS_CLONE else user_folder())).expanduser().resolve()
        )

    def require_writable(self) -> None:
        """Raise UsageError, with the way out, where the folder is read-only: it may hold the code, or be shared by
        many."""
        for folder in (self.jobs, self.out):
            nearest = next(path for path in (folder, *folder.parents) if path.exists())
            if os.access(nearest, os.W_OK | os.X_OK):
                continue
            what = "SUTRADHAR_HOME: set it to" if self.root != CLONE else "it: set SUTRADHAR_HOME to"
            raise UsageError(
                f"{nearest} may not be written by you, "
                f"and jobs, results and models go below {what} a folder of your own"
                " (export SUTRADHAR_HOME=~/sutradhar), and run the same command again"
            )

    @property
    def jobs(self) -> Path:
        return self.root / "jobs"

    @property
    def out(self) -> Path:
        return self.root / "out"

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def folders(self) -> tuple[Path, ...]:
        """Return all of this project's folders below it."""
        return self.jobs, self.out, self.models

    @property
    def hardware_cache(self) -> Path:
        return self.out / "hardware_cache.json"


def user_folder() -> Path:
    """Return the folder of a user's data by the customs of the system: `$XDG_DATA_HOME`, or below Library on a Mac."""
    if given := os.environ.get("XDG_DATA_HOME"):
        return Path(given) / "sutradhar"
    return Path("~/Library/Application Support/sutradhar" if sys.platform == "darwin" else "~/.local/share/sutradhar")


def check_job_id(job_id: str) -> str:
    """Return the id itself. Raises UsageError, before any path is built of it, where it is not a job id."""
    if not JOB_ID.fullmatch(job_id):
        raise UsageError(f"{job_id[:80]!r} is no job id: use a to z, 0 to 9 and '-', at most 63 characters")
    return job_id
