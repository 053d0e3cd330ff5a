"""The places at which the lines of one cue end."""

from __future__ import annotations

import math

from sutradhar.stages.cues.passage import Passage
from sutradhar.stages.cues.rules import Rules

_IMBALANCE = (
    1.5  # for lines whose lengths differ by a whole line, growing with the square; half of it between sentences
)
_TOP_HEAVY = 0.3  # for an upper line that is longer by a whole line: it hides more of the picture


def wrap(passage: Passage, start: int, end: int, rules: Rules, lines: int) -> tuple[float, list[int]]:
    """Return the cheapest way to set tokens[start:end] on at most `lines` lines: its cost and the tokens that begin a
    further line. Text that fits one line stays on one. The cost is infinite where there is no way."""
    if passage.width(start, end) <= rules.max_chars:
        return 0.0, []
    best: tuple[float, list[int]] = (math.inf, [])
    if lines == 1:
        return best
    for split in range(start + 1, end):
        upper = passage.width(start, split)
        if upper > rules.max_chars:
            break
        rest, further = wrap(passage, split, end, rules, lines - 1)
        longer = (upper - passage.width(split, end) / (lines - 1)) / rules.max_chars
        shape = _IMBALANCE * longer * longer * (0.5 if passage.closed[split] else 1.0) + _TOP_HEAVY * max(0.0, longer)
        cost = passage.costs[split] + shape + rest
        if cost < best[0]:
            best = cost, [split, *further]
    return best
