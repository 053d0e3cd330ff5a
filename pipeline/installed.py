"""The place of the code, and so the names of its commands. In messages they are written as a clone has them; where
the package is installed, there are no shell scripts.

One table turns the one into the other, at the few places where text reaches a person: errors, the console, and
`--help`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

CODE = Path(__file__).parents[2]  # where Python finds `sutradhar`
CLONE = Path(__file__).resolve().parent.parent
# Where it is false, the package is installed, and no file of this project may lie beside it.
IS_CLONE = (CLONE / "run-pipeline.sh").is_file()
# Set in the environment of `sutradhar` and its children, also where that is installed from a clone.
AS_COMMAND = "SUTRADHAR_AS_COMMAND"
COMMANDS = {  # a clone's name: an installation's name
    "prepare-job.sh": "sutradhar prepare",
    "run-pipeline.sh --status": "sutradhar status",
    "run-pipeline.sh": "sutradhar run",
    "get-model.sh --help": "sutradhar models fetch --help",
    "get-model.sh": "sutradhar models fetch",
    "convert-model.sh": "sutradhar models convert",
    "install-mlx.sh": 'pip install "sutradhar[mlx]"',
    "evaluate.sh": "sutradhar eval",
    "bootstrap.sh --eval": 'pip install "sutradhar[eval]"',
    "bootstrap.sh": "pip install --force-reinstall sutradhar",
    "python -m sutradhar.pipeline.models.command list": "sutradhar models list",
    "python -m sutradhar.pipeline.machine.command": "sutradhar hardware",
}
_SCRIPT = re.compile(
    r"(?<![\w/.-])(?:\./)?(?:scripts/)?(" + "|".join(re.escape(name) for name in COMMANDS) + r")(?![\w-])"
)


def is_installed() -> bool:
    """Return whether commands are called `sutradhar`: outside of a clone, and wherever `sutradhar` itself was
    started."""
    return not IS_CLONE or AS_COMMAND in os.environ


def named(text: str) -> str:
    """Name the commands in a text as this installation has them."""
    return _SCRIPT.sub(lambda match: COMMANDS[match[1]], text) if is_installed() else text
