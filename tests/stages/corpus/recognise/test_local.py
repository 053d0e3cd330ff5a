"""Real processes, which run `fake_worker.py`."""

from __future__ import annotations

import os
import queue
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import psutil
import pytest

from sutradhar.pipeline.processes import children
from sutradhar.pipeline.processes.channel import Child, Note
from sutradhar.stages.corpus.recognise import local
from sutradhar.stages.corpus.recognise.dispatcher import Dispatcher, FailedForGood
from sutradhar.stages.corpus.recognise.messages import Done, Event, Ready, Task, Work
from sutradhar.stages.corpus.recognise.supervisor import Supervisor
from tests.conftest import ROOT
from tests.stages.corpus.recognise.support import setup


@pytest.fixture(autouse=True)
def fake_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "COMMAND", (sys.executable, "-m", "tests.stages.corpus.recognise.fake_worker"))
    monkeypatch.setattr(children, "GRACE", 0.3)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def run(tmp_path: Path, names: str, gpus: Sequence[str] = ("",)) -> list[Event | FailedForGood]:
    tasks = [Task(id=name, paths=(name,), duration_ms=1000) for name in names.split()]
    told: list[Event | FailedForGood] = []
    Supervisor(partial(local.start, setup(tmp_path)), gpus, Dispatcher(tasks, 4), lambda name: False, told.append).run()
    return told


def ended(told: Sequence[Event | FailedForGood]) -> list[str]:
    return sorted(event.id for event in told if isinstance(event, Done))


def given_up(told: Sequence[Event | FailedForGood]) -> dict[str, str]:
    return {event.task.id: event.reason for event in told if isinstance(event, FailedForGood)}


def test_each_process_has_its_gpu_and_knows_its_parent(tmp_path: Path) -> None:
    told = run(tmp_path, "a b c d e f", ["GPU-1", "GPU-2"])
    notes = {event.message for event in told if isinstance(event, Note)}
    assert notes <= {f"parent {os.getpid()}, GPU GPU-{number}" for number in (1, 2)}
    assert ended(told) == list("abcdef")


@pytest.mark.parametrize(("poison", "how"), [("abort", "ended by SIGABRT"), ("leave", "ended with code 3")])
def test_what_a_process_dies_of_is_tried_once_more_and_costs_no_other(poison: str, how: str, tmp_path: Path) -> None:
    told = run(tmp_path, f"a b {poison} c d e f")
    assert ended(told) == list("abcdef")
    assert given_up(told) == {poison: f"the worker ended on it: {how}"}
    assert (tmp_path / "results" / poison).read_text() == "xx"


def test_a_process_that_is_killed_in_the_middle_of_a_line_loses_nothing(tmp_path: Path) -> None:
    told = run(tmp_path, "a kill-1 b kill-2 c d e", ["", ""])
    assert (ended(told), given_up(told)) == (["a", "b", "c", "d", "e", "kill-1", "kill-2"], {})


def launched(tmp_path: Path, name: str) -> tuple[Child, queue.SimpleQueue[Event | None]]:
    events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
    process = local.start(setup(tmp_path), "", events.put)
    process.send(Work((Task(id=name, paths=(), duration_ms=1),)))
    while not isinstance(events.get(timeout=20), Ready):
        pass
    return process, events


def test_a_process_sees_no_secrets_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    process, _ = launched(tmp_path, "a")
    environment = psutil.Process(process.pid).environ()
    process.end()
    assert (environment["PATH"], "HF_TOKEN" in environment) == (os.environ["PATH"], False)


def test_a_process_that_will_not_end_is_killed(tmp_path: Path) -> None:
    process, events = launched(tmp_path, "hang")
    events.get(timeout=20)
    began = time.monotonic()
    process.end()
    assert time.monotonic() - began < 5
    assert events.get(timeout=20) is None
    assert process.how_it_ended() == ("killed (SIGKILL): out of memory is the usual reason", True)


def test_sending_to_a_process_that_is_dead_goes_nowhere(tmp_path: Path) -> None:
    process, events = launched(tmp_path, "leave")
    while events.get(timeout=20):
        pass
    process.send(Work(()))
    process.send(Work(()))
    process.end()
    assert process.how_it_ended() == ("ended with code 3", False)
