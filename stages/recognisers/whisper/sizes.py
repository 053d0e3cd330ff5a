"""Costs and abilities of Whisper's models, on any engine. The limits and the costs of a batch on a GPU are those that
users of cp-whisperx-app know; the costs and the times on a CPU were measured."""

from __future__ import annotations

import re
from pathlib import Path

from sutradhar.stages.recognisers.about import ModelSizes

UNTRAINED = re.compile(r"turbo|distil|\.en\b")  # in names of models that were not trained to translate
WHISPER_SIZES = ModelSizes(
    by_gpu_memory=(("large-v3", 6), ("medium", 4), ("base", 0)),
    by_memory=(("large-v3", 16), ("medium", 8), ("small", 4), ("base", 0)),
    # int8, 5 beams: bench/results/model_cost.json (AMD EPYC)
    cpu_seconds={"base": (0.9, 1.5), "small": (3.0, 4.3), "medium": (7.9, 12.0), "large-v3": (14.6, 20.9)},
    gpu_cost={
        "tiny": (0.5, 0.3),
        "base": (1.0, 0.4),
        "small": (2.0, 0.6),
        "medium": (3.5, 0.8),
        "large": (6.0, 1.0),
        "large-v2": (6.5, 1.1),
        "large-v3": (7.0, 1.2),
    },
    # CTranslate2 4.8.5, int8, 5 beams, resident memory: measured at batches of 1 to 8, with room for the longest text
    cpu_cost={
        "tiny": (0.1, 0.1),
        "base": (0.2, 0.2),
        "small": (0.4, 0.3),
        "medium": (0.9, 0.8),
        "large": (1.7, 1.3),
        "large-v2": (1.7, 1.3),
        "large-v3": (1.7, 1.3),
    },
    smallest="base",
    unknown="large-v3",
)


def translates(model: str) -> bool:
    """Tell whether a model, by its name or path, may have been trained to translate to English."""
    return not UNTRAINED.search(Path(model).name)
