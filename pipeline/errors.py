"""The errors, and the exit code that each kind ends a command with.

SutradharError (1)
├── UsageError (2)          bad arguments, settings or media: nothing was started
│   ├── OutOfReach          no model hub answers
│   ├── OtherForm           the hub has a model, but not in the form that was asked for
│   ├── CannotTranslate     the recogniser's model was not trained to translate
│   └── UnknownLanguage     or not on the language spoken
├── StageFailed (1)         a stage of a job ended without its result
│   ├── NotWritten          ffmpeg cannot make this file of that input
│   └── StoreClosed         nothing can be kept of what is recognised
└── JobBusy (75)            another process is running the job

Interrupted (129, 130, 143)  terminal closed, Ctrl-C or SIGTERM

A message says what is wrong, where, and what to do about it, in one line. Other exceptions of ours are caught in the
package that raises them; no command ever ends with one.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

from sutradhar.pipeline.installed import named

INTERRUPTED = 128  # added to the number of a signal, as shells do it
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
UNWRITABLE = (*NO_ROOM, errno.EIO, errno.EROFS)  # then nothing can be written, here or elsewhere
FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
LESS_MEMORY = "lower BATCH_SIZE (of a folder CORPUS_WORKERS too) or choose a smaller WHISPER_MODEL"


class SutradharError(Exception):
    """Any error of this project."""

    exit_code = 1

    def __str__(self) -> str:
        return named(super().__str__())


class UsageError(SutradharError):
    """Bad arguments, settings, models or media: nothing was started."""

    exit_code = 2


class OutOfReach(UsageError):
    """An error where no hub answers, and nothing of a model has come from it yet."""


class OtherForm(UsageError):
    """The hub has the model, in another form than was asked for."""


class StageFailed(SutradharError):
    """A stage of a job ended without its result; in Python, a file that breaks off or changes while it is read."""

    exit_code = 1


class StoreClosed(StageFailed):
    """The store of a folder's results takes nothing at all: whatever is worked out from now on is for nothing."""


class JobBusy(SutradharError):
    exit_code = 75


class Interrupted(KeyboardInterrupt):
    """An interruption. It is not an Exception, so that no code that goes on after errors catches it."""

    message = "Interrupted; run the same command again to go on from here"

    def __init__(self, signal_number: int, message: str = "") -> None:
        super().__init__(message or self.message)
        self.exit_code = INTERRUPTED + signal_number


def in_one_line(error: BaseException, places: Sequence[Path] = ()) -> str:
    """Say what went wrong, where, and what to do: of our own errors their message, of the system's the file and a
    remedy. `places` are the folders that may be meant where the system names no file: all that was written to."""
    match error:
        case SutradharError() | Interrupted():
            return str(error)
        case MemoryError():
            return f"Out of memory; {LESS_MEMORY}"
        case ModuleNotFoundError():
            return missing_package(error)
        case OSError(errno=int()):
            return _of_the_disk(error, places)
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:300]}"


def missing_package(error: ModuleNotFoundError) -> str:
    return named(f"{error}: something has been taken out of .venv; run ./scripts/bootstrap.sh, which puts it back")


def is_unwritable(error: BaseException) -> bool:
    """Return whether nothing can be written any more, here or elsewhere."""
    return isinstance(error, StoreClosed) or (isinstance(error, OSError) and error.errno in UNWRITABLE)


def _of_the_disk(error: OSError, places: Sequence[Path]) -> str:
    from sutradhar.pipeline.files import room

    given = error.filename2 or error.filename  # in a rename the wanted name, not the temporary one
    name = os.fsdecode(given) if isinstance(given, (str, bytes)) else ""
    if error.errno in NO_ROOM:
        where = f" for {name}: {room(Path(name))}" if name else ""
        where = where or (": " if places else "") + ", ".join(f"{room(place)} in {place}" for place in places)
        return f"{error.strerror}{where}; make room and run the same command again"
    put_right = "put right what is there and run the same command again"
    if places and not name:
        return f"{error.strerror}, in {', '.join(map(str, places))} or what the stage reads; {put_right}"
    remedy = "look at its permissions" if error.errno in FORBIDDEN else put_right
    return f"Cannot use {name or 'a file'}: {error.strerror}; {remedy}"
