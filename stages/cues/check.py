"""Find the rules that a track breaks. Nothing here knows how cues are made, so it judges any."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sutradhar.stages.cues.rules import Rules
from sutradhar.stages.text.typography import measure
from sutradhar.stages.transcript import Cue, Span


@dataclass(frozen=True)
class Violation:
    cue: int  # counted from 1, as in the file
    rule: str
    found: float  # ms, characters, lines or characters a second, as the rule is in
    limit: float
    hard: bool = True


def check(cues: Sequence[Cue], rules: Rules, clip: Span) -> list[Violation]:
    """Return every breach of `rules`, in the order of the cues. Reading speed is soft: speech itself may be faster."""
    found: list[Violation] = []
    for number, cue in enumerate(cues, 1):
        found += _text(number, cue, rules)
        found += _duration(number, cue, rules, clip)
        if number < len(cues):
            found += _gap(number, cue, cues[number], rules)
    return found


def _text(number: int, cue: Cue, rules: Rules) -> Iterator[Violation]:
    if not cue.lines or any(not line.strip() for line in cue.lines):
        yield Violation(number, "blank", 0, 1)
    if len(cue.lines) > rules.max_lines:
        yield Violation(number, "lines", len(cue.lines), rules.max_lines)
    widest = max((measure(line, rules.language) for line in cue.lines), default=0.0)
    if widest > rules.max_chars:
        yield Violation(number, "line-length", widest, rules.max_chars)


def _duration(number: int, cue: Cue, rules: Rules, clip: Span) -> Iterator[Violation]:
    lasts = cue.end_ms - cue.start_ms
    if lasts < rules.min_ms:
        yield Violation(number, "min-duration", lasts, rules.min_ms)
    if lasts > rules.max_ms:
        yield Violation(number, "max-duration", lasts, rules.max_ms)
    if cue.start_ms < clip.start_ms:
        yield Violation(number, "clip", cue.start_ms, clip.start_ms)
    if cue.end_ms > clip.end_ms:
        yield Violation(number, "clip", cue.end_ms, clip.end_ms)
    chars = sum(measure(line, rules.language) for line in cue.lines)
    words = sum(len(line.split()) for line in cue.lines)
    if 0 < lasts < rules.reading_ms(chars, words):
        yield Violation(number, "reading-speed", round(chars * 1000 / lasts, 1), rules.max_cps, hard=False)


def _gap(number: int, cue: Cue, following: Cue, rules: Rules) -> Iterator[Violation]:
    gap = following.start_ms - cue.end_ms
    if following.start_ms < cue.start_ms:
        yield Violation(number, "order", following.start_ms, cue.start_ms)
    elif gap < 0:
        yield Violation(number, "overlap", gap, 0)
    elif gap < rules.gap_ms:
        yield Violation(number, "gap", gap, rules.gap_ms)
    elif rules.gap_ms < gap < rules.chain_ms and following.start_ms - rules.gap_ms - cue.start_ms <= rules.max_ms:
        yield Violation(number, "open-gap", gap, rules.chain_ms)
