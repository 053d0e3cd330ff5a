"""The files that a track can be written as. To add one: a module with `write(transcript, track) -> str` and a line in TIMED, or in FORMATS
where it is none of subtitles; what is in TIMED can be had of folders of recordings as well.

Every file is UTF-8 without a byte order mark, its lines end in \\n, and the same track gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from sutradhar.pipeline.errors import UsageError
from sutradhar.stages.cues.formats import json, srt, txt, vtt
from sutradhar.stages.transcript import Track, Transcript

Writer = Callable[[Transcript, Track], str]

TIMED: Mapping[str, Writer] = {"srt": srt.write, "vtt": vtt.write}
FORMATS: Mapping[str, Writer] = {**TIMED, "json": json.write, "txt": txt.write}
AnyWriter = TypeVar("AnyWriter")


def formats_of(setting: str) -> dict[str, Writer]:
    """The writers that SUBTITLE_FORMATS names. Raises UsageError for a name that is none."""
    return chosen("SUBTITLE_FORMATS", setting, FORMATS)


def chosen(key: str, setting: str, known: Mapping[str, AnyWriter]) -> dict[str, AnyWriter]:
    """Those that a setting names, separated by commas. Raises UsageError for a name that is none."""
    names = [name.strip() for name in setting.split(",") if name.strip()]
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise UsageError(f"{key}={setting}: no format {', '.join(unknown) or 'named'}; choose from {', '.join(known)}")
    return {name: known[name] for name in names}
