"""What CTranslate2 does on a GPU and nowhere else."""

from __future__ import annotations

import ctranslate2
import numpy as np
import pytest

from sutradhar.stages.ctranslate.nvidia import preload_libraries
from sutradhar.stages.recognisers.whisperx.ctranslate import Encoded, Whisper, _gather, _on_cpu, _storage
from tests.conftest import ROOT

BASE = ROOT / "models" / "base"
pytestmark = pytest.mark.skipif(not BASE.is_dir(), reason="needs models/base")


@pytest.fixture(autouse=True)
def on_an_nvidia_gpu() -> None:
    preload_libraries()
    if not ctranslate2.get_cuda_device_count():
        pytest.skip("CTranslate2 finds no NVIDIA GPU")


@pytest.mark.parametrize("compute_type", ["float16", "bfloat16", "float32", "int8_float16"])
def test_windows_of_batches_are_gathered_as_they_are(compute_type: str) -> None:
    whisper = Whisper(BASE, "cuda", compute_type, 1, 1)
    mels = np.random.default_rng(1).normal(size=(2, 3, whisper.mels, 3000)).astype(np.float32)
    first, second = (whisper._model.encode(_storage(batch)) for batch in mels)
    whole = np.concatenate([_on_cpu(first), _on_cpu(second)])
    assert not np.array_equal(whole[1], whole[2])
    for rows in ([1], [2], [0, 2], [1, 3], [0, 1, 2]):
        gathered = _on_cpu(_gather([Encoded(first if row < 3 else second, row % 3) for row in rows]))
        np.testing.assert_array_equal(gathered, whole[rows])
