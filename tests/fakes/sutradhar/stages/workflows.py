"""Small stages that a child process runs in place of the real ones; the job's TITLE tells them how to misbehave."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import time
from pathlib import Path

from sutradhar.pipeline.errors import StageFailed, UsageError
from sutradhar.pipeline.jobs.stage import Outcome, Stage, StageContext

HOSTILE = "a\x1b[31mb\u202ec\nd"  # as a name or a tag may be


def copy(context: StageContext) -> Outcome:
    context.write("text").write_bytes(context.media.read_bytes())
    context.log.info("copying")
    context.progress(1, 2, kept="8 of 35 windows" if context.settings.TITLE == "hang keeping" else "")
    if context.settings.TITLE.startswith("hang"):
        Path(context.media.parent / "child.pid").write_text(f"{os.getpid()} {subprocess.Popen(['sleep', '600']).pid}")
        time.sleep(600)
    return Outcome("Copied")


def shout(context: StageContext) -> Outcome:
    title = context.settings.TITLE
    if title == "fail":
        raise StageFailed("it did not work")
    if title == "usage":
        raise UsageError("a setting is wrong")
    if title == "piecemeal" and not context.pieces.exists():
        context.pieces.write_text("half of it")
        os.kill(os.getpid(), signal.SIGKILL)
    if title == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if title == "full":
        raise OSError(errno.ENOSPC, "No space left on device")
    if title == "resumed":
        context.progress(4, 4, already=1)
    if title == "crash":
        raise ZeroDivisionError("what a surprise")
    if title == "forgetful":
        return Outcome("Nothing written")
    if title == "hostile failure":
        raise StageFailed(HOSTILE)
    if title == "hostile":
        context.log.info(HOSTILE)
    if title == "messy":
        (context.scratch / "left.tmp").write_text("x")
    print("a library prints to standard output")
    text = context.read("text").read_text().upper()
    context.write("text").write_text(text)
    context.deliver(f"film.{context.settings.SOURCE_LANGUAGE}.txt").write_text(text)
    environment = Path("/proc/self/environ").read_text().split("\0") if title == "environment" else []
    degraded = {
        "hoarse": ("not loud enough",),
        "hostile": (HOSTILE,),
        "environment": tuple(environment),
        "models": tuple(f"{need.name} ({need.form}) at {model.path}" for need, model in context.resolved.items()),
    }.get(title, ())
    return Outcome(
        HOSTILE if title == "hostile" else "Shouted", engine={"device": "cpu"}, degraded=degraded, seconds_of_media=2.0
    )


def look(context: StageContext) -> Outcome:
    with context.keep("looks.txt").open("a") as file:
        file.write("once more\n")
    names = (
        sorted(path.name for path in context.media.iterdir())
        if context.media.is_dir()
        else context.media.read_text().split()
    )
    context.write("names").write_text("\n".join(names))
    return Outcome("Looked")


def tell(context: StageContext) -> Outcome:
    names = context.read("names").read_text().splitlines()
    for name in names:
        context.tree("texts").mkdir(exist_ok=True)
        (context.tree("texts") / name).write_text(name)
    context.deliver("report.txt").write_text(f"{len(names)} files")
    bad = [name for name in names if name.startswith("bad")]
    odd = tuple(f"{name}: odd" for name in names if name.startswith("odd"))
    return Outcome("Told", degraded=odd, failures=f"{len(bad)} failed of {len(names)} files" if bad else "")


WORKFLOWS = {
    "corpus": (
        Stage("look", look, writes=("names",), keeps=("looks.txt",), always=True),
        Stage("tell", tell, reads=("names",), trees=("texts",)),
    ),
    "film": (
        Stage("copy", copy, writes=("text",), reads_media=True, tuning=("BATCH_SIZE", "TITLE")),
        Stage("shout", shout, reads=("text",), writes=("text",), settings=("TITLE", "SOURCE_LANGUAGE"), in_pieces=True),
    ),
}
