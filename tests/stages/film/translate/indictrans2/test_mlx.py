from __future__ import annotations

import numpy as np
import pytest

mx = pytest.importorskip("mlx.core", reason="MLX is not installed: ./install-mlx.sh")

from sutradhar.stages.film.translate.indictrans2.mlx import attention  # noqa: E402


@pytest.mark.parametrize("mask", [None, "causal", [[[[True, False, True, True]]], [[[True, True, False, False]]]]])
def test_attention_is_that_of_mlx(mask: str | list[object] | None) -> None:
    queries, keys, values = (mx.random.normal((2, 3, 4, 8), key=mx.random.key(number)) for number in range(3))
    given = mx.array(mask) if isinstance(mask, list) else mask
    expected = mx.fast.scaled_dot_product_attention(queries, keys, values, scale=0.5, mask=given)
    np.testing.assert_allclose(
        np.array(attention(queries, keys, values, scale=0.5, mask=given)), np.array(expected), atol=1e-5
    )
