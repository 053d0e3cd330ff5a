"""The bias of recognisers' word times, measured a model family and engine: the one table of it.

Whisper's cross-attention turns to a word before the word is said. Measured with `python -m bench.word_times` on a
voice of three (flite slt, exact times), as the median of what words between words are early; the other two voices
judge it. The two engines share the method, and differ by 0 ms in the median.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

EARLY_MS: Mapping[tuple[str, str], int] = {  # by engine and family
    ("whisperx", "base"): 45,
    ("mlx", "base"): 45,
}
UNMEASURED_MS = {"whisperx": 45, "mlx": 45}  # by engine, for other families: that of base, which nobody measured there
_FAMILY = re.compile(r"(tiny|base|small|medium|large|turbo)(-v\d)?(-turbo)?(\.en)?(?![a-z])")


def early_ms(engine: str, model: str) -> int:
    """Return how early words are by an engine with a model, which is a name, a hub id or a folder; 0 for an engine
    that is not in the tables."""
    return EARLY_MS.get((engine, family(model)), UNMEASURED_MS.get(engine, 0))


def family(model: str) -> str:
    """Return the size in a model's name ("base", "tiny.en", "large-v3"), "" where it names none."""
    found = _FAMILY.search(Path(model).name.lower())
    return found[0] if found else ""
