"""Start workers as Ray actors, on one machine or many that see the same folders: `pip install -r
requirements/ray.txt`.

`ray.init` finds a cluster by RAY_ADDRESS, and makes one of this machine where there is none. Ray gives each actor
its GPU.
"""

from __future__ import annotations

import logging
import os
import queue
import sys
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.installed import CODE
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.processes.channel import boundary, log_as_notes
from sutradhar.pipeline.processes.children import share_one_heap
from sutradhar.stages.corpus.recognise.messages import Event, Setup, Work
from sutradhar.stages.corpus.recognise.supervisor import Deliver, Handle
from sutradhar.stages.corpus.recognise.worker import Inbox, Worker

log = logging.getLogger("sutradhar")


class RayWorker:
    """The actor: `events` runs it, while `put` brings work. So it needs two threads."""

    def __init__(self) -> None:
        share_one_heap()
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._inbox = Inbox()

    def put(self, work: Work) -> None:
        self._inbox.put(work)

    def events(self, setup: Setup) -> Iterator[bytes]:
        """Yield the events as they happen."""
        threading.Thread(target=self._run, args=(setup,), daemon=True).start()
        while event := self._events.get():
            yield msgspec.json.encode(event)

    def _run(self, setup: Setup) -> None:
        os.umask(0o077)
        log_as_notes(self._events.put)
        if broken := boundary(lambda: Worker(setup, self._inbox, self._events.put).run()):
            self._events.put(broken)
        self._events.put(None)


def places(settings: Settings) -> list[str]:
    """Return a place for each GPU of the cluster, or for each node where none is needed; Ray chooses which. Raises
    UsageError where Ray is not installed."""
    on_gpus = settings.WHISPERX_DEVICE == "cuda"
    room = int(_resources().get("GPU" if on_gpus else "CPU", 0))
    if on_gpus and not room:
        raise UsageError(
            "WHISPERX_DEVICE=cuda, but the Ray cluster has no GPU: "
            "set WHISPERX_DEVICE=cpu, or RAY_ADDRESS to another cluster"
        )
    if isinstance(settings.CORPUS_WORKERS, int) and settings.CORPUS_WORKERS > room:
        log.warning(
            f"CORPUS_WORKERS={settings.CORPUS_WORKERS}, "
            f"but the Ray cluster has room for {room} now: the others wait for more"
        )
    return [""] * (room if on_gpus else len(_nodes()))


def _connected() -> Any:
    try:
        import ray
    except ImportError:
        raise UsageError(
            "CORPUS_EXECUTOR=ray, but Ray is not installed: .venv/bin/pip install -r requirements/ray.txt"
        ) from None
    if not ray.is_initialized():
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it reports to its makers otherwise
        ray.init(
            runtime_env={"env_vars": {"PYTHONPATH": str(CODE)}},
            log_to_driver=False,
            include_dashboard=False,
            logging_level=logging.ERROR,
        )
    return ray


def _nodes() -> list[Any]:
    """Return the nodes that are there: Ray lists the lost ones too."""
    return [node for node in _connected().nodes() if node["Alive"]]


def _resources() -> Mapping[str, float]:
    found: Mapping[str, float] = _connected().cluster_resources()
    return found


def beside(settings: Settings, workers: int) -> int:
    kind = "GPU" if settings.WHISPERX_DEVICE == "cuda" else "CPU"
    hosts = [node for node in _nodes() if node["Resources"].get(kind)]
    return max(1, -(-min(workers, int(_resources().get(kind, 0))) // max(1, len(hosts))))


def start(setup: Setup, place: str, deliver: Deliver) -> Handle:
    """Start a worker. Raises UsageError where Ray is not installed."""
    gpus = 1 if setup.settings.WHISPERX_DEVICE == "cuda" else 0
    actors = _connected().remote(num_gpus=gpus, num_cpus=1, max_concurrency=2, max_restarts=0)(RayWorker)
    return Actor(actors.remote(), setup, deliver)


def close() -> None:
    """Leave without Ray's own end: the stage's process ends at once, and processes that Ray was just starting would
    stay for a while."""
    if ray := sys.modules.get("ray"):
        ray.shutdown()


class Actor:
    def __init__(self, actor: Any, setup: Setup, deliver: Deliver) -> None:
        self._actor, self._error = actor, ""
        events = actor.events.options(num_returns="streaming").remote(setup)
        threading.Thread(target=self._listen, args=(events, deliver), daemon=True).start()

    def _listen(self, events: Any, deliver: Deliver) -> None:
        import ray

        try:
            for reference in events:
                deliver(msgspec.json.decode(ray.get(reference), type=Event))
        except ray.exceptions.RayError as error:
            self._error = str(error).splitlines()[0]
        finally:
            deliver(None)

    def send(self, message: msgspec.Struct) -> None:
        self._actor.put.remote(message)

    def end(self) -> None:
        import ray

        ray.kill(self._actor)

    def how_it_ended(self) -> tuple[str, bool]:
        """Say how an actor ended: one that is gone says little of why, as its node may be gone."""
        return self._error or "the actor ended", bool(self._error)
