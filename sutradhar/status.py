"""`sutradhar status`: what `run-pipeline.sh --status` tells."""

from __future__ import annotations

from collections.abc import Sequence

from sutradhar.pipeline.commands import Parser
from sutradhar.pipeline.running import run

EXAMPLES = """\
examples:
  sutradhar status                       the jobs that run; where none does, the newest
  sutradhar status 20261121-film-1       this job, also while it runs in another shell
  sutradhar run --list                   all jobs, a line each

exit codes: 0 told, 2 no such job
"""


def main(argv: Sequence[str] | None = None) -> int:
    parser = Parser(
        prog="sutradhar status",
        description="Show how far a job is, stage by stage, and the files that it has written.",
        epilog=EXAMPLES,
        example="sutradhar status 20261121-film-1",
    )
    parser.add_argument(
        "job", metavar="JOB", nargs="?", help="its id, its title, or a part of the id that no other has"
    )
    job = parser.parse_args(argv).job
    return run.main(["--status", *([job] if job else [])])
