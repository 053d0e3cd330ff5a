from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.stages.sound.hearing import Hearing
from sutradhar.stages.sound.windows import Stretch, cut, find_windows, likely_speech, pack, pad, speech_frames
from sutradhar.stages.transcript import Likely, Span, Window

QUIET, LOUD = 0.0, 0.9


def frames(*runs: tuple[float, int]) -> list[float]:
    return [probability for probability, count in runs for _ in range(count)]


def found(probabilities: Sequence[float], begin: float = 0.5, **settings: int) -> list[tuple[int, int]]:
    return list(speech_frames(probabilities, begin, Settings(**settings)))  # type: ignore[arg-type]


def hearing(
    gate: Sequence[float], look: Sequence[float] = (), sure: Sequence[float] = (), both: bool = False
) -> Hearing:
    silence = [QUIET] * len(gate)
    return Hearing(sure or silence, gate, look or silence, both)


def test_speech_begins_at_the_threshold_and_ends_below_it_by_the_hysteresis() -> None:
    probabilities = frames((0.49, 20), (0.5, 20), (0.36, 20), (0.34, 20))
    assert found(probabilities, 0.5) == [(20, 60)]
    assert found(probabilities, 0.3) == [(0, 80)]


def test_a_sound_shorter_than_the_minimum_is_not_speech() -> None:
    probabilities = frames((LOUD, 6), (QUIET, 20))
    assert found(probabilities, SILERO_MIN_SPEECH_DURATION_MS=192) == [(0, 6)]
    assert found(probabilities, SILERO_MIN_SPEECH_DURATION_MS=193) == []


def test_a_pause_shorter_than_the_minimum_does_not_part_speech() -> None:
    probabilities = frames((LOUD, 20), (QUIET, 10), (LOUD, 20))
    assert found(probabilities, SILERO_MIN_SILENCE_DURATION_MS=320) == [(0, 50)]
    assert found(probabilities, SILERO_MIN_SILENCE_DURATION_MS=256) == [(0, 20), (30, 50)]


def test_padding_meets_in_the_middle_of_a_short_pause_and_stays_inside_the_sound() -> None:
    spans = [Span(100, 1000), Span(1101, 2000), Span(3000, 3900)]
    assert list(pad(spans, 200, 4000)) == [Stretch(0, 1050, 100), Stretch(1050, 2200, 101), Stretch(2800, 4000, 1000)]


def test_long_speech_is_cut_where_it_dips_most_in_the_second_half_of_a_window() -> None:
    probabilities = frames((0.9, 1500))
    probabilities[300] = 0.1  # 9.6 s: first half
    probabilities[700] = 0.6  # 22.4 s
    parts = list(cut(Stretch(0, 48_000, 0), probabilities))
    assert parts == [Stretch(0, 23_384, 0), Stretch(21_384, 48_000, 0)]  # a second on both sides is shared


def test_parts_of_speech_without_any_pause_are_no_longer_than_a_window() -> None:
    parts = list(cut(Stretch(0, 200_000, 0), frames((0.9, 6250))))
    assert max(part.end_ms - part.start_ms for part in parts) <= 30_000
    assert [before.end_ms - after.start_ms for before, after in pairwise(parts)] == [2000] * (len(parts) - 1)
    assert [len(group) for group in pack(parts)] == [1] * len(parts)


def test_windows_are_few_and_cut_at_the_longest_pauses() -> None:
    # Two windows are needed; greedy packing would cut at the 300 ms before the last stretch.
    stretches = [
        Stretch(0, 10_000, 0),
        Stretch(12_000, 20_000, 2000),
        Stretch(20_500, 29_000, 500),
        Stretch(29_300, 38_000, 300),
    ]
    assert [len(group) for group in pack(stretches)] == [1, 3]


def test_a_pause_alone_is_no_reason_for_a_window_more() -> None:
    assert [len(group) for group in pack([Stretch(0, 3000, 0), Stretch(20_000, 29_000, 17_000)])] == [2]


def test_windows_are_on_the_clock_of_the_film() -> None:
    loud = frames((QUIET, 50), (LOUD, 50), (QUIET, 50))
    settings = Settings(SILERO_SPEECH_PAD_MS=100)
    (window,) = find_windows(hearing(loud, loud, loud), 4800, settings, start_ms=60_000)
    assert window == Window(0, 61_500, 63_300, (Span(61_500, 63_300),), (Likely(61_600, 63_200, 0.9),), sure=True)


@pytest.mark.parametrize(("frames_of_speech", "sure"), [(8, True), (7, False)])
def test_a_window_is_sure_by_a_quarter_of_a_second_of_silero(frames_of_speech: int, sure: bool) -> None:
    gate, silero = frames((0.4, 100)), frames((0.5, frames_of_speech), (0.49, 100 - frames_of_speech))
    assert [window.sure for window in find_windows(hearing(gate, sure=silero, both=True), 3200, Settings())] == [sure]


@pytest.mark.parametrize(
    ("both", "wanted", "found"), [(True, "auto", 0), (False, "auto", 1), (True, 0.25, 1), (False, 0.26, 0)]
)
def test_the_threshold_is_that_of_the_detectors_or_the_persons(both: bool, wanted: float | str, found: int) -> None:
    gate = frames((0.25, 100))
    assert len(find_windows(hearing(gate, both=both), 3200, Settings(SILERO_THRESHOLD=wanted))) == found


def test_likely_speech_is_joined_over_short_pauses_and_not_short() -> None:
    look = frames((0.3, 10), (0.29, 18), (0.5, 10), (QUIET, 19), (0.9, 24), (QUIET, 30), (0.4, 25))
    assert list(likely_speech(look, 100_000)) == [Likely(0, 38 * 32, 0.348), Likely(111 * 32, 136 * 32, 0.4)]
    assert list(likely_speech(look, 4200)) == [Likely(0, 38 * 32, 0.348), Likely(111 * 32, 4200, 0.4)]
    assert list(likely_speech([], 0)) == []


def test_likely_speech_that_no_window_holds_is_a_doubtful_one() -> None:
    gate = frames((QUIET, 200), (LOUD, 50), (QUIET, 100))
    look = frames((QUIET, 100), (0.4, 50), (QUIET, 45), (0.5, 30), (QUIET, 125))
    found = find_windows(hearing(gate, look, gate), 350 * 32, Settings(SILERO_SPEECH_PAD_MS=100))
    assert [(one.id, one.start_ms, one.end_ms, one.sure) for one in found] == [
        (0, 100 * 32 - 200, 150 * 32 + 200, False),
        (1, 200 * 32 - 100, 250 * 32 + 100, True),
    ]
    assert found[1].likely == (Likely(200 * 32 - 100, 225 * 32, 0.5),)


@given(st.lists(st.sampled_from([0.02, 0.2, 0.4, 0.6, 0.95]), max_size=2500), st.integers(0, 2000), st.integers(0, 31))
def test_windows_hold_all_speech_in_order_and_at_most_30_s(
    probabilities: list[float], padding_ms: int, missing_ms: int
) -> None:
    duration_ms = max(0, len(probabilities) * 32 - missing_ms)
    settings = Settings(SILERO_SPEECH_PAD_MS=padding_ms)
    windows = find_windows(hearing(probabilities, probabilities[::-1]), duration_ms, settings)
    assert [window.id for window in windows] == list(range(len(windows)))
    assert all(before.end_ms <= after.start_ms for before, after in pairwise(windows))
    spans = [span for window in windows for span in window.speech]
    assert all(0 <= span.start_ms < span.end_ms <= duration_ms for span in spans)
    assert all(before.end_ms <= after.start_ms for before, after in pairwise(spans))
    assert all(window.end_ms - window.start_ms <= 30_000 for window in windows)
    assert [(window.start_ms, window.end_ms) for window in windows] == [
        (window.speech[0].start_ms, window.speech[-1].end_ms) for window in windows
    ]
    assert all(
        window.start_ms <= one.start_ms < one.end_ms <= window.end_ms for window in windows for one in window.likely
    )
    for first, end in speech_frames(probabilities, 0.2, settings):
        covered = sum(
            min(span.end_ms, end * 32) - max(span.start_ms, first * 32)
            for span in spans
            if span.start_ms < end * 32 and first * 32 < span.end_ms
        )
        assert covered == min(end * 32, duration_ms) - first * 32
