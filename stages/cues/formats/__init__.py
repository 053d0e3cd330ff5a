"""The files that a track can be written as. To add one: a module with `write(transcript, track) -> str` and a line in FORMATS.

Every file is UTF-8 without a byte order mark, its lines end in \\n, and the same track gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pipeline.errors import UsageError
from stages.cues.formats import json, srt, txt, vtt
from stages.transcript import Track, Transcript

Writer = Callable[[Transcript, Track], str]

FORMATS: Mapping[str, Writer] = {"srt": srt.write, "vtt": vtt.write, "json": json.write, "txt": txt.write}


def formats_of(setting: str) -> dict[str, Writer]:
    """The writers that SUBTITLE_FORMATS names. Raises UsageError for a name that is none."""
    names = [name.strip() for name in setting.split(",") if name.strip()]
    unknown = [name for name in names if name not in FORMATS]
    if unknown or not names:
        raise UsageError(f"SUBTITLE_FORMATS={setting}: no format {', '.join(unknown) or 'named'}; choose from {', '.join(FORMATS)}")
    return {name: FORMATS[name] for name in names}
