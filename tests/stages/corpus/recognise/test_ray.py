"""Ray actors of this machine, with the starter model."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from sutradhar.pipeline.errors import UsageError
from sutradhar.stages.corpus.recognise import ray_workers
from sutradhar.stages.corpus.recognise.dispatcher import Dispatcher, FailedForGood
from sutradhar.stages.corpus.recognise.messages import Done, Event, Setup
from sutradhar.stages.corpus.recognise.supervisor import Supervisor
from sutradhar.stages.corpus.results import Store
from tests.conftest import ROOT
from tests.make_media import ffmpeg
from tests.stages.corpus.recognise.support import setup, sha, task

SAMPLE = ROOT / "samples" / "dialogue.mp4"
PARTS = {"anna.wav": ("8.3", "10.2"), "daniel.wav": ("3.7", "8.3"), "music.wav": ("14", "16.5"), "all.wav": ("0", "27")}


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for name, (start, end) in PARTS.items():
        ffmpeg(folder / name, "-ss", start, "-to", end, "-i", f"file:{SAMPLE}", "-vn", "-ac", "1", "-ar", "16000")
    return folder


@pytest.fixture
def ray() -> Iterator[None]:
    """A cluster of this machine, gone afterwards."""
    ray = pytest.importorskip("ray", reason="needs Ray: requirements/ray.txt")
    if not (ROOT / "models" / "base").is_dir():
        pytest.skip("needs models/base")
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="error",
        runtime_env={"env_vars": {"PYTHONPATH": str(ROOT)}},
        object_store_memory=100_000_000,
    )
    yield
    ray.shutdown()


def texts(tmp_path: Path) -> dict[str, str]:
    store = Store(tmp_path / "results", {})
    found = {name: store.read(sha(name)) for name in PARTS}
    return {name: " ".join(segment.text for segment in result.segments) for name, result in found.items() if result}


def run(setup: Setup, kill_at_first: bool) -> list[Event | FailedForGood]:
    told: list[Event | FailedForGood] = []

    def tell(event: Event | FailedForGood) -> None:
        if kill_at_first and not any(isinstance(event, Done) for event in told) and isinstance(event, Done):
            actors = [
                process
                for process in psutil.Process().children(recursive=True)
                if "RayWorker" in process.name() + " ".join(process.cmdline())
            ]
            actors[0].kill()
        told.append(event)

    tasks = [task(name, duration_ms=1_800_000) for name in PARTS]
    store = Store(setup.results, {})
    Supervisor(
        partial(ray_workers.start, setup),
        ["", ""],
        Dispatcher(tasks, 2),
        lambda name: Done(name) if store.read(name) else None,
        tell,
    ).run()
    return told


@pytest.mark.timeout(240)
@pytest.mark.usefixtures("ray")
def test_actors_give_the_same_results_and_one_that_is_killed_costs_nothing(clips: Path, tmp_path: Path) -> None:
    for name, kill_at_first in (("whole", False), ("killed", True)):
        (tmp_path / name).mkdir()
        told = run(setup(tmp_path / name, clips, ROOT / "models", BATCH_SIZE=2), kill_at_first)
        assert sorted(event.id for event in told if isinstance(event, Done)) == sorted(sha(name) for name in PARTS)
        assert not [event for event in told if isinstance(event, FailedForGood)]
    assert texts(tmp_path / "whole") == texts(tmp_path / "killed")
    assert texts(tmp_path / "whole")["anna.wav"] == "How long will that take?"
    assert texts(tmp_path / "whole")["music.wav"] == ""


def test_without_ray_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r"Ray is not installed: .venv/bin/pip install -r requirements/ray\.txt$"):
        ray_workers.start(setup(tmp_path), "", lambda event: None)
