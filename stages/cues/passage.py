"""The tokens of a whole track with everything that the cutting of cues asks of them again and again, added up
beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

from sutradhar.stages.cues.breaks import break_costs, sentence_ends
from sutradhar.stages.cues.rules import Rules
from sutradhar.stages.cues.tokens import Token
from sutradhar.stages.text import typography

_HELD_PAUSE_MS = 500  # a pause longer than this is felt inside a cue
_NEW_SEGMENT = 1.3  # how much more a sentence end counts where the segment ends too: another may be speaking


class Passage:
    """The tokens and sums at boundaries; boundary k lies before token k. `costs`: of a break there. `pauses`: ms of
    silence there. `closed`: no sentence runs across it. `ends`, `held`: the sentence ends, and the ms of long pauses,
    at the boundaries up to k."""

    def __init__(self, tokens: Sequence[Token], rules: Rules) -> None:
        self.tokens = tokens
        ends = sentence_ends(tokens, rules.language)
        self.costs = break_costs(tokens, ends, rules.language)
        self.pauses = [0] + [right.start_ms - left.end_ms for left, right in pairwise(tokens)]
        self.closed = [end or pause >= rules.pause_ms for end, pause in zip(ends, self.pauses, strict=True)] + [True]
        self.closed[0] = True
        self.ends = list(
            accumulate(
                end * (_NEW_SEGMENT if token.opens_segment else 1.0) for end, token in zip(ends, tokens, strict=True)
            )
        )
        self.held = list(accumulate(max(0, pause - _HELD_PAUSE_MS) for pause in self.pauses))
        space = typography.measure(" ", rules.language)
        self._spaces = [space * token.spaced for token in tokens]
        widths = (
            typography.measure(token.text, rules.language) + gap
            for token, gap in zip(tokens, self._spaces, strict=True)
        )
        self._widths = list(accumulate(widths, initial=0.0))
        self._signs = [rules.signs_chars(token.is_sung) for token in tokens]

    def width(self, start: int, end: int) -> float:
        """Return the width of tokens[start:end] set on one line, in characters, with the signs that lyrics have."""
        return self._widths[end] - self._widths[start] - self._spaces[start] + self._signs[start]

    def text(self, start: int, end: int) -> str:
        rest = "".join(" " * token.spaced + token.text for token in self.tokens[start + 1 : end])
        return self.tokens[start].text + rest
