"""In place of `sutradhar.stages.corpus.recognise.worker`: a child that does with each recording what its id says, and
notes it in the folder of results."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import IO

import msgspec

from sutradhar.pipeline.processes.channel import EventWriter, Note, serve
from sutradhar.stages.corpus.recognise.messages import Begun, Done, Ready, Setup, Work


def do(name: str, folder: Path, events: EventWriter) -> None:
    with (folder / name).open("a") as file:
        file.write("x")
    if name == "abort":
        os.abort()
    if name == "leave":
        sys.exit(3)
    if name.startswith("kill") and (folder / name).read_text() == "x":  # the first time only
        events._stream.write(b'{"type":"Done","id":"ki')
        events._stream.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "hang":
        time.sleep(600)
    events.send(Done(name))


def work(setup: Setup, incoming: IO[bytes], events: EventWriter) -> None:
    print("a library prints to standard output")
    events.send(Note(20, f"parent {os.getppid()}, GPU {os.environ.get('CUDA_VISIBLE_DEVICES', '')}"))
    events.send(Ready({}, ()))
    for line in incoming:
        tasks = msgspec.json.decode(line, type=Work).tasks
        for task in tasks:
            events.send(Begun(task.id))
        for task in tasks:
            do(task.id, setup.results, events)


if __name__ == "__main__":
    serve(Setup, work)
