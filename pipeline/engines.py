"""The recognisers that there are, and what a job must know of each before it starts.

To add one: write `stages/whisper/<name>/engine.py` with `open_engine` (see `stages/whisper/__init__.py`) and put a line here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.errors import UsageError


@dataclass(frozen=True)
class Engine:
    form: str  # of the model files that it loads: a key of `model_folder.FORMS`
    devices: tuple[str, ...]  # where it runs; on any other it runs on the first, and says so
    packages: tuple[str, ...]  # distributions whose versions decide what comes out
    compute_types: tuple[str, ...] = ()  # all that it has; none where the device decides
    measures_memory: bool = False  # and so knows itself how many windows fit


ENGINES: Mapping[str, Engine] = {
    "whisperx": Engine("ct2", ("cpu", "cuda"), ("faster-whisper", "ctranslate2")),
    "mlx": Engine("mlx", ("mps", "cuda", "cpu"), ("mlx", "mlx-whisper"), ("float16", "bfloat16", "float32"), measures_memory=True),
}
DEFAULT = "whisperx"
MPS_WARNINGS = ("MPS device detected but MLX backend not configured", "Falling back to CPU (slower performance)")


def engine_of(backend: str) -> Engine:
    """Raises UsageError for a recogniser that this version does not have."""
    if backend not in ENGINES:
        raise UsageError(f"WHISPER_BACKEND={backend}: this version has no such recogniser; choose from {', '.join(ENGINES)}")
    return ENGINES[backend]


def check(backend: str, compute_type: str) -> None:
    """Raises UsageError for a recogniser that this version does not have, or that cannot compute so."""
    engine = engine_of(backend)
    if engine.compute_types and compute_type not in engine.compute_types:
        quantised = "; for 8-bit weights choose the model's form in 8 bits (large-v3-q8)" if compute_type.startswith("int8") else ""
        raise UsageError(
            f"WHISPER_COMPUTE_TYPE={compute_type} does not go with WHISPER_BACKEND={backend}; set float16, or float32 on a CPU{quantised}"
        )
