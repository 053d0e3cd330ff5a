from __future__ import annotations

from collections import Counter

import pytest

from sutradhar.stages.corpus.recognise import pace
from sutradhar.stages.corpus.recognise.pace import Pace


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(pace.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_what_was_before_counts_for_the_standing_and_not_for_the_speed(clock: Clock) -> None:
    whole = Pace([10_000] * 10, Counter(done=3, failed=1), [5_000] * 4)
    clock.now += 10
    whole.end("a", 30_000)
    whole.end("b", 5_000, failed=True)
    assert (whole.done, whole.failed, whole.done_ms) == (1, 1, 30_000)
    assert whole.seconds == (55.0, 100.0, 20.0)
    assert whole.standing() == "6 of 10 files, 2 failed, 0:55 of 1:40"
    assert whole.overall() == "0:30 of sound in 0:10, 3.0x real time"
    assert whole.present() == "now 3.5x"


def test_short_recordings_take_longer_for_their_sound(clock: Clock) -> None:
    """A window costs as much as 10 s of the sound in it: long ones first, 3 windows and 70 s; then 60 windows and 120 s."""
    whole = Pace([70_000, *[2_000] * 60], Counter(), [])
    assert whole.left is None
    clock.now += 10
    whole.end("long", 70_000)
    assert whole.left == pytest.approx(72.0)
    whole.come("short", 1_000)
    assert whole.left == pytest.approx(10 * 709 / 111)
    for number in range(59):
        whole.end(str(number), 2_000)
    whole.begin_anew("short")
    whole.put_off(2_000)
    assert (whole.left, whole.seconds) == (0, (188.0, 188.0, 0.0))


def test_how_far_a_long_recording_has_come_counts_until_it_ends_or_begins_anew(clock: Clock) -> None:
    whole = Pace([60_000, 40_000], Counter(), [])
    seen = []
    for step in (
        lambda: whole.come("a", 30_000),
        lambda: whole.begin_anew("a"),
        lambda: whole.come("a", 10_000),
        lambda: whole.end("a", 60_000),
    ):
        step()
        seen.append(whole.seconds[0])
    assert seen == [30.0, 0.0, 10.0, 60.0]


def test_the_present_speed_is_that_of_the_last_minute(clock: Clock) -> None:
    whole = Pace([600_000, 60_000, 340_000], Counter(), [])
    whole.end("a", 600_000)
    assert whole.present() == ""  # nobody can tell yet
    clock.now += 40
    assert whole.present() == "now 15.0x"
    clock.now += 40
    whole.end("b", 60_000)
    assert whole.present() == "now 0.8x"  # since the last news before the minute


def test_long_recordings_show_their_speed_while_they_last(clock: Clock) -> None:
    whole = Pace([3_600_000] * 2, Counter(), [])
    seen = set()
    for second in range(2, 600, 2):
        clock.now += 2
        if second == 450:
            whole.end("a", 3_600_000)
        else:
            whole.come("a" if second < 450 else "b", second * 8_000 % 3_600_000)
        seen.add(whole.present())
    assert seen == {"now 8.0x"}


def test_a_run_without_anything_new_has_no_speed(clock: Clock) -> None:
    whole = Pace([1000], Counter(done=1), [1000])
    assert (whole.overall(), whole.present(), whole.standing()) == ("nothing new", "", "1 of 1 files, 0:01 of 0:01")
