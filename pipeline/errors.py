"""What can go wrong, and the exit code each kind ends a command with.

SutradharError (1)
├── UsageError (2)          bad arguments, settings or media: nothing was started
│   ├── OutOfReach          no model hub answers
│   └── OtherForm           the hub has a model, but not in the form that was asked for
├── StageFailed (1)         a stage of a job ended without its result
└── JobBusy (75)            another process is running the job

Interrupted (129, 130, 143)  terminal closed, Ctrl-C or SIGTERM

A message says what is wrong, where, and what to do about it, in one line.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path


class SutradharError(Exception):
    exit_code = 1


class UsageError(SutradharError):
    exit_code = 2


class OutOfReach(UsageError):
    """No hub answers, and nothing of a model has come from it yet."""


class OtherForm(UsageError):
    """The hub has the model, in another form than was asked for."""


class StageFailed(SutradharError):
    exit_code = 1


class JobBusy(SutradharError):
    exit_code = 75


class Interrupted(KeyboardInterrupt):
    """No error, so that nobody takes it for one who goes on after errors."""

    message = "Interrupted; run the same command again to go on from here"

    def __init__(self, signal_number: int) -> None:
        super().__init__(self.message)
        self.exit_code = 128 + signal_number


def in_one_line(error: BaseException) -> str:
    """What went wrong, where, and what to do: of our own errors their message, of the system's the file and a remedy."""
    if not isinstance(error, OSError):
        return str(error)
    named = error.filename2 or error.filename  # of a rename the name that is wanted, not that of our temporary file
    where = f" {named}" if named else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{error.strerror}{where and ' for'}{where}{_no_inodes(error)}; make room and run the same command again"
    remedy = (
        "look at its permissions"
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
        else "put right what is there and run the same command again"
    )
    return f"Cannot use{where or ' a file'}: {error.strerror}; {remedy}"


def missing_package(error: ModuleNotFoundError) -> str:
    return f"{error}: something has been taken out of .venv; run ./scripts/bootstrap.sh, which puts it back"


def _no_inodes(error: OSError) -> str:
    from sutradhar.pipeline.files import room, takes_no_file

    folder = Path(os.fsdecode(error.filename)).parent if isinstance(error.filename, (str, bytes)) else None
    return f": {room(folder)}" if folder and folder.is_dir() and takes_no_file(folder) else ""
