"""NIST's time-marked words: `recording channel begin duration word [confidence]`, times in seconds."""

from __future__ import annotations

from collections.abc import Mapping

from sutradhar.stages.evaluate.readers import Reader
from sutradhar.stages.evaluate.readers.lines import by_recording, number
from sutradhar.stages.evaluate.readers.pauses import utterances_of
from sutradhar.stages.evaluate.version import SpokenWord, Unreadable, Version, span_of


def read(text: str, stem: str) -> Mapping[str, Version]:
    return {
        name: Version(utterances_of([_word(line) for line in lines]))
        for name, lines in by_recording(text, stem, ";;").items()
    }


def _word(line: str) -> SpokenWord:
    fields = line.split()
    if len(fields) < 5:
        raise Unreadable(f"{line[:40]!r} is not `recording channel begin duration word`")
    begin = number(fields[2])
    return SpokenWord(fields[4], span_of(begin, begin + number(fields[3])))


READER = Reader(suffixes=(".ctm",), read=read)
