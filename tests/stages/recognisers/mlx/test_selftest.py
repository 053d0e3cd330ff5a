from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("mlx_whisper", reason="MLX is not installed: ./install-mlx.sh")

import mlx.core as mx
import mlx.nn as nn

from sutradhar.stages.recognisers.mlx import selftest
from sutradhar.stages.recognisers.mlx.choice import Search
from sutradhar.stages.recognisers.mlx.network import Network
from tests.stages.recognisers.mlx.tiny import SMALL, make_whisper, small

SEARCHES = pytest.mark.parametrize("search", [Search(), Search(3)], ids=["greedy", "beams"])


def disturb(monkeypatch: pytest.MonkeyPatch, name: str, change: Callable[[mx.array], mx.array]) -> None:
    """What this part of the network gives, an array or a tuple that begins with one, is changed."""
    work = getattr(Network, name)

    def disturbed(*arguments: Any) -> Any:
        found = work(*arguments)
        return (change(found[0]), *found[1:]) if isinstance(found, tuple) else change(found)

    monkeypatch.setattr(Network, name, disturbed)


def in_last_row(x: mx.array, amount: float) -> mx.array:
    noise = amount * mx.random.normal(x.shape, key=mx.random.key(0))
    return mx.where((mx.arange(x.shape[0]) == x.shape[0] - 1).reshape(-1, *[1] * (x.ndim - 1)), x + noise, x)


@SEARCHES
def test_a_build_that_computes_rightly_passes(search: Search) -> None:
    selftest.check(small(), SMALL, search)


def test_quantised_weights_pass() -> None:
    whisper = make_whisper()
    nn.quantize(whisper, 64, 8, class_predicate=lambda _, module: isinstance(module, (nn.Linear, nn.Embedding)))
    selftest.check(Network(whisper, mx.float32), SMALL)


@SEARCHES
@pytest.mark.parametrize("part", ["_attend", "_attend_past", "step"])
def test_a_row_that_differs_from_the_others_is_noticed(
    part: str, search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    disturb(monkeypatch, part, lambda x: in_last_row(x, 0.05))
    with pytest.raises(
        selftest.BrokenBuild, match="the same window gives different results in different rows of a batch"
    ):
        selftest.check(small(), SMALL, search)


@pytest.mark.parametrize("part", ["_attend", "_attend_past", "step"])
def test_what_is_wrong_in_all_rows_is_noticed(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    disturb(monkeypatch, part, lambda x: 1.02 * x)
    with pytest.raises(selftest.BrokenBuild, match=r"the fused decoder is [\d.]+% off the plain computation"):
        selftest.check(small(), SMALL)


def test_numbers_that_are_none_are_noticed_in_any_row(monkeypatch: pytest.MonkeyPatch) -> None:
    disturb(monkeypatch, "step", lambda x: in_last_row(x, float("nan")))
    with pytest.raises(selftest.BrokenBuild):
        selftest.check(small(), SMALL)


def test_an_encoder_that_is_wrong_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    network = small()
    monkeypatch.setattr(network, "encode", lambda mel: 1.02 * network.encode_plainly(mel))
    with pytest.raises(selftest.BrokenBuild, match=r"the fused encoder is 2.0% off the plain computation"):
        selftest.check(network, SMALL)
