from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from sutradhar.stages.ctranslate.nvidia import gpu_use


@pytest.mark.parametrize(("chosen", "use"), [([], 40), (["0"], 100), (["0", "2"], 60), (["GPU-b"], 0)])
def test_the_use_is_that_of_the_chosen_gpus(chosen: list[str], use: int, monkeypatch: pytest.MonkeyPatch) -> None:
    names, busy = ["GPU-a", "GPU-b", "GPU-c"], [100, 0, 20]
    nvml = SimpleNamespace(
        NVMLError=RuntimeError,
        nvmlInit=lambda: None,
        nvmlDeviceGetCount=lambda: 3,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetHandleByUUID=names.index,
        nvmlDeviceGetUtilizationRates=lambda handle: SimpleNamespace(gpu=busy[handle]),
    )
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    assert gpu_use(chosen) == use
