from __future__ import annotations

from types import SimpleNamespace

import pytest

from pipeline.settings import Settings
from stages.recognise import room


@pytest.mark.parametrize(
    ("device", "cores", "beside", "loaders"),
    [("cuda", 16, 1, 12), ("cuda", 16, 2, 6), ("cuda", 64, 8, 6), ("mps", 10, 1, 4), ("cpu", 8, 1, 2), ("cpu", 2, 1, 1), ("cpu", 2, 4, 1)],
)
def test_processes_that_decode_for_a_worker(device: str, cores: int, beside: int, loaders: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "usable_cores", lambda: cores)
    assert room.loaders(device, beside) == loaders


def test_workers_of_a_machine_share_its_memory_or_what_it_is_limited_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "probe_machine", lambda: SimpleNamespace(memory=100_000_000_000, memory_limit=None))
    assert room.most_bytes(Settings(), 4) == 20_000_000_000
    assert room.most_bytes(Settings(CORPUS_WORKER_GB=3.5), 4) == 3_500_000_000
    monkeypatch.setattr(room, "probe_machine", lambda: SimpleNamespace(memory=100_000_000_000, memory_limit=10_000_000_000))
    assert room.most_bytes(Settings(), 1) == 8_000_000_000
