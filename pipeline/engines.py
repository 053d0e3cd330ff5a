"""The recognisers that there are, and what a job must know of each before it starts.

To add one: write `stages/asr/<name>/engine.py` with `open_engine` (see `stages/asr/recogniser.py`) and put a line here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.errors import UsageError


@dataclass(frozen=True)
class Engine:
    form: str  # of the model files that it loads: a key of `model_folder.FORMS`
    devices: tuple[str, ...]  # where it runs; on any other it runs on the first, and says so


ENGINES: Mapping[str, Engine] = {
    "whisperx": Engine("ct2", ("cpu", "cuda")),
    "mlx": Engine("mlx", ("mps", "cuda", "cpu")),
}
DEFAULT = "whisperx"
MPS_WARNINGS = ("MPS device detected but MLX backend not configured", "Falling back to CPU (slower performance)")


def engine_of(backend: str) -> Engine:
    """Raises UsageError for a recogniser that this version does not have."""
    if backend not in ENGINES:
        raise UsageError(f"WHISPER_BACKEND={backend}: this version has no such recogniser; choose from {', '.join(ENGINES)}")
    return ENGINES[backend]
