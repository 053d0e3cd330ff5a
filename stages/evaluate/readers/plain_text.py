"""Plain text: a line is an utterance, and nothing has a time."""

from __future__ import annotations

from collections.abc import Mapping

from sutradhar.stages.evaluate.readers import Reader
from sutradhar.stages.evaluate.version import Utterance, Version, words_in


def read(text: str, stem: str) -> Mapping[str, Version]:
    return {stem: Version(tuple(Utterance(words_in(line)) for line in text.splitlines() if line.strip()))}


READER = Reader(suffixes=(".txt",), read=read)
