"""Lists of recordings, a JSON object a line: `audio` or `audio_filepath`, `text`, and where known `language`,
`duration` (s), `words` and `segments`, as in the manifests of NeMo and of our own benches."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import msgspec

from sutradhar.stages.evaluate.readers import Reader
from sutradhar.stages.evaluate.readers.transcripts import version_of
from sutradhar.stages.evaluate.version import Unreadable, Version

_NAMES = ("audio", "audio_filepath", "path", "id")
_DONE = "done"  # the status of what was recognised, in the transcripts.jsonl of a job


def read(text: str, stem: str) -> Mapping[str, Version]:
    found: dict[str, Version] = {}
    for count, line in enumerate(text.splitlines(), 1):
        if line.strip() and (row := _row(line, count)).get("status", _DONE) == _DONE:
            name, version = _version(row, count)
            if name in found:
                raise Unreadable(f"line {count} names {name} again")
            found[name] = version
    return found


def _row(line: str, count: int) -> dict[str, Any]:
    try:
        return msgspec.json.decode(line, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise Unreadable(f"line {count}: {error}") from None


def _version(row: dict[str, Any], count: int) -> tuple[str, Version]:
    try:
        name = next(row[key] for key in _NAMES if isinstance(row.get(key), str))
        return str(PurePosixPath(name).with_suffix("")), version_of(row)
    except StopIteration:
        raise Unreadable(f"line {count} names no recording ({', '.join(_NAMES)})") from None
    except Unreadable as error:
        raise Unreadable(f"line {count}: {error}") from None


READER = Reader(suffixes=(".jsonl",), read=read)
