"""NVIDIA's libraries for CTranslate2, which looks for them by bare name: load those that pip installed, before it
does."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
from collections.abc import Sequence
from pathlib import Path

# In the order in which they need each other: https://docs.nvidia.com/deeplearning/cudnn/backend/latest/
LIBRARIES = (
    "cuda_runtime/lib/libcudart.so.12",
    "cublas/lib/libcublasLt.so.12",
    "cublas/lib/libcublas.so.12",
    "cudnn/lib/libcudnn*.so.9",
)


def preload_libraries() -> None:
    """Load the libraries. PyTorch does so for its own use when it is imported, which takes seconds. Missing files
    are left to the loader's own search."""
    package = importlib.util.find_spec("nvidia")
    for root in (package.submodule_search_locations or ()) if package else ():
        for pattern in LIBRARIES:
            for library in sorted(Path(root).glob(pattern)):
                with contextlib.suppress(OSError):
                    ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)


def is_out_of_memory(error: RuntimeError) -> bool:
    """Tell whether memory ran out: CTranslate2 has no separate type for it. Its kernels that find no room for
    their own scratch space say "parallel_for failed"."""
    return any(sign in str(error) for sign in ("out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "parallel_for failed"))


def gpu_use(chosen: Sequence[str]) -> int | None:
    """Return how busy the GPUs are, in %, on average: those of these numbers and UUIDs, or all. None where that
    cannot be told."""
    import pynvml

    try:
        pynvml.nvmlInit()
        names = chosen or [str(index) for index in range(pynvml.nvmlDeviceGetCount())]
        handles = [
            pynvml.nvmlDeviceGetHandleByIndex(int(name)) if name.isdigit() else pynvml.nvmlDeviceGetHandleByUUID(name)
            for name in names
        ]
        return (
            round(sum(pynvml.nvmlDeviceGetUtilizationRates(handle).gpu for handle in handles) / len(handles))
            if handles
            else None
        )
    except pynvml.NVMLError:
        return None
