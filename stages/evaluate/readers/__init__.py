"""The files that can be judged, or judged by. To add one, write `stages/evaluate/readers/<name>.py` with one
`READER = Reader(suffixes=..., read=...)` and put its name into READERS; `sutradhar eval` and its `--help` then know it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import cast

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.files import read_file
from sutradhar.stages.evaluate.version import Unreadable, Version

# In the order in which they are preferred where a recording has files of several kinds: who knows more comes first.
READERS = (
    "transcripts",
    "manifests",
    "subtitles",
    "stm",
    "ctm",
    "textgrid",
    "rttm",
    "plain_text",
)


@dataclass(frozen=True)
class Reader:
    """A kind of file. `read` gets its text and its stem, and returns a version of each recording in it by name. It
    raises Unreadable."""

    suffixes: tuple[str, ...]
    read: Callable[[str, str], Mapping[str, Version]]


@cache
def readers() -> Mapping[str, Reader]:
    """Return the readers by suffix, the preferred first."""
    found = (cast(Reader, import_module(f"{__name__}.{name}").READER) for name in READERS)
    return {suffix: reader for reader in found for suffix in reader.suffixes}


def read_versions(path: Path) -> Mapping[str, Version]:
    """Return a version of each recording in a file, by its name; that of a file of one recording is its stem. Raises
    UsageError, and OSError."""
    reader = readers().get(path.suffix.lower())
    if reader is None:
        raise UsageError(f"{path}: cannot be judged; the files that can end in {', '.join(readers())}")
    try:
        return reader.read(read_file(path).decode("utf-8-sig"), path.stem)
    except UnicodeDecodeError:
        raise UsageError(f"{path}: is not text in UTF-8; convert it first (iconv -f CHARSET -t UTF-8)") from None
    except Unreadable as error:
        raise UsageError(f"{path}: {error}") from None
