from __future__ import annotations

import math
from dataclasses import replace

import msgspec
import pytest

from sutradhar.stages.corpus.export import summary as module
from sutradhar.stages.corpus.export.summary import Doubt, Entry, FolderSummary, NotDone, Quantiles, Survey
from tests.stages.corpus.export.support import done, row


def summarise(*entries: Entry) -> FolderSummary:
    return Survey(entries).summary


def test_figures_of_what_is_done() -> None:
    survey = Survey(
        [done("a.wav", "नमस्ते"), done("b.wav", "hello", language="en", seconds=4.5), done("c.wav", "hi", language="en")]
    )
    summary = survey.summary
    assert (summary.files, summary.done, summary.statuses, summary.shortfall) == (3, 3, {"done": 3}, "")
    assert (summary.sound_s, summary.sound_hours) == (270.0, 0.075)
    assert (summary.speech_of_all_channels_s, summary.speech_of_all_channels_hours) == (135.0, 0.0375)
    assert (summary.worker_hours, summary.speed, summary.languages) == (0.0063, 12.0, {"en": 2, "hi": 1})
    assert (survey.durations_s, survey.speeds) == ([90.0, 90.0, 90.0], [10.0, 20.0, 10.0])
    assert summary.times_real_time == Quantiles(10.0, 10.0, 10.0, 20.0, 20.0)


def test_counts_add_up() -> None:
    summary = summarise(
        done("a.wav", "hello"), done("b/a.wav", "hello", content="a.wav"), done("c.wav", "other"), done("d.wav")
    )
    assert (summary.done, summary.recordings, summary.copies) == (4, 3, 1)
    assert (summary.with_text, summary.silent, summary.silent_files) == (2, 1, ("d.wav",))
    assert (summary.sound_s, summary.languages, summary.made_with) == (270.0, {"hi": 2}, {"f1": 3})


def test_recordings_in_which_nobody_speaks_have_no_language_and_no_confidence() -> None:
    summary = summarise(done("a.wav"))
    assert (summary.languages, summary.avg_logprob, summary.low_confidence) == ({}, None, 0)
    assert summary.duration_s == Quantiles(90.0, 90.0, 90.0, 90.0, 90.0)


def test_a_reason_is_counted_once_whatever_its_numbers() -> None:
    survey = Survey(
        [
            Entry(row("a.wav", "failed", "decoded 3.2 s, but the container says 9.0 s", attempts=2), None),
            Entry(row("b.wav", "failed", "decoded 4.1 s, but the container says 8.8 s"), None),
            Entry(row("d.wav", "empty", "0 bytes", attempts=0), None),
            Entry(row("e.wav", "pending", attempts=0), None),
        ]
    )
    assert survey.not_done == [
        NotDone("a.wav", "failed", "decoded 3.2 s, but the container says 9.0 s", 2),
        NotDone("b.wav", "failed", "decoded 4.1 s, but the container says 8.8 s", 1),
        NotDone("d.wav", "empty", "0 bytes", 0),
    ]
    assert survey.summary.reasons == {"decoded … s, but the container says … s": 2, "0 bytes": 1}
    assert survey.summary.shortfall == "2 failed of 4 files; failures.csv says which and why"


def test_what_was_put_off_is_a_shortfall_and_what_is_empty_or_waits_is_none() -> None:
    waits = (Entry(row("a.wav", "empty", "0 bytes"), None), Entry(row("b.wav", "pending"), None))
    assert summarise(*waits).shortfall == ""
    assert summarise(*waits, Entry(row("c.wav", "pending", "not there"), None)).shortfall == (
        "1 put off (run again) of 3 files; failures.csv says which and why"
    )


def test_remarks_on_what_is_done_are_counted_without_numbers() -> None:
    entries = [done(f"{name}.wav", "x", degraded=f"is damaged at 00:00:0{name}.500") for name in "12"]
    noted = done("3.wav", "x")
    assert noted.result
    entries.append(replace(noted, result=msgspec.structs.replace(noted.result, notes=("both channels hold the same",))))
    assert summarise(*entries).remarks == {"is damaged at …": 2, "both channels hold the same": 1}


def test_short_texts_in_another_script_are_told_of_together() -> None:
    thanks = [done(f"{number}.wav", "Okay, thank you.") for number in range(7)]
    told = "Over all transcripts, 100% of the text is not in Devanagari: the model is too small for the language (hi), or it is another"
    assert (summarise(*thanks).script_doubt, summarise(thanks[0]).script_doubt) == (told, "")
    assert summarise(*thanks, done("h.wav", "नमस्ते, मैं घर जा रहा हूँ। " * 30)).script_doubt == ""


def test_low_confidence_begins_with_the_lowest() -> None:
    summary = summarise(*(done(f"{value}.wav", "hm", avg_logprob=value) for value in (-0.5, -1.5, -1.0, -2.25)))
    assert (summary.low_confidence, summary.low_confidence_files) == (
        2,
        (Doubt("-2.25.wav", -2.25), Doubt("-1.5.wav", -1.5)),
    )
    assert summary.avg_logprob == Quantiles(-2.25, -2.25, -1.0, -0.5, -0.5)


def test_a_summary_does_not_grow_with_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LISTED", 2)
    monkeypatch.setattr(module, "SILENT_LISTED", 2)
    entries = [
        entry
        for n in range(9)
        for entry in (
            done(f"{n}.wav", "x", avg_logprob=-2.0),
            done(f"s{n}.wav"),
            Entry(row(f"f{n}.wav", "failed", "cut"), None),
        )
    ]
    summary = summarise(*entries)
    assert (summary.low_confidence, summary.silent, summary.statuses["failed"]) == (9, 9, 9)
    arrays = {
        name: len(value) for name, value in msgspec.to_builtins(summary).items() if isinstance(value, (list, tuple))
    }
    assert arrays == {"silent_files": 2, "low_confidence_files": 2}


def test_quantiles_are_of_finite_values() -> None:
    assert Quantiles.of([*map(float, range(100)), math.nan, -math.inf]) == Quantiles(0.0, 5.0, 50.0, 95.0, 99.0)
    assert Quantiles.of([math.nan]) is None


def test_nothing_at_all() -> None:
    summary = summarise()
    assert (summary.files, summary.done, summary.sound_s, summary.speed, summary.shortfall) == (0, 0, 0.0, 0.0, "")
