from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from pipeline.errors import StageFailed
from pipeline.settings import Settings
from stages.recognise.loading import Loaded
from stages.recognise.messages import PutOff, Task
from stages.recognise.prefetch import Prefetcher, load, loader_processes
from tests.conftest import ROOT
from tests.make_media import wav
from tests.stages.recognise.support import task

HALF_HOUR_MS = 1_800_000


def nothing(task: Task, mels: int) -> Loaded:
    return Loaded(task)


def die(task: Task, mels: int) -> Loaded:
    os._exit(1)


def test_processes_load_what_they_are_given(tmp_path: Path) -> None:
    for name in "ab":
        wav(tmp_path / name, bytes(32_000 if name == "a" else 64_000))
    with loader_processes(2, tmp_path, tmp_path, Settings()) as pool:
        tasks = iter([task(name) for name in "abc"])
        found = list(Prefetcher(pool, load, 80, 8).run(lambda: next(tasks, None)))
    assert [one.duration_ms if isinstance(one, Loaded) else type(one) for one in found] == [1000, 2000, PutOff]


def test_processes_end_with_who_started_them(tmp_path: Path) -> None:
    code = (
        "import os, sys, pathlib; from pipeline.settings import Settings; from stages.recognise.prefetch import loader_processes;"
        " pool = loader_processes(2, pathlib.Path(), pathlib.Path(), Settings()); print(*{pool.submit(os.getpid).result() for _ in range(50)});"
        " sys.stdout.flush(); os.kill(os.getpid(), 9)"
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    numbers = [int(number) for number in told.stdout.split()]
    assert numbers
    psutil.wait_procs([psutil.Process(number) for number in numbers if psutil.pid_exists(number)], timeout=10)
    assert not [number for number in numbers if psutil.pid_exists(number)]


def test_a_process_that_ends_by_itself_is_told_in_a_line(tmp_path: Path) -> None:
    with loader_processes(1, tmp_path, tmp_path, Settings()) as pool:
        tasks = iter([task("a")])
        with pytest.raises(StageFailed, match=r"^a process that decodes ended by itself"):
            list(Prefetcher(pool, die, 80, 8).run(lambda: next(tasks, None)))


class Slow:
    """Recordings that are loaded one by one, when they are let."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.let = threading.Event()
        self.changed = threading.Condition()

    def load(self, task: Task, mels: int) -> Loaded:
        with self.changed:
            self.begun.append(task.paths[0])
            self.changed.notify_all()
        self.let.wait(20)
        return Loaded(task)


def ahead_of(durations_ms: list[int], most: int) -> int:
    """How many recordings are taken before the first is asked for a second time."""
    tasks = iter([task(str(number), duration) for number, duration in enumerate(durations_ms)])
    taken: list[Task] = []

    def take() -> Task | None:
        taken.extend(one := [task for task in [next(tasks, None)] if task])
        return one[0] if one else None

    running = Prefetcher(ThreadPoolExecutor(2), nothing, 80, most).run(take)
    next(running)
    return len(taken)


def test_recordings_come_in_their_order_whoever_is_ready_first() -> None:
    let = threading.Event()

    def load(task: Task, mels: int) -> Loaded:
        if task.paths == ("a",):
            assert let.wait(20)
        else:
            let.set()
        return Loaded(task)

    tasks = iter([task(name) for name in "abc"])
    assert [one.task.paths[0] for one in Prefetcher(ThreadPoolExecutor(2), load, 80, 3).run(lambda: next(tasks, None))] == ["a", "b", "c"]


def test_looks_so_many_recordings_ahead_and_no_more() -> None:
    assert ahead_of([1000] * 50, most=8) == 8
    assert ahead_of([1000] * 5, most=8) == 5


def test_looks_half_an_hour_ahead_and_no_more_but_two_at_least() -> None:
    assert ahead_of([HALF_HOUR_MS // 3] * 50, most=8) == 3
    assert ahead_of([HALF_HOUR_MS * 3] * 50, most=8) == 2


def test_loads_on_so_many_threads_while_nobody_asks() -> None:
    slow = Slow()
    tasks = iter([task(name) for name in "abcdef"])
    running = Prefetcher(ThreadPoolExecutor(2), slow.load, 80, 4).run(lambda: next(tasks, None))
    first = threading.Thread(target=next, args=(running,), daemon=True)
    first.start()
    with slow.changed:
        assert slow.changed.wait_for(lambda: len(slow.begun) == 2, 20)
    assert slow.begun == ["a", "b"]
    slow.let.set()
    first.join(20)
    with slow.changed:
        assert slow.changed.wait_for(lambda: len(slow.begun) == 4, 20)
    assert [one.task.paths[0] for one in running] == ["b", "c", "d", "e", "f"]


def test_goes_on_with_what_comes_later() -> None:
    tasks = [task("a")]
    prefetcher = Prefetcher(ThreadPoolExecutor(1), nothing, 80, 4)
    assert len(list(prefetcher.run(lambda: tasks.pop() if tasks else None))) == 1
    tasks.append(task("b"))
    assert [one.task.paths[0] for one in prefetcher.run(lambda: tasks.pop() if tasks else None)] == ["b"]
