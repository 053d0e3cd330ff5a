"""Real children, whose work is in this module."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import msgspec
import psutil
import pytest

from sutradhar.pipeline.errors import StageFailed, StoreClosed, SutradharError, UsageError
from sutradhar.pipeline.processes import channel, children
from sutradhar.pipeline.processes.channel import (
    Broken,
    EventWriter,
    Note,
    boundary,
    call,
    how_it_ended,
    log_to,
    serve,
    spawned,
)
from tests.conftest import ROOT

LESS_MEMORY = "lower BATCH_SIZE (of a folder CORPUS_WORKERS too) or choose a smaller WHISPER_MODEL"
USUAL_REASON = "(SIGKILL): out of memory is the usual reason"
HERE = "tests.pipeline.processes.test_channel"


class Order(msgspec.Struct, frozen=True):
    what: str
    where: Path = Path("here") / "there"


class Answer(msgspec.Struct, frozen=True, tag=True):
    text: str


Event = Answer | Note | Broken


def work(order: Order, incoming: IO[bytes], events: EventWriter) -> Answer:
    print("printed")
    with contextlib.suppress(OSError):  # as libraries in C do not look
        os.write(1, b"written by a library\n")
    logging.getLogger("sutradhar.part").warning("logged")
    if order.what == "die":
        events._stream.write(b'{"type":"Answer","te')
        events._stream.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    if order.what == "echo":
        return Answer(f"{sys.stdin.read()}{json.loads(incoming.readline())['what']} {order.where.name}")
    if order.what == "crash":
        raise ZeroDivisionError("what a surprise\nand more")
    if order.what == "hang":
        subprocess.Popen(["sh", "-c", "trap '' TERM; sleep 600"])
        events.send(Answer("hanging"))
        time.sleep(600)
    raise UsageError(f"there is no {order.what}")


def child() -> None:
    serve(Order, work)


@pytest.fixture(autouse=True)
def children_find_this_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def told(what: str, log: IO[bytes], *more: str) -> tuple[list[Any], int]:
    with spawned(children.entry(HERE, "child"), Order(what), Event, log) as process:
        for word in more:
            process.send(Order(word))
        return list(process.events()), process.code


def test_messages_come_and_events_go_and_what_is_printed_goes_to_the_log(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        assert told("echo", log, "hello") == ([Note(logging.WARNING, "logged"), Answer("hello there")], 0)
    assert (tmp_path / "log").read_text() == "printed\nwritten by a library\n"


@pytest.mark.parametrize(
    ("what", "broken", "logged"),
    [
        ("bread", Broken("there is no bread", 2), False),
        ("crash", Broken("ZeroDivisionError: what a surprise", 1), True),
    ],
)
def test_why_there_is_no_result_is_told_in_a_line(what: str, broken: Broken, logged: bool, tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        assert told(what, log) == ([Note(logging.WARNING, "logged"), broken], 1)
    assert ("Traceback" in (tmp_path / "log").read_text()) == logged


def test_a_child_that_is_killed_tells_nothing_more_and_its_code_says_how_it_ended(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        assert told("die", log) == ([Note(logging.WARNING, "logged")], -signal.SIGKILL)


def test_a_full_disk_under_the_log_costs_nothing() -> None:
    with open("/dev/full", "wb", buffering=0) as log:
        assert told("echo", log, "hello")[0][-1] == Answer("hello there")


def test_nothing_of_a_group_is_left_that_does_not_heed_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "GRACE", 0.3)
    command, log = children.entry(HERE, "child"), subprocess.DEVNULL
    with spawned(command, Order("hang"), Answer | Note, log) as process:
        assert Answer("hanging") in [next(process.events()) for _ in range(2)]
        group = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    assert len(group) >= 2
    assert [one for one in psutil.wait_procs(group, timeout=5)[1] if one.status() != psutil.STATUS_ZOMBIE] == []


@pytest.mark.parametrize(
    ("code", "words", "sentence"),
    [
        (3, "ended with code 3", "the process ended with code 3"),
        (-6, "ended by SIGABRT", "the process was ended by SIGABRT"),
        (-9, f"killed {USUAL_REASON}", f"the process was killed {USUAL_REASON}"),
    ],
)
def test_how_a_process_ended_is_told_in_words(code: int, words: str, sentence: str) -> None:
    assert (how_it_ended(code), how_it_ended(code, "the process")) == (words, sentence)


# --- The boundary


@pytest.mark.parametrize(
    ("error", "broken"),
    [
        (UsageError("a setting is wrong"), Broken("a setting is wrong", 2)),
        (StageFailed("it did not work"), Broken("it did not work", 1)),
        (StoreClosed("nothing is taken"), Broken("nothing is taken", 1, hopeless=True)),
        (MemoryError(), Broken(f"Out of memory; {LESS_MEMORY}", 1)),
        (OSError(errno.EROFS, "Off"), Broken("Cannot use a file: Off; look at its permissions", 1, hopeless=True)),
        (OSError("of a library"), Broken("OSError: of a library", 1)),
        (KeyError("x"), Broken("KeyError: 'x'", 1)),
    ],
)
def test_the_same_words_for_the_same_error_wherever_it_is_raised(error: Exception, broken: Broken) -> None:
    def work() -> None:
        raise error

    assert boundary(work) == broken


def test_an_error_is_raised_again_on_the_other_side() -> None:
    assert isinstance(Broken("x", 2).error(), UsageError)
    assert str(Broken("x", 1).error("asr: ", StageFailed)) == "asr: x"
    assert type(Broken("x", 1).error()) is SutradharError


@pytest.fixture
def log() -> Iterator[list[tuple[int, str]]]:
    said: list[tuple[int, str]] = []
    log_to(lambda level, message: said.append((level, message)))
    yield said
    logging.getLogger("sutradhar").handlers.clear()


def test_the_log_is_said_from_info_on(log: list[tuple[int, str]]) -> None:
    logging.getLogger("sutradhar.part").debug("too much")
    logging.getLogger("sutradhar").info("%s windows", 3)
    assert log == [(logging.INFO, "3 windows")]


def test_events_of_several_threads_and_a_parent_that_is_gone_do_no_harm() -> None:
    class Gone(io.BytesIO):
        def write(self, data: object) -> int:
            raise BrokenPipeError

    EventWriter(Gone()).send(Note(20, "nobody hears it"))


# --- Calls


def write_or_fail(arguments: Sequence[str]) -> None:
    path, what = arguments
    if what == "fail":
        raise UsageError(f"{path} cannot be converted")
    if what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    Path(path).write_text(f"{os.getpid() == int(what)}")
    if what == "0":
        try:
            time.sleep(600)
        finally:
            Path(path).write_text("tidied")


def test_a_call_is_made_in_another_process(tmp_path: Path) -> None:
    call("The writer", HERE, "write_or_fail", str(tmp_path / "file"), str(os.getpid()))
    assert (tmp_path / "file").read_text() == "False"


def test_a_call_raises_what_the_function_raises(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^film cannot be converted$"):
        call("The writer", HERE, "write_or_fail", "film", "fail")
    with pytest.raises(SutradharError, match=r"^The writer was killed \(SIGKILL\): out of memory is the usual reason$"):
        call("The writer", HERE, "write_or_fail", "film", "die")


def test_a_call_that_is_interrupted_ends_in_order(tmp_path: Path) -> None:
    first = channel.Call(HERE, "write_or_fail", (str(tmp_path / "file"), "0"))
    with spawned(children.entry(channel.__name__, "answer_call"), first, Broken, subprocess.DEVNULL):
        until = time.monotonic() + 20
        while not ((tmp_path / "file").exists() and (tmp_path / "file").read_text()) and time.monotonic() < until:
            time.sleep(0.02)
    assert (tmp_path / "file").read_text() == "tidied"
