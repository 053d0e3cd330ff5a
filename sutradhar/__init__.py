"""Films to subtitles, recordings to transcripts, on your own machine.

    import sutradhar

    model = sutradhar.load("base")                      # loads once; "auto" takes what suits this machine
    result = model.transcribe("film.mkv", language="en")
    print(result.text)
    result.save("film.srt")                             # srt, vtt, json, txt ...

    for result in model.transcribe_many(["a.wav", "b.wav"], language="en", on_error="return"):
        print(result.path, result.error or result.text)

`load` returns a `Model`, and `Model.transcribe` a `Transcript` with `segments`, `words`, `text` and `language`.
Times are whole milliseconds on the film's own clock. Whatever goes wrong is raised as a `SutradharError`. Importing
this package loads no engine.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__: str

if TYPE_CHECKING:
    from sutradhar.model import Model, load
    from sutradhar.pipeline.errors import OutOfReach, StageFailed, SutradharError, UsageError
    from sutradhar.result import Transcript
    from sutradhar.stages.recognisers.contract import NOTHING_YET, AudioWindow, CannotTranslate, Recognition
    from sutradhar.stages.transcript import Segment, Span, Word

__all__ = [
    "NOTHING_YET",
    "AudioWindow",
    "CannotTranslate",
    "Model",
    "OutOfReach",
    "Recognition",
    "Segment",
    "Span",
    "StageFailed",
    "SutradharError",
    "Transcript",
    "UsageError",
    "Word",
    "__version__",
    "load",
]
_MODULES = {
    "sutradhar.model": ("Model", "load"),
    "sutradhar.result": ("Transcript",),
    "sutradhar.pipeline.errors": ("OutOfReach", "StageFailed", "SutradharError", "UsageError"),
    "sutradhar.stages.recognisers.contract": ("NOTHING_YET", "AudioWindow", "CannotTranslate", "Recognition"),
    "sutradhar.stages.transcript": ("Segment", "Span", "Word"),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    """Import a name when it is asked for, and not before: `import sutradhar` takes no time."""
    if name == "__version__":
        return import_module("sutradhar.pipeline.workspace").VERSION
    if name not in _HOMES:
        raise AttributeError(f"module 'sutradhar' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
