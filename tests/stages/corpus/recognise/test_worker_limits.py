from __future__ import annotations

from types import SimpleNamespace

import pytest

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.stages.corpus.recognise import ray_workers, worker_limits


@pytest.mark.parametrize(
    ("device", "cores", "beside", "loaders"),
    [
        ("cuda", 16, 1, 12),
        ("cuda", 16, 2, 6),
        ("cuda", 64, 8, 6),
        ("mps", 10, 1, 4),
        ("cpu", 8, 1, 2),
        ("cpu", 2, 1, 1),
        ("cpu", 2, 4, 1),
    ],
)
def test_processes_that_decode_for_a_worker(
    device: str, cores: int, beside: int, loaders: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_limits, "usable_cores", lambda: cores)
    assert worker_limits.loaders(device, beside) == loaders


def test_workers_of_a_machine_share_its_memory_or_what_it_is_limited_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        worker_limits, "probe_machine", lambda: SimpleNamespace(memory=100_000_000_000, memory_limit=None)
    )
    assert worker_limits.most_bytes(Settings(), 4) == 20_000_000_000
    assert worker_limits.most_bytes(Settings(CORPUS_WORKER_GB=3.5), 4) == 3_500_000_000
    monkeypatch.setattr(
        worker_limits, "probe_machine", lambda: SimpleNamespace(memory=100_000_000_000, memory_limit=10_000_000_000)
    )
    assert worker_limits.most_bytes(Settings(), 1) == 8_000_000_000


@pytest.mark.parametrize(
    ("device", "workers", "beside"),
    [("cuda", 8, 8), ("cuda", 1, 1), ("cpu", 4, 2), ("cpu", 100, 17)],
    ids=["all GPUs of one node", "one", "on both", "more than there is room for"],
)
def test_workers_of_ray_share_the_nodes_that_have_what_they_need(
    device: str, workers: int, beside: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = [
        {"Alive": True, "Resources": {"CPU": 2.0}},
        {"Alive": True, "Resources": {"CPU": 32.0, "GPU": 8.0}},
        {"Alive": False, "Resources": {}},
    ]
    cluster = SimpleNamespace(nodes=lambda: nodes, cluster_resources=lambda: {"CPU": 34.0, "GPU": 8.0})
    monkeypatch.setattr(ray_workers, "_connected", lambda: cluster)
    assert ray_workers.beside(Settings(WHISPERX_DEVICE=device), workers) == beside  # type: ignore[arg-type]


def test_a_cluster_without_gpus_is_no_place_for_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = SimpleNamespace(nodes=lambda: [{"Alive": True}, {"Alive": False}], cluster_resources=lambda: {"CPU": 8.0})
    monkeypatch.setattr(ray_workers, "_connected", lambda: cluster)
    assert ray_workers.places(Settings(WHISPERX_DEVICE="cpu")) == [""]
    with pytest.raises(
        UsageError,
        match=r"^WHISPERX_DEVICE=cuda, but the Ray cluster has no GPU: set WHISPERX_DEVICE=cpu, or RAY_ADDRESS to another",
    ):
        ray_workers.places(Settings(WHISPERX_DEVICE="cuda"))
