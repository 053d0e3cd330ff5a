from __future__ import annotations

import os
import queue
import subprocess
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import psutil
import pytest

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.processes.channel import as_line
from sutradhar.stages.corpus.recognise import local
from sutradhar.stages.corpus.recognise.dispatcher import Dispatcher, FailedForGood
from sutradhar.stages.corpus.recognise.messages import Done, Event, Ready, Retiring, Setup, Task, Work
from sutradhar.stages.corpus.recognise.supervisor import Supervisor
from sutradhar.stages.corpus.recognise.worker import Inbox
from sutradhar.stages.corpus.results import Store
from tests.conftest import ROOT
from tests.make_media import cut, ffmpeg
from tests.stages.corpus.recognise.support import setup, sha, task

SAMPLE = ROOT / "samples" / "dialogue.mp4"


def work(names: str, alone: bool = False) -> Work:
    return Work(tuple(Task(id=name, paths=(), duration_ms=1) for name in names), alone)


def taken(inbox: Inbox) -> str:
    """All that it gives out now."""
    names = ""
    while task := inbox.take():
        names += task.id
    return names


# --- Inbox


def test_gives_out_what_came_in_its_order() -> None:
    inbox = Inbox()
    inbox.put(work("ab"))
    inbox.put(work("c"))
    assert (taken(inbox), taken(inbox)) == ("abc", "")
    inbox.put(work("d"))
    assert taken(inbox) == "d"


def test_what_is_to_be_alone_is_given_when_all_before_it_has_ended_and_nothing_after_it() -> None:
    inbox = Inbox()
    inbox.put(work("a"))
    assert inbox.wait()
    assert taken(inbox) == "a"
    inbox.put(work("b", alone=True))
    inbox.put(work("cd"))
    assert taken(inbox) == ""
    assert (inbox.wait(), taken(inbox)) == (True, "b")
    assert (inbox.wait(), taken(inbox)) == (True, "cd")


def test_two_that_are_to_be_alone_are_not_given_together() -> None:
    inbox = Inbox()
    for name in "ab":
        inbox.put(work(name, alone=True))
    assert (inbox.wait(), taken(inbox)) == (True, "a")
    assert (inbox.wait(), taken(inbox)) == (True, "b")


def test_what_came_before_the_end_is_still_to_do() -> None:
    inbox = Inbox()
    inbox.put(work("a"))
    inbox.put(None)
    assert (inbox.wait(), taken(inbox), inbox.wait()) == (True, "a", False)


def test_a_closed_inbox_gives_out_nothing_whatever_comes() -> None:
    inbox = Inbox()
    inbox.put(work("ab"))
    first = inbox.take()
    assert first
    assert first.id == "a"
    inbox.close()
    inbox.put(work("c"))
    assert (taken(inbox), inbox.wait()) == ("", False)


def test_waits_for_what_another_thread_brings() -> None:
    inbox = Inbox()
    threading.Timer(0.05, inbox.put, [work("a")]).start()
    assert (inbox.wait(), taken(inbox)) == (True, "a")
    threading.Timer(0.05, inbox.put, [None]).start()
    assert not inbox.wait()


def test_nothing_is_lost_between_threads() -> None:
    inbox = Inbox()
    names = "abcdefghij" * 50

    def bring() -> None:
        for name in names:
            inbox.put(work(name))
        inbox.put(None)

    threading.Thread(target=bring).start()
    given = ""
    while inbox.wait():
        given += taken(inbox)
    assert given == names


# --- The worker itself


def test_a_worker_whose_parent_has_ended_ends_too(tmp_path: Path) -> None:
    first = as_line(setup(tmp_path))
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    told = subprocess.run((*local.COMMAND, "1"), env=environment, input=first, capture_output=True, check=False)
    assert (told.returncode, told.stdout, told.stderr) == (1, b"", b"")


needs_model = pytest.mark.skipif(not (ROOT / "models" / "base").is_dir(), reason="needs models/base")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Parts of the sample of which the words are known, a silent one, and one that is cut short."""
    folder = tmp_path_factory.mktemp("clips")
    for name, start, end in (
        ("subtitles.wav", "3.7", "8.3"),
        ("long.wav", "8.3", "10.2"),
        ("music.wav", "14", "16.5"),
        ("cut.flac", "0", "9"),
    ):
        ffmpeg(folder / name, "-ss", start, "-to", end, "-i", f"file:{SAMPLE}", "-vn", "-ac", "1", "-ar", "16000")
    cut(folder / "cut.flac")
    return folder


def run(setup: Setup, names: Sequence[str]) -> list[Event | FailedForGood]:
    told: list[Event | FailedForGood] = []
    Supervisor(
        partial(local.start, setup),
        [""],
        Dispatcher([task(name) for name in names], 8),
        lambda name: False,
        told.append,
    ).run()
    return told


def said(tmp_path: Path, name: str) -> str:
    result = Store(tmp_path / "results", {}).read(sha(name))
    assert result
    return " ".join(segment.text for segment in result.segments)


@needs_model
def test_recognises_what_it_is_sent(clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    told = run(setup(tmp_path, clips, ROOT / "models"), ["subtitles.wav", "music.wav", "cut.flac", "long.wav"])
    (ready,) = [event for event in told if isinstance(event, Ready)]
    assert (ready.engine["backend"], ready.engine["model"]) == ("whisperx", "base")
    assert "needs subtitles" in said(tmp_path, "subtitles.wav")
    assert said(tmp_path, "long.wav") == "How long will that take?"
    assert said(tmp_path, "music.wav") == ""
    assert (tmp_path / "tree" / "long.wav.txt").read_text() == "How long will that take?\n"
    assert (tmp_path / "tree" / "long.wav.txt").stat().st_mode & 0o777 == 0o600
    (failure,) = [event for event in told if isinstance(event, FailedForGood)]
    assert (failure.task.paths, failure.task.attempts) == (("cut.flac",), 1)
    assert failure.reason.startswith("decoded ")


@needs_model
def test_a_worker_that_grew_too_large_leaves_after_what_it_has_begun(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr("sutradhar.stages.corpus.recognise.dispatcher.MIN_GIVEN", 1)
    told: list[Event | FailedForGood] = []
    tasks = [task(name) for name in ("long.wav", "music.wav")]
    dispatcher = Dispatcher(tasks, 1)
    most_bytes = held_when_ready(setup(tmp_path, clips, ROOT / "models")) + (20 << 20)  # the first recording takes more
    Supervisor(
        partial(local.start, setup(tmp_path, clips, ROOT / "models", CORPUS_WORKER_GB=most_bytes / 1e9)),
        [""],
        dispatcher,
        lambda name: False,
        told.append,
    ).run()
    kinds = [type(event) for event in told if isinstance(event, (Ready, Done, Retiring, FailedForGood))]
    assert kinds[:4] == [Ready, Done, Retiring, Ready]
    assert kinds.count(Done) == 2
    assert FailedForGood not in kinds


def held_when_ready(how: Setup) -> int:
    told: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
    process = local.start(how, "", told.put)
    while not isinstance(told.get(timeout=60), Ready):
        pass
    worker = psutil.Process(process.pid)
    held: int = sum(one.memory_info().rss for one in (worker, *worker.children()))
    process.end()
    return held


def test_a_ceiling_below_what_the_model_takes_is_refused(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with pytest.raises(UsageError, match=r"^CORPUS_WORKER_GB=0\.1 is less than a worker takes with its model"):
        run(setup(tmp_path, clips, ROOT / "models", CORPUS_WORKER_GB=0.1), ["music.wav"])


def test_a_machine_that_does_not_see_the_model_of_the_stage_takes_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with pytest.raises(
        UsageError, match=rf"^Model base is not on .*: there is no {tmp_path}/base\. Put it into models/"
    ):
        run(setup(tmp_path), ["a.wav"])
