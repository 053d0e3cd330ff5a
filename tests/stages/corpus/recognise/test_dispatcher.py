from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sutradhar.stages.corpus.recognise.dispatcher import KILLS, Dispatcher, FailedForGood
from sutradhar.stages.corpus.recognise.messages import Task, Work

HOUR_MS = 3_600_000


def task(name: str, duration_ms: int = 1000) -> Task:
    return Task(id=name, paths=(f"{name}.wav",), duration_ms=duration_ms)


def sharing(names: str, most_given: int = 4, workers: int = 1) -> Dispatcher:
    """Recordings of a letter each."""
    dispatcher = Dispatcher([task(name) for name in names], most_given)
    for worker in range(workers):
        dispatcher.join(worker)
    return dispatcher


def ids(work: Work | None) -> str:
    return "".join(task.id for task in work.tasks) if work else ""


def begin(dispatcher: Dispatcher, worker: int, names: str) -> None:
    for name in names:
        dispatcher.begun(worker, name)


def test_shares_out_in_order_and_at_most_so_many_at_a_time() -> None:
    dispatcher = sharing("abcdefg", most_given=3, workers=2)
    assert [ids(dispatcher.next_work(worker)) for worker in (0, 1, 0)] == ["abc", "def", ""]
    dispatcher.ended(1, "e")
    assert ids(dispatcher.next_work(1)) == "g"


def test_gives_two_recordings_however_long_and_then_an_hour_at_most() -> None:
    long = Dispatcher([task(name, 2 * HOUR_MS) for name in "abc"], 9)
    short = Dispatcher([task(name, HOUR_MS // 4) for name in "abcdef"], 9)
    for dispatcher in (long, short):
        dispatcher.join(0)
    assert (ids(long.next_work(0)), ids(short.next_work(0))) == ("ab", "abcd")


def test_is_done_when_all_has_ended_and_idle_when_all_is_given() -> None:
    dispatcher = sharing("ab")
    assert (dispatcher.idle, dispatcher.done) == (False, False)
    dispatcher.next_work(0)
    assert (dispatcher.idle, dispatcher.done) == (True, False)
    assert [dispatcher.ended(0, name).id for name in "ab"] == ["a", "b"]
    assert dispatcher.done


def test_a_failure_that_was_foreseen_is_the_last_word() -> None:
    dispatcher = sharing("a")
    dispatcher.next_work(0)
    dispatcher.begun(0, "a")
    given_up = dispatcher.failed(0, "a", "no sound", again=False)
    assert given_up
    assert (given_up.task.id, given_up.task.attempts, given_up.reason) == ("a", 1, "no sound")
    assert dispatcher.done


def test_another_failure_is_tried_again_once_with_nothing_beside_it() -> None:
    dispatcher = sharing("abc", most_given=2)
    dispatcher.next_work(0)
    begin(dispatcher, 0, "ab")
    assert dispatcher.failed(0, "a", "MemoryError", again=True) is None
    assert ids(dispatcher.next_work(0)) == "c"  # not beside b
    for name in "bc":
        dispatcher.ended(0, name)
    assert dispatcher.next_work(0) == Work((Task(id="a", paths=("a.wav",), duration_ms=1000, attempts=1),), alone=True)
    dispatcher.begun(0, "a")
    given_up = dispatcher.failed(0, "a", "MemoryError", again=True)
    assert given_up
    assert (given_up.task.attempts, given_up.reason) == (2, "MemoryError")


def test_nothing_is_given_to_a_worker_that_is_alone_with_a_recording() -> None:
    dispatcher = sharing("abc", most_given=2)
    dispatcher.next_work(0)
    begin(dispatcher, 0, "ab")
    dispatcher.ended(0, "b")
    dispatcher.failed(0, "a", "odd", again=True)
    assert ids(dispatcher.next_work(0)) == "a"
    assert dispatcher.next_work(0) is None
    dispatcher.ended(0, "a")
    assert dispatcher.next_work(0) == Work((task("c"),), alone=False)


def test_of_a_worker_that_dies_what_was_begun_is_suspect_and_the_rest_goes_first_to_the_others() -> None:
    dispatcher = sharing("abcdef", most_given=4)
    dispatcher.next_work(0)
    begin(dispatcher, 0, "ab")
    assert dispatcher.died(0, "ended with code 139", killed=False) == ([], 2)
    dispatcher.join(1)
    dispatcher.join(2)
    dispatcher.join(3)
    works = [dispatcher.next_work(worker) for worker in (1, 2, 3)]
    assert [(ids(work), work and work.alone) for work in works] == [("a", True), ("b", True), ("cdef", False)]


def test_a_recording_that_a_worker_dies_of_alone_is_given_up() -> None:
    dispatcher = sharing("a")
    for worker, expected in ((0, []), (1, ["a"])):
        dispatcher.join(worker)
        dispatcher.next_work(worker)
        dispatcher.begun(worker, "a")
        assert [
            given_up.task.id for given_up in dispatcher.died(worker, "ended with code 139", killed=False)[0]
        ] == expected
    assert dispatcher.done


def test_a_worker_that_was_killed_proves_nothing_until_it_happens_again_and_again() -> None:
    dispatcher = sharing("a")
    given_up: list[FailedForGood] = []
    for worker in range(1 + KILLS):
        assert given_up == []
        dispatcher.join(worker)
        dispatcher.next_work(worker)
        dispatcher.begun(worker, "a")
        given_up, _ = dispatcher.died(worker, "killed", killed=True)
    assert [(one.task.id, one.task.attempts) for one in given_up] == [("a", 6)]


def test_what_has_a_result_is_not_done_again_though_its_worker_died() -> None:
    dispatcher = sharing("abc")
    dispatcher.next_work(0)
    begin(dispatcher, 0, "ab")
    dispatcher.died(0, "killed", killed=True, done=["a"])
    dispatcher.join(1)
    assert ids(dispatcher.next_work(1)) == "b"
    dispatcher.ended(1, "b")
    assert ids(dispatcher.next_work(1)) == "c"


@given(st.data())
def test_whoever_dies_when_every_recording_ends_once_and_only_what_kills_is_given_up(data: st.DataObject) -> None:
    names = "abcdefghijkl"[: data.draw(st.integers(1, 12))]
    deadly = data.draw(st.sets(st.sampled_from(names)))
    dispatcher = sharing(names, data.draw(st.integers(1, 6)), workers := data.draw(st.integers(1, 4)))
    begun: dict[int, list[str]] = {worker: [] for worker in range(workers)}
    kills, ended = KILLS - 1, []
    while not dispatcher.done:
        for worker in begun:
            if (work := dispatcher.next_work(worker)) and work.alone:
                assert ids(work) == "".join(dispatcher.given(worker))
        worker = data.draw(st.sampled_from([worker for worker in begun if dispatcher.given(worker)]))
        fresh = [name for name in dispatcher.given(worker) if name not in begun[worker]]
        what = data.draw(
            st.sampled_from(["begin"] * bool(fresh) + ["end"] * bool(begun[worker]) + ["be killed"] * bool(kills))
        )
        if what == "begin":
            dispatcher.begun(worker, fresh[0])
            begun[worker].append(fresh[0])
        elif what == "end" and begun[worker][0] not in deadly:
            ended.append(dispatcher.ended(worker, begun[worker].pop(0)).id)
        else:
            kills -= what == "be killed"
            done = [name for name in begun.pop(worker) if name not in deadly and data.draw(st.booleans())]
            given_up = [
                one.task.id for one in dispatcher.died(worker, "it died", killed=what == "be killed", done=done)[0]
            ]
            assert deadly.issuperset(given_up)
            ended += [*done, *given_up]
            workers += 1
            dispatcher.join(workers)
            begun[workers] = []
    assert sorted(ended) == list(names)


def test_towards_the_end_less_is_given_so_that_all_end_together() -> None:
    dispatcher = Dispatcher([task(str(number)) for number in range(20)], 8, 2)
    dispatcher.join(1)
    dispatcher.join(2)
    given = []
    while work := dispatcher.next_work(1 + len(given) % 2):
        given.append(len(work.tasks))
        for one in work.tasks:
            dispatcher.ended(2 - len(given) % 2, one.id)
    assert given == [7, 4, 3, 2, 2, 2]
