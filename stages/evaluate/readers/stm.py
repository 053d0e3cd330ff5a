"""NIST's segment time marks: `recording channel speaker begin end [<label>] text`, times in seconds.

https://github.com/usnistgov/SCTK/blob/master/doc/infmts.htm"""

from __future__ import annotations

from collections.abc import Mapping

from sutradhar.stages.evaluate.readers import Reader
from sutradhar.stages.evaluate.readers.lines import by_recording, number
from sutradhar.stages.evaluate.version import IGNORE, SpokenWord, Unreadable, Utterance, Version, span_of, words_in

_COMMENT = ";;"
_IGNORED = "ignore_time_segment_in_scoring"


def read(text: str, stem: str) -> Mapping[str, Version]:
    return {
        name: Version(tuple(one for _, one in sorted(map(_utterance, lines), key=lambda timed: timed[0])))
        for name, lines in by_recording(text, stem, _COMMENT).items()
    }


def _utterance(line: str) -> tuple[int, Utterance]:
    fields = line.split(maxsplit=5)
    if len(fields) < 5:
        raise Unreadable(f"{line[:40]!r} is not `recording channel speaker begin end text`")
    said = fields[5] if len(fields) > 5 else ""
    if said.startswith("<") and ">" in said:
        said = said.partition(">")[2].strip()
    if "{" in said:
        raise Unreadable(f"{said[:40]!r} has alternatives in braces: write one, and the others into --variants")
    ignored = said.lower() == _IGNORED
    words = (SpokenWord(IGNORE),) if ignored else words_in(said)
    span = span_of(number(fields[3]), number(fields[4]))
    return span.start_ms, Utterance(words, span, fields[2])


READER = Reader(suffixes=(".stm",), read=read)
