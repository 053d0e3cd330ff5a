"""Two small stages that a child process runs in place of the real ones; the job's TITLE tells them how to misbehave."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import time
from pathlib import Path

from pipeline.errors import StageFailed, UsageError
from pipeline.stage import Outcome, Stage, StageContext


def copy(context: StageContext) -> Outcome:
    context.write("copy/text.txt").write_bytes(context.media.read_bytes())
    context.log.info("copying")
    context.progress(1, 2)
    if context.settings.TITLE == "hang":
        Path(context.media.parent / "child.pid").write_text(f"{os.getpid()} {subprocess.Popen(['sleep', '600']).pid}")
        time.sleep(600)
    return Outcome("Copied")


def shout(context: StageContext) -> Outcome:
    title = context.settings.TITLE
    if title == "fail":
        raise StageFailed("it did not work")
    if title == "usage":
        raise UsageError("a setting is wrong")
    if title == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if title == "full":
        raise OSError(errno.ENOSPC, "No space left on device")
    if title == "crash":
        raise ZeroDivisionError("what a surprise")
    if title == "forgetful":
        return Outcome("Nothing written")
    if title == "messy":
        (context.scratch / "left.tmp").write_text("x")
    print("a library prints to standard output")
    text = context.read("copy/text.txt").read_text().upper()
    context.write("shout/text.txt").write_text(text)
    context.deliver(f"film.{context.settings.SOURCE_LANGUAGE}.txt").write_text(text)
    return Outcome("Shouted", engine={"device": "cpu"}, degraded=("not loud enough",) if title == "hoarse" else (), seconds_of_media=2.0)


WORKFLOWS = {
    "transcribe": (
        Stage("copy", copy, writes=("copy/text.txt",), reads_media=True, tuning=("BATCH_SIZE",)),
        Stage("shout", shout, reads=("copy/text.txt",), writes=("shout/text.txt",), settings=("TITLE", "SOURCE_LANGUAGE")),
    )
}
