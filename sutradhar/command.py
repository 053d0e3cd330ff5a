"""The command `sutradhar`: the same as the shell scripts of a clone, and `transcribe`, which needs no job."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module

from sutradhar.pipeline.installed import AS_COMMAND


@dataclass(frozen=True)
class Command:
    help: str
    module: str

    def run(self, arguments: Sequence[str]) -> int:
        main: Callable[[Sequence[str]], int] = import_module(self.module).main
        return main(arguments)


COMMANDS = {
    "transcribe": Command("write the subtitles or the text of films and recordings, at once", "sutradhar.transcribe"),
    "prepare": Command(
        "prepare a job: look at a film or a folder, and write settings to edit", "sutradhar.pipeline.prepare.prepare"
    ),
    "run": Command("run prepared jobs, or go on where they stopped", "sutradhar.pipeline.running.run"),
    "status": Command("show how far a job is", "sutradhar.status"),
    "eval": Command("judge subtitles and transcripts by a reference", "sutradhar.evaluate"),
    "models": Command("list, fetch or convert models", "sutradhar.models"),
    "hardware": Command("show what this machine has and which settings suit it", "sutradhar.pipeline.machine.command"),
}
EXAMPLES = """\
examples:
  sutradhar transcribe film.mkv -l en -o film.srt
  sutradhar transcribe *.mp3 -l hi -f txt,json -d transcripts/
  sutradhar models fetch large-v3
  job=$(sutradhar prepare film.mkv --translate -s hi -t en) && sutradhar run -j "$job"

Jobs, results and models lie below SUTRADHAR_HOME; \
without it in the clone, or in a folder for the user's data (see README.md).
`sutradhar COMMAND --help` tells all of a command.

exit codes: 0 done, 1 something failed, 2 usage, settings or media, \
75 the job is running elsewhere, 129/130/143 interrupted
"""


def main(argv: Sequence[str] | None = None) -> int:
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments and arguments[0] in COMMANDS:
        return COMMANDS[arguments[0]].run(arguments[1:])
    return _top(arguments)


def _top(arguments: Sequence[str]) -> int:
    """Answer a command line that names no command: --help, --version, and errors."""
    from sutradhar.pipeline.commands import Parser
    from sutradhar.pipeline.workspace import VERSION

    table = "\n".join(f"  {name:12}{command.help}" for name, command in COMMANDS.items())
    description = f"Films to subtitles, recordings to transcripts, on your own machine.\n\ncommands:\n{table}"
    parser = Parser(
        prog="sutradhar",
        usage="sutradhar COMMAND [option ...]",
        description=description,
        epilog=EXAMPLES,
        example="sutradhar transcribe film.mkv",
    )
    parser.add_argument("--version", action="version", version=f"Sutradhar {VERSION}")
    parser.add_argument("command", metavar="COMMAND", choices=tuple(COMMANDS), help=argparse.SUPPRESS)
    parser.parse_args(arguments)
    return 0


def entry() -> None:
    """Run the console script: this process is ours, with its signals and streams."""
    os.environ.setdefault(AS_COMMAND, "1")
    from sutradhar.pipeline.processes.starting import begin

    begin()
    from sutradhar.pipeline.processes.ending import end_with

    end_with(main)
