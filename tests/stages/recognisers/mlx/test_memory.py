from __future__ import annotations

from types import SimpleNamespace

import psutil
import pytest

pytest.importorskip("mlx_whisper", reason="MLX is not installed: ./install-mlx.sh")

import mlx.core as mx
from mlx.utils import tree_flatten

from sutradhar.stages.recognisers.mlx import memory
from tests.stages.recognisers.mlx.tiny import FRAMES, SMALL, WIDTH, small

GB = 1 << 30


@pytest.mark.parametrize("beams", [1, 5])
def test_a_slot_is_counted_as_what_it_holds(beams: int) -> None:
    held = sum(array.nbytes for _, array in tree_flatten([small().empty_cross(1), small().empty_past(1, beams, 64)]))
    scores = beams * SMALL.size * 4
    assert memory.slot_bytes(small(), beams, 64) == held + 8 * scores


def test_as_many_slots_as_fit_into_most_of_the_free_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    held, encoder = (
        memory.slot_bytes(small(), 1, 64) + 3 * FRAMES * WIDTH * 4,
        34 * FRAMES * WIDTH * 4 + 2 * 2 * FRAMES**2 * 4,
    )
    sound, words = 2 * 2 * FRAMES * WIDTH * 4, 768 * 4 * (17 * len(small().alignment_heads) * FRAMES + 2 * SMALL.size)
    free = 0

    def fitting(device: str) -> int:
        return memory.fitting_slots(small(), device, 1, 64)

    monkeypatch.setattr(memory, "free_bytes", lambda device: free)
    assert fitting("mps") == 1
    assert memory.decoding_bytes(small(), 5, 1, 64) == 5 * (held + encoder + 2 * sound) + words
    assert memory.decoding_bytes(small(), 40, 1, 64) == 40 * held + 16 * encoder + 8 * 2 * sound + words
    free = int((5.5 * (held + encoder + 2 * sound) + words) / 0.7)
    assert [fitting(device) for device in ("mps", "cuda", "cpu")] == [5, 5, 5]
    free = 1000 * (held + encoder + 2 * sound + words)
    assert [fitting(device) for device in ("mps", "cuda", "cpu")] == [16, 48, 8]


def test_free_memory_is_what_mlx_may_still_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=3 * GB))
    monkeypatch.setattr(
        mx, "device_info", lambda: {"free_memory": 40 * GB, "max_recommended_working_set_size": 24 * GB}
    )
    monkeypatch.setattr(mx, "get_active_memory", lambda: 4 * GB)
    assert [memory.free_bytes(device) // GB for device in ("cpu", "cuda", "mps")] == [3, 40, 20]


def test_mlx_is_told_how_much_it_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []
    monkeypatch.setattr(mx, "set_memory_limit", told.append)
    memory.keep_to(5 * GB)
    assert told == [5 * GB]
