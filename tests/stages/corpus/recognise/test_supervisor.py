from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import msgspec
import pytest

from sutradhar.pipeline.errors import StageFailed, UsageError
from sutradhar.pipeline.processes.channel import Broken, Note
from sutradhar.stages.corpus.recognise import supervisor
from sutradhar.stages.corpus.recognise.dispatcher import Dispatcher, FailedForGood
from sutradhar.stages.corpus.recognise.messages import (
    Begun,
    Deferred,
    Degraded,
    Done,
    Event,
    Failed,
    Ready,
    Retiring,
    Task,
    WindowsDone,
    Work,
)
from sutradhar.stages.corpus.recognise.supervisor import Deliver, Supervisor


class Fake:
    """A worker without a process. It is ready at once, and does what the crew's `work` says with what it is sent."""

    def __init__(self, crew: Crew, place: str, deliver: Deliver) -> None:
        self.crew, self.place, self.deliver = crew, place, deliver
        self.number = len(crew.launched)
        self.sent: list[str] = []
        self.dead = self.was_ended = False
        self.how = ("ended with code 139", False)

    def send(self, message: msgspec.Struct) -> None:
        assert isinstance(message, Work)
        self.sent += [task.id for task in message.tasks]
        if not self.dead:
            self.crew.work(self, message)

    def end(self) -> None:
        self.was_ended = True

    def how_it_ended(self) -> tuple[str, bool]:
        return self.how

    def tell(self, *events: Event) -> None:
        for event in events:
            self.deliver(event)

    def do(self, work: Work) -> None:
        for task in work.tasks:
            self.tell(Begun(task.id), Done(task.id))

    def die(self) -> None:
        self.dead = True
        self.deliver(None)


def do(worker: Fake, work: Work) -> None:
    worker.do(work)


def be_ready(worker: Fake) -> None:
    worker.tell(Ready({"device": "cpu"}, ()))


class Crew:
    def __init__(
        self,
        work: Callable[[Fake, Work], None] = do,
        start: Callable[[Fake], None] = be_ready,
        done: Sequence[str] = (),
    ) -> None:
        self.work, self.start, self.done = work, start, done
        self.launched: list[Fake] = []
        self.told: list[Event | FailedForGood] = []

    def run(self, names: str, gpus: Sequence[str] = ("",), most_given: int = 2) -> Crew:
        tasks = [Task(id=name, paths=(name,), duration_ms=1000) for name in names]
        Supervisor(
            self.launch,
            gpus,
            Dispatcher(tasks, most_given),
            lambda name: Done(name) if name in self.done else None,
            self.told.append,
        ).run()
        return self

    def launch(self, gpu: str, deliver: Deliver) -> Fake:
        self.launched.append(Fake(self, gpu, deliver))
        self.start(self.launched[-1])
        return self.launched[-1]

    @property
    def ended(self) -> str:
        return "".join(sorted(event.id for event in self.told if isinstance(event, Done)))

    @property
    def notes(self) -> list[str]:
        return [event.message for event in self.told if isinstance(event, Note)]

    @property
    def given_up(self) -> dict[str, str]:
        return {event.task.id: event.reason for event in self.told if isinstance(event, FailedForGood)}


def test_all_is_done_by_all_and_each_is_told_once() -> None:
    crew = Crew().run("abcdef", ["0", "1"])
    assert crew.ended == "abcdef"
    assert [worker.place for worker in crew.launched] == ["0", "1"]
    assert all(worker.sent and worker.was_ended for worker in crew.launched)
    assert [event for event in crew.told if isinstance(event, Ready)] == [Ready({"device": "cpu"}, ())] * 2


def test_nothing_is_sent_to_a_worker_before_it_is_ready() -> None:
    def start(worker: Fake) -> None:
        if worker.place == "1":
            be_ready(worker)

    crew = Crew(start=start).run("abcd", ["0", "1"])
    assert ([worker.sent for worker in crew.launched], crew.ended) == ([[], ["a", "b", "c", "d"]], "abcd")


def test_a_worker_that_tells_nothing_any_more_is_ended_and_what_it_hangs_on_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervisor, "STUCK", 0.06)
    monkeypatch.setattr(supervisor, "LOOK_EVERY", 0.01)

    def work(worker: Fake, work: Work) -> None:
        if "c" not in (task.id for task in work.tasks):
            return worker.do(work)
        worker.tell(*(Begun(task.id) for task in work.tasks))
        return setattr(worker, "end", worker.die)

    crew = Crew(work).run("abcdef")
    assert crew.ended == "abdef"
    assert list(crew.given_up) == ["c"]
    assert crew.given_up["c"].startswith("the worker ended on it: nothing was heard of it for")


def test_a_worker_that_tells_something_now_and_then_or_has_nothing_to_do_is_not_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervisor, "STUCK", 0.2)
    monkeypatch.setattr(supervisor, "LOOK_EVERY", 0.01)

    def work(worker: Fake, work: Work) -> None:
        events = [Begun("a"), *(WindowsDone("a", 0.1 * number) for number in range(1, 8)), Done("a")]
        for number, event in enumerate(events):
            threading.Timer(0.07 * number, worker.tell, [event]).start()

    crew = Crew(work).run("a", ["0", "1"])  # the second has nothing to do
    assert (crew.ended, crew.given_up, len(crew.launched)) == ("a", {}, 2)


def test_poison_in_a_row_does_not_end_the_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    def work(worker: Fake, work: Work) -> None:
        if [task.id for task in work.tasks] == ["z"]:
            return worker.do(work)
        worker.tell(*(Begun(task.id) for task in work.tasks))
        return worker.die()

    crew = Crew(work).run("abcdefghijklmnopqrstuvwxyz", most_given=1)
    assert (crew.ended, len(crew.given_up)) == ("z", 25)


def test_a_full_disk_ends_the_stage_and_is_nobodys_failure() -> None:
    def work(worker: Fake, work: Work) -> None:
        worker.tell(Begun(work.tasks[0].id), Broken("No space left on device", 1, hopeless=True))
        worker.die()

    crew = Crew(work)
    with pytest.raises(StageFailed, match=r"^No space left on device$"):
        crew.run("ab")
    assert crew.given_up == {}


def test_a_worker_that_dies_is_replaced_and_only_what_it_dies_of_is_given_up() -> None:
    def work(worker: Fake, work: Work) -> None:
        if "c" not in (task.id for task in work.tasks):
            return worker.do(work)
        worker.tell(*(Begun(task.id) for task in work.tasks))
        return worker.die()

    crew = Crew(work).run("abcdef", ["7"])
    assert crew.ended == "abdef"
    assert crew.given_up == {"c": "the worker ended on it: ended with code 139"}
    assert [worker.place for worker in crew.launched] == ["7", "7", "7"]
    assert [worker.was_ended for worker in crew.launched] == [False, False, True]
    assert crew.notes == [
        "A worker ended (ended with code 139); tried again alone: 1 recording that it had begun",
        "A worker ended (ended with code 139)",
    ]


def test_a_result_that_is_there_counts_though_its_worker_died_before_it_said_so() -> None:
    def work(worker: Fake, work: Work) -> None:
        worker.tell(*(Begun(task.id) for task in work.tasks))
        worker.die()

    crew = Crew(work, done=["a", "b"]).run("ab")
    assert (crew.ended, crew.given_up, len(crew.launched)) == ("ab", {}, 1)
    assert crew.notes == ["A worker ended (ended with code 139)"]
    assert [event.attempts for event in crew.told if isinstance(event, Done)] == [1, 1]


def test_workers_that_die_before_they_can_say_what_they_have_done_do_not_end_the_stage() -> None:
    def work(worker: Fake, work: Work) -> None:
        worker.tell(Begun(work.tasks[0].id))
        worker.die()

    everything = "abcdefghijklmnopqrstuvwxyz"
    assert Crew(work, done=everything).run(everything, most_given=1).ended == everything


def test_failures_are_passed_on_when_they_are_final() -> None:
    def work(worker: Fake, work: Work) -> None:
        for task in work.tasks:
            worker.tell(Begun(task.id), Failed(task.id, "odd", again=task.id == "b"))

    crew = Crew(work).run("ab")
    assert (crew.ended, crew.given_up, crew.launched[0].sent) == ("", {"a": "odd", "b": "odd"}, ["a", "b", "b"])


def test_three_workers_in_a_row_that_never_get_ready_end_the_stage() -> None:
    crew = Crew(start=Fake.die)
    with pytest.raises(StageFailed, match=r"^No worker can start: ended with code 139$"):
        crew.run("ab")
    assert len(crew.launched) == 3


def test_a_gpu_on_which_none_can_start_is_left_to_itself_and_the_others_go_on() -> None:
    def start(worker: Fake) -> None:
        Fake.die(worker) if worker.place == "bad" else be_ready(worker)

    crew = Crew(start=start).run("abcdefgh", gpus=("good", "bad"), most_given=1)
    assert crew.ended == "abcdefgh"
    assert [event.line for event in crew.told if isinstance(event, Degraded)] == [
        "No worker can start on GPU bad, the others go on: ended with code 139"
    ]


def test_a_place_that_had_a_worker_gets_another_though_others_could_not_start_there() -> None:
    """On a processor, in Ray, or where one GPU has room for one, all are in the same place."""

    def start(worker: Fake) -> None:
        be_ready(worker) if worker.number in (0, 4) else worker.die()

    def work(worker: Fake, work: Work) -> None:
        worker.do(work)
        if "g" in worker.sent and worker.number == 0:
            assert [event for event in crew.told if isinstance(event, Degraded)]  # nobody tries any more
            worker.tell(Retiring(5))
            worker.die()

    crew = Crew(work, start)
    crew.run("abcdefghijkl", gpus=("", ""), most_given=1)
    assert (crew.ended, len(crew.launched)) == ("abcdefghijkl", 5)


def test_what_is_put_off_is_neither_done_nor_given_up() -> None:
    def work(worker: Fake, work: Work) -> None:
        for task in work.tasks:
            worker.tell(Begun(task.id), Deferred(task.id, "not there"))

    crew = Crew(work=work).run("ab")
    assert crew.given_up == {}
    assert [event.reason for event in crew.told if isinstance(event, Deferred)] == ["not there", "not there"]


def test_twenty_workers_in_a_row_that_get_nothing_done_end_the_stage() -> None:
    crew = Crew(work=lambda worker, work: worker.die())
    with pytest.raises(
        StageFailed, match=r"^20 workers in a row ended before any recording was done: ended with code 139$"
    ):
        crew.run("abc")
    assert len(crew.launched) == 20


def test_workers_that_get_ready_in_between_make_three_deaths_bearable() -> None:
    def start(worker: Fake) -> None:
        Fake.die(worker) if worker.number % 3 < 2 else be_ready(worker)

    def work(worker: Fake, work: Work) -> None:
        worker.do(work)
        worker.die()

    assert Crew(work, start).run("abcdef").ended == "abcdef"


def test_settings_that_will_not_do_end_the_stage_at_once() -> None:
    def start(worker: Fake) -> None:
        if worker.place == "1":
            worker.tell(Broken("WHISPER_COMPUTE_TYPE=float16 does not go with cpu here", 2))
            worker.die()

    crew = Crew(start=start)
    with pytest.raises(UsageError, match="float16 does not go with cpu"):
        crew.run("ab", ["0", "1"])
    assert [worker.was_ended for worker in crew.launched] == [True, False]


def test_a_worker_that_breaks_says_why_and_gets_no_more() -> None:
    def work(worker: Fake, work: Work) -> None:
        if "a" not in (task.id for task in work.tasks):
            return worker.do(work)
        worker.tell(Begun("a"), Broken("RuntimeError: cuDNN", 1), *(Done(task.id) for task in work.tasks[1:]))
        worker.how = ("killed (SIGKILL)", True)  # what it says itself counts
        return worker.die()

    crew = Crew(work).run("abc")
    assert crew.given_up == {"a": "the worker ended on it: RuntimeError: cuDNN"}
    assert ["".join(worker.sent) for worker in crew.launched] == ["ab", "a", "c"]


def test_a_worker_that_leaves_ends_what_it_has_begun_and_another_does_the_rest() -> None:
    def work(worker: Fake, work: Work) -> None:
        if worker.number:
            return worker.do(work)
        worker.tell(Begun("a"), Begun("b"), Retiring(5), Done("a"), Done("b"))
        worker.how = ("ended with code 0", False)
        return worker.die()

    crew = Crew(work).run("abcdef", ["3"], most_given=3)
    assert [(worker.place, "".join(worker.sent)) for worker in crew.launched] == [("3", "abc"), ("3", "cdef")]
    assert (crew.ended, crew.given_up) == ("abcdef", {})
    assert Retiring(5) in crew.told
    assert crew.notes == []  # it was foreseen


def test_what_a_worker_notes_is_passed_on() -> None:
    def work(worker: Fake, work: Work) -> None:
        worker.tell(Note(30, "hm"))
        worker.do(work)

    assert Note(30, "hm") in Crew(work).run("a").told


def test_an_error_of_whoever_listens_ends_all_workers() -> None:
    def full(event: Event | FailedForGood) -> None:
        raise OSError(28, "No space left on device")

    crew = Crew()
    with pytest.raises(OSError, match="No space left"):
        Supervisor(
            crew.launch, ["", ""], Dispatcher([Task(id="a", paths=("a",), duration_ms=1)], 1), lambda name: None, full
        ).run()
    assert [worker.was_ended for worker in crew.launched] == [True, True]
