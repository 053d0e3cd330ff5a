"""Give the transcript in the target languages: by a translator, or as Whisper itself translated it.

`registry.py` lists the translators beside Whisper's own, each a package here that describes itself in its `about.py`;
`translator.py` says how to add one.
"""

from __future__ import annotations

from importlib import import_module


def __getattr__(name: str) -> object:
    """Load the stage when it is asked for: the pipeline reads the descriptions without it."""
    if name != "STAGE":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{__name__}.stage").STAGE
