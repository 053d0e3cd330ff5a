"""Brackets in a text, as references have them.

`(…)`      words that may be heard or not (NIST's optionally deletable words): nothing that is heard there counts
`[ignore]` anything may be heard here
`[…]`, `{…}`, `<…>`, `♪`   labels, tags and signs: nothing is said
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sutradhar.stages.evaluate.version import IGNORE, SpokenWord, Utterance
from sutradhar.stages.transcript import Span

_MARK = re.compile(
    rf"(?P<unknown>{re.escape(IGNORE)})|(?P<optional>\([^()]*\))|\[[^\[\]]*\]|\{{[^{{}}]*\}}|<[^<>]*>|[♪♫]",
    re.IGNORECASE,
)
_LABEL, _OPTIONAL, _UNKNOWN, _SAID = "lou "


@dataclass(frozen=True)
class MarkedWord:
    """A word without its marks. `text` is "" where anything may be heard."""

    text: str
    span: Span | None
    is_optional: bool = False


def marked(utterance: Utterance) -> Iterator[MarkedWord]:
    """Yield the words that may be said."""
    text, place = utterance.text, 0
    kinds = _kinds(text)
    for word in utterance.words:
        kind = kinds[place : place + len(word.text)]
        place += len(word.text) + 1
        yield from _word(word, kind)


def _word(word: SpokenWord, kinds: str) -> Iterator[MarkedWord]:
    kept = "".join(character for character, kind in zip(word.text, kinds, strict=True) if kind in (_OPTIONAL, _SAID))
    if _UNKNOWN in kinds:
        yield MarkedWord("", word.span, is_optional=True)
    if kept:
        yield MarkedWord(kept, word.span, is_optional=_OPTIONAL in kinds)


def _kinds(text: str) -> str:
    """Return a letter for each character of a text."""
    kinds = [_SAID] * len(text)
    for match in _MARK.finditer(text):
        begin, end = match.span()
        kind = _UNKNOWN if match["unknown"] else _OPTIONAL if match["optional"] else _LABEL
        kinds[begin:end] = kind * (end - begin)
        if kind == _OPTIONAL:
            kinds[begin] = kinds[end - 1] = _LABEL
    return "".join(kinds)
