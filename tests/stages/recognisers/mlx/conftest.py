from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def uncompiled() -> Iterator[None]:
    """On the CPU MLX has g++ make a library of every fused kernel, half a second each until all are there."""
    mx = pytest.importorskip("mlx.core")
    mx.disable_compile()
    yield
    mx.enable_compile()
