"""Praat's TextGrid, long or short form: a tier of intervals is a speaker, a tier named `words` has the words.

https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from sutradhar.stages.evaluate.readers import Reader
from sutradhar.stages.evaluate.readers.lines import number
from sutradhar.stages.evaluate.readers.pauses import utterances_of
from sutradhar.stages.evaluate.version import SpokenWord, Unreadable, Utterance, Version, span_of, words_in
from sutradhar.stages.transcript import Span

# All of the file but texts, numbers and flags is there for people to read.
_VALUE = re.compile(r'"((?:[^"]|"")*)"|<(exists|absent)>|(?<![\w\[.])(-?\d+(?:\.\d+)?(?:e-?\d+)?)(?![\w\]])')
_INTERVALS, _POINTS = "IntervalTier", "TextTier"
_PHONES = ("phones", "phone", "phonemes")


@dataclass(frozen=True)
class Tier:
    name: str
    intervals: tuple[tuple[Span, str], ...]

    @property
    def has_words(self) -> bool:
        return "word" in self.name.lower()


def read(text: str, stem: str) -> Mapping[str, Version]:
    values = iter(
        [
            match[1].replace('""', '"') if match[1] is not None else match[2] or match[3]
            for match in _VALUE.finditer(text)
        ]
    )
    try:
        if [*islice(values, 2)] != ["ooTextFile", "TextGrid"]:
            raise Unreadable("no TextGrid")
        _, end, _, count = islice(values, 4)
        tiers = [tier for _ in range(int(count)) if (tier := _tier(values))]
    except ValueError:
        raise Unreadable("a TextGrid that is cut short or damaged") from None
    return {stem: _version(tiers, round(number(end) * 1000))}


def _tier(values: Iterator[str]) -> Tier | None:
    """Return the next tier; None for one of points, or of phones."""
    kind, name, _, _, count = islice(values, 5)
    if kind == _POINTS:
        [*islice(values, 2 * int(count))]
        return None
    if kind != _INTERVALS:
        raise Unreadable(f"a tier of the kind {kind[:40]!r}")
    intervals = [_interval(values) for _ in range(int(count))]
    said = tuple((span, text) for span, text in intervals if text.strip())
    return None if name.lower().endswith(_PHONES) else Tier(name, said)


def _interval(values: Iterator[str]) -> tuple[Span, str]:
    begin, end, text = islice(values, 3)
    return span_of(number(begin), number(end)), text


def _version(tiers: list[Tier], duration_ms: int) -> Version:
    worded = [tier for tier in tiers if tier.has_words]
    found = [one for tier in worded or tiers for one in _utterances(tier, _speaker(tier, len(worded or tiers)))]
    ordered = sorted(found, key=lambda one: one.span.start_ms if one.span else 0)
    return Version(tuple(ordered), duration_ms=duration_ms)


def _speaker(tier: Tier, tiers: int) -> str:
    """Return the speaker of a tier: none where there is but one, which is named for what it holds."""
    return tier.name.rpartition(" - ")[0] or tier.name if tiers > 1 else ""


def _utterances(tier: Tier, speaker: str) -> tuple[Utterance, ...]:
    if tier.has_words:
        return utterances_of([SpokenWord(text.strip(), span) for span, text in tier.intervals], speaker)
    return tuple(Utterance(words_in(text), span, speaker) for span, text in tier.intervals)


READER = Reader(suffixes=(".textgrid",), read=read)
