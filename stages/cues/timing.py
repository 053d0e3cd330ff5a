"""The times at which each cue appears and goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sutradhar.stages.cues.rules import Rules
from sutradhar.stages.transcript import Span


def schedule(speech: Sequence[Span], reading_ms: Sequence[int], clip: Span, rules: Rules) -> list[Span]:
    """Return the times of cues whose words are spoken at `speech` and should be seen for `reading_ms`.

    A cue appears with its first word. Where cues stand too close for the shortest duration and the gap, they move
    apart by the least sum of squares. Where not even the whole clip has room, the shortest duration yields, then the
    gap, then the end of the clip; the order never does. A cue stays for its reading time where the next one leaves
    the room."""
    rules = _with_room(len(speech), clip, rules)
    starts = _spread([span.start_ms for span in speech], clip, rules)
    last = max(clip.end_ms, starts[-1] + rules.min_ms) if starts else 0
    spans = []
    for index, start in enumerate(starts):
        following = starts[index + 1] if index + 1 < len(starts) else None
        latest = min(start + rules.max_ms, last if following is None else following - rules.gap_ms)
        needed = start + max(reading_ms[index], rules.min_ms)
        spans.append(Span(start, _end(speech[index].end_ms, needed, latest, following, rules)))
    return spans


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
