from __future__ import annotations

from sutradhar.stages.cues.check import Violation, check
from sutradhar.stages.transcript import Cue, Span
from tests.stages.cues.support import netflix

CLIP = Span(0, 60_000)


def broken(*cues: Cue) -> list[tuple[int, str, float]]:
    return [(violation.cue, violation.rule, violation.found) for violation in check(cues, netflix(), CLIP)]


def test_good_cues_pass() -> None:
    assert broken(Cue(0, 1000, ("Yes.",)), Cue(1084, 3000, ("No.",)), Cue(3500, 10_500, ("x" * 42, "y" * 42))) == []


def test_text() -> None:
    assert broken(Cue(0, 7000, ("a", "b", "c"))) == [(1, "lines", 3)]
    assert broken(Cue(0, 7000, ("x" * 43,))) == [(1, "line-length", 43)]
    assert broken(Cue(0, 7000, ("a", " "))) == [(1, "blank", 0)]
    assert broken(Cue(0, 7000, ())) == [(1, "blank", 0)]


def test_times() -> None:
    assert broken(Cue(0, 833, ("a",))) == [(1, "min-duration", 833)]
    assert broken(Cue(0, 7001, ("a",))) == [(1, "max-duration", 7001)]
    assert broken(Cue(-1, 1000, ("a",)), Cue(59_000, 60_001, ("b",))) == [(1, "clip", -1), (2, "clip", 60_001)]


def test_neighbours() -> None:
    first = Cue(1000, 3000, ("a",))
    assert broken(first, Cue(500, 2000, ("b",))) == [(1, "order", 500)]
    assert broken(first, Cue(2990, 5000, ("b",))) == [(1, "overlap", -10)]
    assert broken(first, Cue(3083, 5000, ("b",))) == [(1, "gap", 83)]
    assert broken(first, Cue(3085, 5000, ("b",))) == [(1, "open-gap", 85)]
    assert broken(first, Cue(3499, 5000, ("b",))) == [(1, "open-gap", 499)]


def test_a_gap_that_the_longest_duration_keeps_open_is_allowed() -> None:
    assert broken(Cue(0, 7000, ("a",)), Cue(7200, 9000, ("b",))) == []


def test_reading_speed_is_soft() -> None:
    assert check([Cue(0, 1000, ("x" * 21,))], netflix(), CLIP) == [Violation(1, "reading-speed", 21.0, 20, hard=False)]
