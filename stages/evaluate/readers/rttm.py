"""NIST's rich transcription time marks: who speaks when, and no words.

`SPEAKER recording channel begin duration <NA> <NA> speaker ...`, times in seconds."""

from __future__ import annotations

from collections.abc import Mapping

from sutradhar.stages.evaluate.readers import Reader
from sutradhar.stages.evaluate.readers.lines import by_recording, number
from sutradhar.stages.evaluate.version import Turn, Unreadable, Version, span_of


def read(text: str, stem: str) -> Mapping[str, Version]:
    recordings = by_recording(text, stem, ";;", field=1)
    return {
        name: Version((), turns=tuple(_turn(line) for line in lines if line.startswith("SPEAKER")), has_text=False)
        for name, lines in recordings.items()
    }


def _turn(line: str) -> Turn:
    fields = line.split()
    if len(fields) < 8:
        raise Unreadable(f"{line[:40]!r} is not `SPEAKER recording channel begin duration <NA> <NA> speaker`")
    begin = number(fields[3])
    return Turn(span_of(begin, begin + number(fields[4])), fields[7])


READER = Reader(suffixes=(".rttm",), read=read)
