"""Cut a passage into cues: the cheapest of all cuttings, found by dynamic programming.

`best[k]` is the cost of the cheapest way to cut tokens[:k]; from each k only the few cues that may begin there are
tried, so the work grows with the length of the track alone. A cut that fits no cue (lines, width, a long pause
inside, more than the longest duration) is never tried; one that merely reads badly has a cost. One token always fits,
so there always is a way. The costs are in cues: 1 is the cost of beginning another one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

from sutradhar.stages.cues.passage import Passage
from sutradhar.stages.cues.rules import Rules
from sutradhar.stages.cues.timing import schedule
from sutradhar.stages.cues.tokens import clip_of, tokens_of
from sutradhar.stages.cues.wrap import wrap
from sutradhar.stages.transcript import Cue, Span, Transcript

_CUE = 1.0
_CUT = 2.0  # times the cost of the break: how badly the text is parted
_SECOND_SENTENCE = 1.4  # a cue that holds two whole sentences: dearer than two cues of comfortable length
_TORN_SENTENCE = 3.0  # a cue that holds the end of one sentence and the beginning of another
_FULLNESS = 0.6  # times the square of how full the cue is: evens out the lengths
_HELD_SECOND = 2.0  # for each second of long pauses inside: words stand there before they are said
_FLICKER = 0.8  # for a cue that hardly lasts, falling to 0 at _CALM_MS
_CALM_MS = 2000
_HASTE = 3.0  # times the reading time that is missing, as a share of the time shown, and how full the cue is
_TOO_SHORT = 10.0  # for a cue that cannot be given the shortest duration without moving another
_LINES = 1.25  # times the cost of breaking the cue's lines


def build_cues(transcript: Transcript, rules: Rules) -> list[Cue]:
    """Return cues with every word of the transcript, once and in order, inside the span of its audio."""
    tokens = tokens_of(transcript, rules)
    if not tokens:
        return []
    passage = Passage(tokens, rules)
    clip = clip_of(transcript)
    bounds = cut(passage, clip, rules)
    pairs = list(pairwise(bounds))
    speech = [Span(tokens[start].start_ms, tokens[end - 1].end_ms) for start, end in pairs]
    reading = [rules.reading_ms(passage.width(start, end), end - start) for start, end in pairs]
    shown = schedule(speech, reading, clip, rules)
    return [
        Cue(span.start_ms, span.end_ms, _lines(passage, start, end, rules))
        for (start, end), span in zip(pairs, shown, strict=True)
    ]


def _lines(passage: Passage, start: int, end: int, rules: Rules) -> tuple[str, ...]:
    marks = [start, *wrap(passage, start, end, rules, rules.max_lines)[1], end]
    lines = [passage.text(left, right) for left, right in pairwise(marks)]
    if passage.tokens[start].is_sung:
        lines[0] = rules.lyrics.before + lines[0]
        song_goes_on = end < len(passage.tokens) and passage.tokens[end].is_sung
        if rules.lyrics.after_each or not song_goes_on:
            lines[-1] += rules.lyrics.after
    return tuple(lines)


def cut(passage: Passage, clip: Span, rules: Rules) -> list[int]:
    """Return the tokens that begin a cue, and the number of tokens."""
    count = len(passage.tokens)
    best = [0.0] + [math.inf] * count
    begins = [0] * (count + 1)
    costing = _Costing(passage, clip, rules)
    for start in range(count):
        for end in costing.ends(start):
            cost = best[start] + costing.of_cue(start, end)
            if cost >= best[end]:
                continue
            cost += _LINES * wrap(passage, start, end, rules, rules.max_lines)[0]
            if cost < best[end]:
                best[end], begins[end] = cost, start
    bounds = [count]
    while bounds[-1]:
        bounds.append(begins[bounds[-1]])
    return bounds[::-1]


class _Costing:
    def __init__(self, passage: Passage, clip: Span, rules: Rules) -> None:
        self.passage, self.rules = passage, rules
        self.full = rules.max_chars * rules.max_lines
        self.starts = [token.start_ms for token in passage.tokens]
        self.stops = [token.end_ms for token in passage.tokens]
        # The time that the next cue, or the end of the audio, leaves a cue that ends before token k.
        self.limits = [start - rules.gap_ms for start in self.starts] + [clip.end_ms]
        self.cuts = [_CUE + _CUT * cost for cost in passage.costs] + [_CUE]

    def ends(self, start: int) -> Iterator[int]:
        """Yield the places at which a cue that begins with token `start` may end."""
        passage, rules = self.passage, self.rules
        count = len(passage.tokens)
        latest = self.starts[start] + rules.max_ms
        lines, line_start = 1, start
        for end in range(start + 1, count + 1):
            if end > start + 1:
                if passage.pauses[end - 1] >= rules.pause_ms or self.stops[end - 1] > latest:
                    return
                if passage.tokens[end - 1].is_sung != passage.tokens[start].is_sung:
                    return
                if passage.width(line_start, end) > rules.max_chars:  # filling line by line reaches as far as any way
                    lines, line_start = lines + 1, end - 1
                    if lines > rules.max_lines:
                        return
            yield end

    def of_cue(self, start: int, end: int) -> float:
        passage, rules = self.passage, self.rules
        width = passage.width(start, end)
        fullness = width / self.full
        cost = (
            self.cuts[end]
            + _FULLNESS * fullness * fullness
            + _HELD_SECOND * (passage.held[end - 1] - passage.held[start]) / 1000
        )
        ends = passage.ends[end - 1] - passage.ends[start]
        if ends:
            whole = passage.closed[start] and passage.closed[end]
            cost += _SECOND_SENTENCE * ends + (0.0 if whole else _TORN_SENTENCE)
        return cost + self._of_time(start, end, rules.reading_ms(width, end - start), fullness)

    def _of_time(self, start: int, end: int, reading_ms: int, fullness: float) -> float:
        rules = self.rules
        begin = self.starts[start]
        wanted = max(self.stops[end - 1] + rules.linger_ms, begin + max(reading_ms, rules.min_ms))
        lasts = max(1, min(wanted, self.limits[end], begin + rules.max_ms) - begin)
        cost = _FLICKER * (1 - lasts / _CALM_MS) if lasts < _CALM_MS else 0.0
        if lasts < reading_ms:
            cost += _HASTE * fullness * min(2.0, reading_ms / lasts - 1)
        if lasts < rules.min_ms:
            cost += _TOO_SHORT * (1 + (rules.min_ms - lasts) / rules.min_ms)
        return cost
