"""The recognisers that there are.

To add one, make a folder with `about.py` (its description, `ABOUT`) and `engine.py` (see
`stages/recognisers/contract.py`), and put its name into `NAMES`.
"""

from __future__ import annotations

from importlib import import_module

from sutradhar.stages.recognisers.about import About

NAMES = (  # every installation has the first
    "whisperx",
    "mlx",
)
ABOUTS: tuple[About, ...] = tuple(import_module(f"{__name__}.{name}.about").ABOUT for name in NAMES)
