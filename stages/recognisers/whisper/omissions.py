"""Find likely speech for which a decoding has no words, and put in the text of a second decoding of it alone.

Whisper now and then leaves out a sentence of a window, without any sign in its scores; only time shows it. A word, or
a full stop, then takes seconds: it counts for as long as it can be said, and for that before its end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from sutradhar.stages.recognisers.contract import AudioWindow
from sutradhar.stages.recognisers.gaps import MARGIN_MS, earliest_ms, is_punctuation, without_words
from sutradhar.stages.recognisers.whisper.fallback import Attempt
from sutradhar.stages.recognisers.whisper.words import Timing
from sutradhar.stages.text.characters import bare
from sutradhar.stages.transcript import Span

SKIPPED_MS = 800  # likely speech without words; shorter spans bring "Thanks." and "Yeah."
PADDING_MS = 200  # of sound around a gap
# Of sound left out on both sides where a look finds no more than a part: a loud word beside a quiet voice hides it
INSIDE_MS = 400
ISLAND = 2  # words: so many of those behind skipped speech are placed in the middle of it
REPEATED = 4  # words at a gap's edge that may be heard twice


@dataclass(frozen=True)
class Gap:
    """Likely speech without words, on the clock of the window; `place` timings come before it."""

    place: int
    start_ms: int
    end_ms: int


def find_gaps(timings: Sequence[Timing], window: AudioWindow) -> list[Gap]:
    likely = [Span(one.start_ms - window.offset_ms, one.end_ms - window.offset_ms) for one in window.likely]
    gaps = [
        Gap(_place(timings, span), span.start_ms, span.end_ms)
        for span in without_words(likely, timings)
        if span.end_ms - span.start_ms >= SKIPPED_MS
    ]
    return _joined(gaps, timings)


def _joined(gaps: Sequence[Gap], timings: Sequence[Timing]) -> list[Gap]:
    """Make one gap of those that an island of a word or two parts: it belongs behind what was skipped."""
    joined: list[Gap] = []
    place = 0
    for gap in gaps:
        words = sum(not is_punctuation(word) for word in timings[place : gap.place])
        if joined and 1 <= words <= ISLAND:
            joined[-1] = replace(joined[-1], end_ms=gap.end_ms)
        else:
            joined.append(gap)
        place = gap.place
    return joined


def _place(timings: Sequence[Timing], span: Span) -> int:
    """Count the timings before a span: words that end there, and the marks behind them."""
    place = 0
    for number, timing in enumerate(timings, start=1):
        follows = place == number - 1 and place > 0 and is_punctuation(timing)
        if timing.end_ms <= span.start_ms or follows:
            place = number
    return place


def cuts(window: AudioWindow, gap: Gap) -> Iterator[tuple[AudioWindow, int]]:
    """Yield the ways to cut out the sound of a gap, each with its start in the window: with some sound around it, and
    without its edges."""
    for inside_ms in (-PADDING_MS, INSIDE_MS):
        if gap.end_ms - gap.start_ms >= SKIPPED_MS + 2 * inside_ms:
            part = cut_out(window, gap, inside_ms)
            yield part, part.offset_ms - window.offset_ms


def cut_out(window: AudioWindow, gap: Gap, inside_ms: int) -> AudioWindow:
    """Return the sound of a gap as a doubtful window, without so much of it on both sides."""
    start_ms = max(0, gap.start_ms + inside_ms)
    end_ms = min(gap.end_ms - inside_ms, window.end_ms - window.offset_ms)
    speech = (Span(window.offset_ms + start_ms, window.offset_ms + end_ms),)
    return replace(
        window,
        offset_ms=speech[0].start_ms,
        audio=window.audio[start_ms * 16 : end_ms * 16],
        speech=speech,
        sure=False,
        likely=(),
        prompt="",
        prepared=None,
    )


def explains(found: Sequence[Timing], gap: Gap, delay_ms: int) -> bool:
    """Tell whether the words found leave no gap in the gap."""
    left = without_words([Span(gap.start_ms - delay_ms, gap.end_ms - delay_ms)], found)
    return all(span.end_ms - span.start_ms < SKIPPED_MS for span in left)


def fill(timings: Sequence[Timing], gap: Gap, found: Sequence[Timing], delay_ms: int) -> list[Timing]:
    """Put `found`, on the clock of a window that begins `delay_ms` later, into the gap. Words that it repeats of
    those beside it are left out, and those behind it begin after it."""
    before, after = list(timings[: gap.place]), list(timings[gap.place :])
    before = [replace(one, end_ms=max(one.start_ms, min(one.end_ms, gap.start_ms))) for one in before]
    after = [_behind(gap, one) for one in after]
    words = [replace(word, start_ms=word.start_ms + delay_ms, end_ms=word.end_ms + delay_ms) for word in found]
    words = words[_repeated(_bare(before)[::-1], _bare(words)) :]
    ends = len(words) - sum(1 for _ in takewhile(lambda word: not bare(word.text), reversed(words)))
    if repeated := _repeated(_bare(after), _bare(words[:ends])[::-1]):
        words = words[: ends - repeated]
    return before + words + after


def _behind(gap: Gap, one: Timing) -> Timing:
    """Return a word from its earliest moment on; one of an island comes between the gap and the word behind it."""
    if one.end_ms <= gap.end_ms:
        return replace(one, start_ms=gap.end_ms, end_ms=gap.end_ms + MARGIN_MS)
    return replace(one, start_ms=earliest_ms(one))


def _bare(timings: Sequence[Timing]) -> list[str]:
    return [bare(one.text) for one in timings]


def _repeated(beside: Sequence[str], own: Sequence[str]) -> int:
    """Count the words at the edge of a gap that are heard on both its sides; both lists go away from that edge, the
    own ones inwards."""
    said = [word for word in beside if word][:REPEATED]
    for count in range(min(len(said), len(own)), 0, -1):
        if said[:count][::-1] == list(own[:count]):
            return count
    return 0


def join(attempt: Attempt, found: Attempt) -> Attempt:
    """Join the scores of both, by their tokens."""
    ours, theirs = len(attempt.tokens) + 1, len(found.tokens) + 1
    avg_logprob = (attempt.avg_logprob * ours + found.avg_logprob * theirs) / (ours + theirs)
    return replace(
        attempt, tokens=attempt.tokens + found.tokens, avg_logprob=avg_logprob, echoed=attempt.echoed or found.echoed
    )
