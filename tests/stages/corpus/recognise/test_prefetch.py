from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from sutradhar.pipeline.errors import StageFailed
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.stages.corpus.recognise import prefetch
from sutradhar.stages.corpus.recognise.loading import Loaded
from sutradhar.stages.corpus.recognise.messages import Deferred, Failed, Task
from sutradhar.stages.corpus.recognise.prefetch import LoaderEnded, LoaderPool, LoaderProcess, Prefetcher
from sutradhar.stages.recognisers.whisper.spectrogram import preparation
from tests.conftest import ROOT
from tests.make_media import wav
from tests.stages.corpus.recognise.support import task

HALF_HOUR_MS = 1_800_000


# --- Processes


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[LoaderPool]:
    pool = LoaderPool(2, tmp_path, tmp_path, Settings())
    pool.preparation = preparation(80)
    yield pool
    pool.close()


def durations(prefetcher: Prefetcher, names: str) -> list[int | type]:
    tasks = iter([task(name) for name in names])
    return [
        one.duration_ms if isinstance(one, Loaded) else type(one) for one in prefetcher.run(lambda: next(tasks, None))
    ]


def loaders() -> list[psutil.Process]:
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            found += [child] if "load_for_parent" in " ".join(child.cmdline()) else []
    return found


def test_processes_load_what_they_are_given(pool: LoaderPool, tmp_path: Path) -> None:
    wav(tmp_path / "a", bytes(32_000))
    wav(tmp_path / "b", bytes(64_000))
    assert durations(Prefetcher(pool, 8), "abc") == [1000, 2000, Deferred]


def test_a_process_that_is_killed_costs_nothing_whether_it_worked_or_not(pool: LoaderPool, tmp_path: Path) -> None:
    for name in "abcdef":
        wav(tmp_path / name, bytes(32_000))
    prefetcher = Prefetcher(pool, 8)
    assert durations(prefetcher, "ab") == [1000, 1000]
    for process in loaders():
        process.kill()
    assert durations(prefetcher, "abc") == [1000, 1000, 1000]
    tasks = iter([task(name) for name in "abcdef"])
    running = prefetcher.run(lambda: next(tasks, None))
    next(running)
    for process in loaders():
        process.kill()
    assert [type(one) for one in running] == [Loaded] * 5


def test_a_process_that_loads_sees_no_secrets_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    loader = LoaderProcess(tmp_path, tmp_path, Settings())
    loader.ask(None)
    environment = psutil.Process(loader.pid).environ()
    loader.end()
    assert (environment["PATH"], "HF_TOKEN" in environment) == (os.environ["PATH"], False)


def test_a_process_that_stands_still_is_ended_as_one_that_ended_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader = LoaderProcess(tmp_path, tmp_path, Settings())
    loader.ask(None)
    stopped = psutil.Process(loader.pid)
    stopped.suspend()
    monkeypatch.setattr(prefetch, "PATIENCE", 0.2)
    with pytest.raises(LoaderEnded):
        loader.ask(None)
    assert not stopped.is_running()


def test_processes_that_end_at_once_are_told_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefetch, "COMMAND", (sys.executable, "-c", ""))
    pool = LoaderPool(2, tmp_path, tmp_path, Settings())
    with pytest.raises(StageFailed, match=r"^The processes that decode end as soon as they have begun"):
        pool.wait()


def test_processes_end_with_who_started_them() -> None:
    code = (
        "import os, pathlib; from sutradhar.pipeline.jobs.settings import Settings; from sutradhar.stages.corpus.recognise.prefetch import LoaderPool;"
        " pool = LoaderPool(2, pathlib.Path(), pathlib.Path(), Settings()); pool.wait(); print(pool._idle.get().pid, pool._idle.get().pid, flush=True);"
        " os.kill(os.getpid(), 9)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False, timeout=60
    )
    numbers = [int(number) for number in told.stdout.split()]
    assert len(numbers) == 2
    psutil.wait_procs([psutil.Process(number) for number in numbers if psutil.pid_exists(number)], timeout=10)
    assert not [number for number in numbers if psutil.pid_exists(number)]


def test_nothing_has_a_name_that_would_stay_where_all_are_killed() -> None:
    code = (
        "import os, pathlib; from sutradhar.pipeline.jobs.settings import Settings; from sutradhar.stages.corpus.recognise.prefetch import LoaderPool;"
        " pool = LoaderPool(2, pathlib.Path(), pathlib.Path(), Settings()); pool.wait(); os.killpg(0, 9)"
    )
    before = {path.name for path in Path("/dev/shm").glob("*")}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, start_new_session=True, check=False, timeout=60)
    assert {path.name for path in Path("/dev/shm").glob("*")} <= before


# --- What is loaded ahead


Load = Callable[[Task], Loaded | Failed | Deferred]


class Threads:
    """In place of processes, of which one ends over "poison"."""

    def __init__(self, count: int, load: Load) -> None:
        self.threads, self.load = ThreadPoolExecutor(count), load

    def submit(self, task: Task) -> Future[Loaded | Failed | Deferred]:
        return self.threads.submit(self.run, task)

    def run(self, task: Task) -> Loaded | Failed | Deferred:
        if task.paths == ("poison",):
            raise LoaderEnded
        return self.load(task)


def nothing(task: Task) -> Loaded:
    return Loaded(task)


def test_only_the_recording_that_a_process_ends_over_fails() -> None:
    threads = Threads(1, nothing)
    tasks = iter([task(name) for name in ("a", "poison", "b", "c")])
    found = list(Prefetcher(threads, 8).run(lambda: next(tasks, None)))
    assert [one.task.paths[0] if isinstance(one, Loaded) else (type(one), one.again) for one in found] == [
        "a",
        (Failed, True),
        "b",
        "c",
    ]  # type: ignore[union-attr]


class Slow:
    """Recordings that are loaded one by one, when they are let."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.let = threading.Event()
        self.changed = threading.Condition()

    def load(self, task: Task) -> Loaded:
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

    running = Prefetcher(Threads(2, nothing), most).run(take)
    next(running)
    return len(taken)


def test_recordings_come_in_their_order_whoever_is_ready_first() -> None:
    let = threading.Event()

    def load(task: Task) -> Loaded:
        if task.paths == ("a",):
            assert let.wait(20)
        else:
            let.set()
        return Loaded(task)

    tasks = iter([task(name) for name in "abc"])
    assert [
        one.task.paths[0]
        for one in Prefetcher(Threads(2, load), 3).run(lambda: next(tasks, None))
        if isinstance(one, Loaded)
    ] == ["a", "b", "c"]


def test_looks_so_many_recordings_ahead_and_no_more() -> None:
    assert ahead_of([1000] * 50, most=8) == 8
    assert ahead_of([1000] * 5, most=8) == 5


def test_looks_half_an_hour_ahead_and_no_more_but_two_at_least() -> None:
    assert ahead_of([HALF_HOUR_MS // 3] * 50, most=8) == 3
    assert ahead_of([HALF_HOUR_MS * 3] * 50, most=8) == 2


def test_loads_on_so_many_threads_while_nobody_asks() -> None:
    slow = Slow()
    tasks = iter([task(name) for name in "abcdef"])
    running = Prefetcher(Threads(2, slow.load), 4).run(lambda: next(tasks, None))
    first = threading.Thread(target=next, args=(running,), daemon=True)
    first.start()
    with slow.changed:
        assert slow.changed.wait_for(lambda: len(slow.begun) == 2, 20)
    assert slow.begun == ["a", "b"]
    slow.let.set()
    first.join(20)
    with slow.changed:
        assert slow.changed.wait_for(lambda: len(slow.begun) == 4, 20)
    assert [one.task.paths[0] for one in running if isinstance(one, Loaded)] == ["b", "c", "d", "e", "f"]


def test_goes_on_with_what_comes_later() -> None:
    tasks = [task("a")]
    prefetcher = Prefetcher(Threads(1, nothing), 4)
    assert len(list(prefetcher.run(lambda: tasks.pop() if tasks else None))) == 1
    tasks.append(task("b"))
    assert [
        one.task.paths[0] for one in prefetcher.run(lambda: tasks.pop() if tasks else None) if isinstance(one, Loaded)
    ] == ["b"]
