"""The files that a track can be written as. To add one, write `stages/cues/formats/<name>.py` with one
`FORMAT = Format(escape=..., write=...)` and put its name into FORMATS. Films and folders of recordings then have it,
and so have `--help`, the settings and their reference.

Every file is UTF-8 without a byte order mark, its lines end in \\n, and the same track gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, cast

from sutradhar.pipeline.errors import UsageError

if TYPE_CHECKING:
    from sutradhar.stages.cues.formats.format import Format

FORMATS = (
    "srt",
    "vtt",
    "json",
    "txt",
)


def format_of(name: str) -> Format:
    return cast("Format", import_module(f"{__name__}.{name}").FORMAT)


def chosen(key: str, setting: str, known: Iterable[str] = FORMATS) -> list[str]:
    """Return the formats that a setting names, separated by commas. Raises UsageError for one that there is not."""
    names = list(dict.fromkeys(name.strip() for name in setting.split(",") if name.strip()))
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise UsageError(f"{key}={setting}: no format {', '.join(unknown) or 'named'}; choose from {', '.join(known)}")
    return names
