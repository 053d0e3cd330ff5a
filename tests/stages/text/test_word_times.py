from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sutradhar.stages.text.word_times import SHORTEST_MS, in_order
from sutradhar.stages.transcript import Word

times = st.integers(-1_000, 6_000)


def ordered(*spans: tuple[int, int], start_ms: int = 0, end_ms: int = 1000) -> list[tuple[int, int]]:
    words = [Word(str(number), start, end, 0.5) for number, (start, end) in enumerate(spans)]
    return [(word.start_ms, word.end_ms) for word in in_order(words, start_ms, end_ms)]


def test_words_in_order_keep_their_times() -> None:
    assert ordered((0, 100), (100, 120), (500, 1000)) == [(0, 100), (100, 120), (500, 1000)]


def test_a_word_begins_after_the_one_before_it() -> None:
    assert ordered((0, 300), (200, 400)) == [(0, 300), (300, 400)]
    assert ordered((400, 500), (100, 200), (600, 700)) == [(400, 500), (500, 520), (600, 700)]


def test_words_without_duration_get_the_shortest_there_is() -> None:
    assert ordered((500, 500), (500, 500)) == [(500, 520), (520, 540)]


def test_words_are_pushed_back_from_the_end_and_share_what_room_there_is() -> None:
    assert ordered((990, 1000), (1100, 1200)) == [(960, 980), (980, 1000)]
    assert ordered((0, 90), (0, 90), (0, 90), end_ms=30) == [(0, 10), (10, 20), (20, 30)]


def test_no_words() -> None:
    assert ordered() == []


@given(st.lists(st.tuples(times, times), max_size=30), times, st.integers(30, 3_000))
def test_whatever_comes_words_are_in_order_apart_inside_and_none_is_lost(
    spans: list[tuple[int, int]], start_ms: int, room_ms: int
) -> None:
    words = [Word(str(number), start, end, number / 30) for number, (start, end) in enumerate(spans)]
    done = in_order(words, start_ms, start_ms + room_ms)
    assert [(word.text, word.probability) for word in done] == [(word.text, word.probability) for word in words]
    assert all(before.end_ms <= after.start_ms for before, after in pairwise(done))
    assert all(start_ms <= word.start_ms and word.end_ms <= start_ms + room_ms for word in done)
    assert all(word.end_ms - word.start_ms >= min(SHORTEST_MS, room_ms // len(words)) for word in done)
    assert in_order(done, start_ms, start_ms + room_ms) == done
