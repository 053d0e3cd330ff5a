from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("mlx.core", reason="MLX is not installed: ./install-mlx.sh")

import mlx.core as mx

from sutradhar.stages.mlx.top_k import largest


@pytest.mark.parametrize("size", [5, 128, 1000])
def test_the_largest_of_each_row_are_found_wherever_they_lie(size: int) -> None:
    values = np.random.default_rng(0).permutation(3 * size).reshape(3, size).astype(np.float32)
    values[0, 0] = -np.inf
    found, places = (np.array(result) for result in largest(mx.array(values), 4))
    expected = np.argsort(-values, axis=-1)[:, :4]
    assert places.tolist() == expected.tolist()
    assert found.tolist() == np.take_along_axis(values, expected, axis=-1).tolist()
