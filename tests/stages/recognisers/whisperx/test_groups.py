from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

import numpy as np
import pytest

from sutradhar.stages.recognisers.contract import NOTHING_YET, AudioWindow, Recognition, Waiting
from sutradhar.stages.recognisers.whisperx.groups import Crew, Group, batches, free_groups

URGENT, KNOWN = 100, 200


def window(number: int) -> AudioWindow:
    is_urgent, is_known = URGENT <= number < KNOWN, number >= KNOWN
    return AudioWindow(number, 0, np.zeros(0, np.float32), (), urgent=is_urgent, known=is_known)


def source(*numbers: int | None) -> Iterable[AudioWindow | Waiting]:
    """None stands for a pause."""
    return (NOTHING_YET if number is None else window(number) for number in numbers)


def ids(groups: Iterable[Group | Waiting]) -> list[list[int] | None]:
    return [None if isinstance(group, Waiting) else [window.id for window in group] for group in groups]


def free(*numbers: int | None, size: int = 4, fitting: int = 8) -> list[list[int] | None]:
    return ids(free_groups(source(*numbers), size, 2, lambda: fitting))


def test_batches_are_shared_out_evenly() -> None:
    assert ids(batches(source(1, 2, 3, 4, 5), 4, 2)) == [[1, 2], [3, 4], [5]]
    assert ids(batches(source(1, 2, 3, 4), 4, 1)) == [[1, 2, 3, 4]]
    assert ids(batches(source(), 4, 2)) == []


def test_a_batch_is_left_out_where_all_of_it_is_known() -> None:
    assert ids(batches(source(200, 201, 202, 4), 2, 1)) == [[202, 4]]


def test_a_batch_does_not_wait_for_a_source_that_has_nothing_yet() -> None:
    assert ids(batches(source(1, None, None, 2, 3), 4, 1)) == [[1], None, [2, 3]]


def test_an_urgent_window_waits_for_no_batch_and_goes_before_it() -> None:
    assert ids(batches(source(1, 2, 100, 3, 4), 4, 2)) == [[100], [1], [2], [3], [4]]


def test_free_groups_grow_smaller_towards_the_end() -> None:
    assert free(1, 2, 3, 4, 5, 6) == [[1, 2], [3, 4], [5], [6]]
    assert free(1, 2, 3, fitting=1) == [[1], [2], [3]]
    assert free(1, 200, 3) == [[1], [3]]
    assert free() == []


def test_free_groups_do_not_wait_either() -> None:
    assert free(1, None, None, 3) == [[1], None, [3]]
    assert free(1, 2, 100, 3) == [[100], [1, 2], [3]]


def test_an_urgent_group_does_not_wait_for_the_others() -> None:
    urgent_done = threading.Event()

    def recognise(group: Group, tell: Callable[[Recognition], None]) -> None:
        if group[0].urgent:
            urgent_done.set()
        assert urgent_done.wait(60)
        tell(Recognition(group[0].id, "", "en", 1.0, (), 1.0))

    crew = Crew(1, recognise)
    for number in (1, 2, 100):
        crew.begin([window(number)])
    assert crew.busy == 2
    found = []
    while crew.in_hand:
        found += [recognition.window for recognition in crew.next_told()]
    crew.dismiss()
    assert sorted(found) == [1, 2, 100]


def test_the_crew_raises_what_a_group_ends_with_and_waits_no_longer_than_it_is_told() -> None:
    def recognise(group: Group, tell: Callable[[Recognition], None]) -> None:
        raise RuntimeError("shape mismatch")

    crew = Crew(1, recognise)
    assert list(crew.next_told(0.001)) == []
    crew.begin([window(1)])
    with pytest.raises(RuntimeError, match="shape mismatch"):
        list(crew.next_told())
    crew.dismiss()
