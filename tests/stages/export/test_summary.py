from __future__ import annotations

from stages.export.summary import Doubt, Entry, Failure, summarise
from tests.stages.export.support import done, row


def test_figures_of_what_is_done() -> None:
    summary = summarise(
        [done("a.wav", "नमस्ते"), done("b.wav", "hello", language="en", seconds=4.5), done("c.wav", "hi", language="en", degraded="cut short")]
    )
    assert (summary.files, summary.done, summary.statuses, summary.shortfall) == (3, 3, {"done": 3}, "")
    assert (summary.hours, summary.speech_hours, summary.worker_hours) == (0.075, 0.0375, 0.0063)
    assert (summary.languages, summary.degraded, summary.silent) == ({"en": 2, "hi": 1}, 1, 0)
    assert (summary.durations_s, summary.speeds) == ((90.0, 90.0, 90.0), (10.0, 20.0, 10.0))


def test_copies_count_as_done_and_their_hours_once() -> None:
    summary = summarise([done("a.wav", "hello"), done("b/a.wav", "hello", content="a.wav"), done("c.wav", "other")])
    assert (summary.done, summary.copies, summary.hours, summary.languages) == (3, 1, 0.05, {"hi": 2})


def test_recordings_in_which_nobody_speaks_have_no_language_and_no_confidence() -> None:
    summary = summarise([done("a.wav")])
    assert (summary.silent, summary.languages, summary.confidences, summary.low_confidence) == (1, {}, (), ())
    assert summary.durations_s == (90.0,)


def test_failures_are_what_is_neither_done_nor_waiting_and_reasons_name_no_file() -> None:
    summary = summarise(
        [
            Entry(row("d/a.wav", "failed", "a.wav: cut short", attempts=2), None),
            Entry(row("b.wav", "failed", "b.wav: cut short"), None),
            Entry(row("c.wav", "unsupported", "no sound", attempts=0), None),
            Entry(row("d.wav", "empty", "0 bytes", attempts=0), None),
            Entry(row("e.wav", "pending", attempts=0), None),
        ]
    )
    assert summary.failures == (
        Failure("d/a.wav", "failed", "a.wav: cut short", 2),
        Failure("b.wav", "failed", "b.wav: cut short", 1),
        Failure("c.wav", "unsupported", "no sound", 0),
        Failure("d.wav", "empty", "0 bytes", 0),
    )
    assert summary.reasons == {"cut short": 2, "no sound": 1, "0 bytes": 1}
    assert summary.shortfall == "2 failed and 1 unsupported of 5 files; failures.csv says which and why"


def test_empty_files_and_those_not_done_yet_are_no_shortfall() -> None:
    assert summarise([Entry(row("a.wav", "empty", "0 bytes"), None), Entry(row("b.wav", "pending"), None)]).shortfall == ""


def test_low_confidence_begins_with_the_lowest() -> None:
    summary = summarise([done(f"{value}.wav", "hm", avg_logprob=value) for value in (-0.5, -1.5, -1.0, -2.25)])
    assert summary.low_confidence == (Doubt("-2.25.wav", -2.25), Doubt("-1.5.wav", -1.5))
    assert summary.confidences == (-0.5, -1.5, -1.0, -2.25)


def test_nothing_at_all() -> None:
    summary = summarise([])
    assert (summary.files, summary.done, summary.hours, summary.shortfall) == (0, 0, 0.0, "")
