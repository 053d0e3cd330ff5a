"""The times at which each cue appears and goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sutradhar.stages.cues.rules import Rules
from sutradhar.stages.transcript import Span

SPOKEN_ON_MS = 100  # a shorter pause between two cues is none
WORTH_MS = 100  # of reading time; for less, no cue leaves its speech


def schedule(speech: Sequence[Span], reading_ms: Sequence[int], clip: Span, rules: Rules) -> list[Span]:
    """Return the times of cues whose words are spoken at `speech` and should be seen for `reading_ms`.

    A cue appears with its first word. Where the time until the next is too short to read it, the next, spoken right
    on, appears up to `late_ms` late where it has time to spare, and this one up to `lead_ms` early where the cue
    before is read and spoken. Where cues stand too close for the shortest duration and the gap, they move apart by the
    least sum of squares. Where not even the whole clip has room, the shortest duration yields, then the gap, then the
    end of the clip; the order never does. A cue stays for its reading time where the next one leaves the room."""
    rules = _with_room(len(speech), clip, rules)
    starts = _spread([span.start_ms for span in speech], clip, rules)
    last = max(clip.end_ms, starts[-1] + rules.min_ms) if starts else 0
    needs = [max(one, rules.min_ms) for one in reading_ms]
    starts = _eased(starts, speech, needs, Span(clip.start_ms, last), rules)
    spans = []
    for index, start in enumerate(starts):
        following = starts[index + 1] if index + 1 < len(starts) else None
        latest = min(start + rules.max_ms, last if following is None else following - rules.gap_ms)
        spans.append(Span(start, _end(speech[index].end_ms, start + needs[index], latest, following, rules)))
    return spans


def _eased(starts: Sequence[int], speech: Sequence[Span], needs: Sequence[int], clip: Span, rules: Rules) -> list[int]:
    """Return the starts, moved where a cue lacks time to be read."""
    eased = list(starts)
    untils = [*(start - rules.gap_ms for start in starts[1:]), clip.end_ms]
    for index, until in enumerate(untils):
        lack = eased[index] + min(needs[index], rules.max_ms) - until
        if index + 1 < len(eased) and speech[index + 1].start_ms - speech[index].end_ms < SPOKEN_ON_MS:
            spare = untils[index + 1] - eased[index + 1] - needs[index + 1]
            late = max(0, min(lack, rules.late_ms, spare))
            eased[index + 1] += late
            lack -= late
        if lack >= WORTH_MS:
            free = clip.start_ms
            if index:
                free = max(speech[index - 1].end_ms, eased[index - 1] + needs[index - 1]) + rules.gap_ms
            eased[index] -= max(0, min(lack, rules.lead_ms, eased[index] - free))
    return eased


def _with_room(cues: int, clip: Span, rules: Rules) -> Rules:
    """Return the rules, loosened so far that the clip has room for so many cues."""
    room = clip.end_ms - clip.start_ms + rules.gap_ms
    if cues * (rules.min_ms + rules.gap_ms) <= room:
        return rules
    pitch = max(1, room // cues)
    gap_ms = min(rules.gap_ms, pitch - 1)
    return replace(rules, min_ms=pitch - gap_ms, gap_ms=gap_ms)


def _spread(wanted: Sequence[int], clip: Span, rules: Rules) -> list[int]:
    """Return the starts nearest to those wanted (least squares) that are a shortest cue and a gap apart, inside the
    clip.

    With the distances taken off this is isotonic regression: pool adjacent violators."""
    pitch = rules.min_ms + rules.gap_ms
    pools: list[tuple[int, int]] = []  # sum and count of each
    for index, start in enumerate(wanted):
        total, count = start - index * pitch, 1
        while pools and pools[-1][0] * count > total * pools[-1][1]:
            total, count = total + pools[-1][0], count + pools[-1][1]
            pools.pop()
        pools.append((total, count))
    highest = max(clip.start_ms, clip.end_ms - rules.min_ms - (len(wanted) - 1) * pitch)
    flat = [min(max(total // count, clip.start_ms), highest) for total, count in pools for _ in range(count)]
    return [start + index * pitch for index, start in enumerate(flat)]


def _end(spoken_ms: int, needed: int, latest: int, following: int | None, rules: Rules) -> int:
    """Return the time at which a cue goes: readable and a little after its speech; and never so that a gap shorter
    than `chain_ms` is left, unless the longest duration forbids to close it."""
    end = min(max(spoken_ms + rules.linger_ms, needed), latest)
    if following is None or following - end >= rules.chain_ms or following - end <= rules.gap_ms:
        return end
    early = following - rules.chain_ms
    return early if early >= max(spoken_ms, needed) else latest
