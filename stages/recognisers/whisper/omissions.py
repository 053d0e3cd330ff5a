"""Find speech that a decoding has skipped, and put in the text of a second decoding of it alone.

Without timestamp tokens Whisper now and then leaves out a sentence in the middle of a window, without any sign in
its scores. The alignment shows it: a token, mostly a full stop, then takes seconds of speech. (Clips of several
speakers joined to 23 windows, base: every token that took `SKIPPED_MS` too long stood where words of the reference
were missing.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sutradhar.stages.recognisers.contract import AudioWindow
from sutradhar.stages.recognisers.whisper.fallback import Attempt
from sutradhar.stages.recognisers.whisper.timestamps import clip
from sutradhar.stages.recognisers.whisper.words import Timing, is_mark
from sutradhar.stages.text.characters import CLOSING, COMMAS, STOPS, bare

SKIPPED_MS = 1200  # speech that no word accounts for
SLOW_MS = 300  # a token that takes so much too long is taken out with its neighbour
_MARKS = CLOSING + STOPS + COMMAS
WORD_MS, LETTER_MS = 400, 120  # the times of a slow speaker


@dataclass(frozen=True)
class Gap:
    """A gap: timings `first` to before `end` share the sound from `start_ms` to `end_ms` of the window with
    skipped speech."""

    first: int
    end: int
    start_ms: int
    end_ms: int


def find_gaps(timings: Sequence[Timing], window: AudioWindow) -> list[Gap]:
    last_ms = timings[-1].end_ms if timings else 0
    tail = Timing("", last_ms, window.end_ms - window.offset_ms, 0)
    excess = [_spoken_ms(timing, window) - _plausible_ms(timing.text) for timing in timings] + [
        _spoken_ms(tail, window)
    ]
    gaps, first = [], 0
    for index, timing in enumerate((*timings, tail)):
        if excess[index] <= SLOW_MS:
            first = index + 1
        elif index == len(timings) or excess[index + 1] <= SLOW_MS:
            if sum(excess[first : index + 1]) >= SKIPPED_MS:
                begin = (*timings, tail)[first]
                after_mark = first + (is_mark(begin.text, _MARKS) and begin is not tail)
                gaps.append(Gap(after_mark, min(index + 1, len(timings)), begin.start_ms, timing.end_ms))
            first = index + 1
    return gaps


def _plausible_ms(text: str) -> int:
    return WORD_MS + LETTER_MS * len(text.strip())


def _spoken_ms(timing: Timing, window: AudioWindow) -> int:
    spans = clip(window.speech, window.offset_ms + timing.start_ms, window.offset_ms + timing.end_ms)
    return sum(span.end_ms - span.start_ms for span in spans)


def cut_out(window: AudioWindow, gap: Gap) -> AudioWindow:
    """Return the speech of a gap as a window."""
    speech = clip(window.speech, window.offset_ms + gap.start_ms, window.offset_ms + gap.end_ms)
    start_ms, end_ms = speech[0].start_ms - window.offset_ms, speech[-1].end_ms - window.offset_ms
    return replace(
        window,
        offset_ms=speech[0].start_ms,
        audio=window.audio[start_ms * 16 : end_ms * 16],
        speech=speech,
        prepared=None,
    )


def fill(timings: Sequence[Timing], gap: Gap, found: Sequence[Timing], delay_ms: int) -> list[Timing]:
    """Put `found`, on the clock of a window that begins `delay_ms` later, in place of the words in the gap.

    Words of the gap that were not found again stay: behind it where they begin a sentence, else before it."""
    before, lost, after = list(timings[: gap.first]), list(timings[gap.first : gap.end]), list(timings[gap.end :])
    words = [replace(word, start_ms=word.start_ms + delay_ms, end_ms=word.end_ms + delay_ms) for word in found]
    if before and words and _bare(before[-1]) == _bare(words[0]):
        words = words[1:]
    if after and words and _bare(words[-1]) == _bare(after[0]):
        words = words[:-1]
    if after and words and is_mark(words[-1].text, _MARKS) and is_mark(after[0].text, _MARKS):
        after = after[1:]
    known = {_bare(word) for word in words}
    kept = [word for word in lost if _bare(word) and _bare(word) not in known]
    if not before or before[-1].text.endswith(tuple(STOPS)):
        return (
            before
            + words
            + [replace(word, start_ms=max(word.start_ms, word.end_ms - _plausible_ms(word.text))) for word in kept]
            + after
        )
    return (
        before
        + [replace(word, end_ms=min(word.end_ms, word.start_ms + _plausible_ms(word.text))) for word in kept]
        + words
        + after
    )


def _bare(timing: Timing) -> str:
    return bare(timing.text)


def join(attempt: Attempt, found: Attempt) -> Attempt:
    """Join the scores of both, by their tokens."""
    ours, theirs = len(attempt.tokens) + 1, len(found.tokens) + 1
    avg_logprob = (attempt.avg_logprob * ours + found.avg_logprob * theirs) / (ours + theirs)
    return replace(
        attempt, tokens=attempt.tokens + found.tokens, avg_logprob=avg_logprob, echoed=attempt.echoed or found.echoed
    )
