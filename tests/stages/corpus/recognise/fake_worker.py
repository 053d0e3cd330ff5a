"""In place of `sutradhar.stages.corpus.recognise.worker`: a process that does with each recording what its id says, and notes it in the folder of results."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import msgspec

from sutradhar.stages.corpus.recognise.messages import Begun, Done, Event, Note, Ready, Setup, Work


def tell(event: Event) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(event) + b"\n")
    sys.stdout.buffer.flush()


def do(name: str, folder: Path) -> None:
    with (folder / name).open("a") as file:
        file.write("x")
    if name == "abort":
        os.abort()
    if name == "leave":
        sys.exit(3)
    if name.startswith("kill") and (folder / name).read_text() == "x":  # the first time only
        sys.stdout.buffer.write(b'{"type":"Done","id":"ki')
        sys.stdout.buffer.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "hang":
        time.sleep(600)
    tell(Done(name))


def main() -> None:
    setup = msgspec.json.decode(sys.stdin.buffer.readline(), type=Setup)
    tell(Note(20, f"parent {setup.parent}, GPU {os.environ.get('CUDA_VISIBLE_DEVICES', '')}"))
    tell(Ready({}, ()))
    for line in sys.stdin.buffer:
        work = msgspec.json.decode(line, type=Work)
        for task in work.tasks:
            tell(Begun(task.id))
        for task in work.tasks:
            do(task.id, Path(setup.results))


if __name__ == "__main__":
    main()
