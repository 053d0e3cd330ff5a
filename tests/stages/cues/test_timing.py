from __future__ import annotations

from sutradhar.stages.cues.timing import schedule
from sutradhar.stages.transcript import Span
from tests.stages.cues.support import netflix

CLIP = Span(0, 60_000)


def times(speech: list[tuple[int, int]], reading_ms: int = 0, clip: Span = CLIP) -> list[tuple[int, int]]:
    spans = schedule([Span(*span) for span in speech], [reading_ms] * len(speech), clip, netflix())
    return [(span.start_ms, span.end_ms) for span in spans]


def test_a_cue_lingers_half_a_second() -> None:
    assert times([(1000, 3000), (9000, 10_000)]) == [(1000, 3500), (9000, 10_500)]


def test_a_cue_stays_longer_to_be_read_where_there_is_room() -> None:
    assert times([(1000, 3000), (9000, 10_000)], reading_ms=4000) == [(1000, 5000), (9000, 13_000)]
    assert times([(1000, 3000), (4000, 5000)], reading_ms=4000) == [(500, 3916), (4000, 8000)]


def test_a_cue_too_short_to_be_read_takes_time_that_its_neighbours_do_not_need() -> None:
    crowded = [(1000, 2000), (3000, 4000), (4000, 6000)]
    assert times(crowded, reading_ms=1200) == [(1000, 2341), (2841, 4041), (4125, 6500)]
    assert times(crowded, reading_ms=1500) == [(1000, 2500), (2584, 4041), (4125, 6500)]  # the one before is read too
    assert times(crowded, reading_ms=900) == [(1000, 2500), (3000, 3916), (4000, 6500)]


def test_a_cue_after_a_pause_is_never_late_and_none_is_early_for_a_little() -> None:
    assert times([(1000, 2000), (2200, 4000)], reading_ms=1300)[1][0] == 2200
    assert times([(1000, 2000), (2200, 4000)], reading_ms=1200)[0][0] == 1000


def test_no_cue_appears_long_before_its_speech() -> None:
    assert times([(5000, 5500), (6000, 9000)], reading_ms=3000)[0] == (4500, 5916)
    assert times([(200, 700), (1200, 4000)], reading_ms=3000)[0] == (0, 1116)


def test_gaps_are_two_frames_or_half_a_second() -> None:
    assert times([(1000, 3000), (3200, 4500)])[0] == (1000, 3116)
    assert times([(1000, 3000), (3600, 4500)])[0] == (1000, 3100)
    assert times([(1000, 3000), (3600, 4500)], reading_ms=2400)[0] == (1000, 3516)


def test_no_cue_lasts_longer_than_seven_seconds() -> None:
    assert times([(0, 9000), (9100, 10_000)]) == [(0, 7000), (9100, 10_500)]
    assert times([(0, 6950), (7400, 9000)]) == [(0, 7000), (7400, 9500)]


def test_a_short_cue_takes_the_room_after_it_before_it_moves() -> None:
    assert times([(1000, 1100), (5000, 6000)])[0] == (1000, 1834)


def test_cues_too_close_move_apart_by_the_least_squares() -> None:
    assert times([(10_000, 10_500), (10_500, 12_000)]) == [(9791, 10_625), (10_709, 12_500)]


def test_the_clip_holds_all_cues() -> None:
    assert times([(0, 100), (59_900, 60_000)]) == [(0, 834), (59_166, 60_000)]
    assert times([(-500, 100)], clip=Span(1000, 5000)) == [(1000, 1834)]


def test_without_room_the_shortest_duration_yields_before_the_gap() -> None:
    assert times([(0, 0)] * 3, clip=Span(0, 1000)) == [(0, 277), (361, 638), (722, 999)]
    assert times([(0, 0)] * 3, clip=Span(0, 9)) == [(0, 1), (31, 32), (62, 63)]
