from __future__ import annotations

from dataclasses import replace

from sutradhar.stages.evaluate.measures import Conditions
from sutradhar.stages.evaluate.version import Turn, Version
from sutradhar.stages.transcript import Span
from tests.stages.evaluate.support import compared, cues, spoken, timed, values

BESIDE_ANOTHER = Conditions("en", "english", systems=2)


def test_words_under_text_are_counted_by_their_own_times() -> None:
    reference = spoken((0, 400, "red"), (400, 800, "green"), (5000, 5400, "blue"))
    found = values("coverage", compared(reference, cues((0, 900, "red too"))))
    assert (found["words_covered"], found["words_placed"]) == (66.7, 3)


def test_words_without_times_are_placed_by_all_systems_that_heard_them() -> None:
    reference = timed((0, 10_000, "red green blue brown"))
    other = spoken((0, 400, "red"), (400, 800, "green"), (9000, 9400, "blue"))
    comparison = compared(reference, cues((0, 900, "red green")), other)
    found = values("coverage", comparison, conditions=BESIDE_ANOTHER)
    assert (found["words_covered"], found["words_placed"]) == (66.7, 3)  # nobody heard "brown"
    assert "words_covered" not in values("coverage", comparison)


def test_text_outside_speech_is_summed_in_seconds() -> None:
    reference = timed((1000, 3000, "red green"))
    found = values("coverage", compared(reference, cues((500, 2000, "red"), (3000, 4500, "green"))))
    assert (found["speech_covered"], found["outside_s"]) == (50.0, 2.0)


def test_words_are_invented_where_nobody_speaks() -> None:
    """Within a quarter of a second of speech nothing counts, neither words nor time."""
    reference = replace(timed((10_250, 19_750, "red green")), duration_ms=130_000)
    heard = cues((10_000, 10_240, "so"), (10_300, 19_000, "red green"), (100_000, 101_000, "thank you"))
    found = values("coverage", compared(reference, heard))
    assert found["invented"] == 1.0  # 2 in the 2 minutes that are left


def test_speech_without_words_and_a_recording_without_speech_can_be_references() -> None:
    turns = Version((), turns=(Turn(Span(0, 60_000), "anna"),), duration_ms=120_250, has_text=False)
    assert values("coverage", compared(turns, cues((90_000, 91_000, "thank you"))))["invented"] == 2.0
    silence = Version((), duration_ms=60_000)
    found = values("coverage", compared(silence, cues((0, 1000, "thank you"))))
    assert (found["invented"], found["outside_s"], found["speech_covered"]) == (2.0, 1.0, None)


def test_what_is_heard_in_an_ignored_stretch_is_nothing_at_all() -> None:
    reference = replace(timed((0, 1000, "red green"), (5000, 9000, "[ignore]")), duration_ms=60_000)
    comparison = compared(reference, cues((0, 1000, "red green"), (6000, 7000, "it rained"), (9500, 9900, "so")))
    assert values("errors", comparison)["insertions"] == 1
    found = values("coverage", comparison)
    assert (round(found["invented"] or 0, 1), found["outside_s"]) == (1.1, 0.4)  # 1 in 54.75 s
