from __future__ import annotations

import pytest

from sutradhar.stages.evaluate.measures import measures
from tests.stages.evaluate.support import ENGLISH, compared, cues, spoken, text, timed, values

SAID = spoken((1000, 1400, "red"), (1400, 1800, "green"), (3000, 3400, "blue"), (3400, 3800, "brown"))


def test_times_of_words_are_judged_at_both_ends() -> None:
    heard = spoken((800, 1380, "red"), (1380, 1800, "green"), (2940, 3400, "blue"), (3400, 3950, "crown"))
    found = values("word_times", compared(SAID, heard))
    assert found == {
        "words_timed": 3,
        "start_median": 60,
        "start_bias": -60,
        "start_p90": 172,
        "start_within_50": 33.3,
        "start_within_100": 66.7,
        "start_within_200": 100.0,
        "end_median": 0,
        "end_bias": 0,
        "end_p90": 16,
        "end_within_50": 100.0,
        "end_within_100": 100.0,
        "end_within_200": 100.0,
        "start_paused_median": 130,  # of 200 and 60
    }


def test_cues_are_judged_by_the_sound_of_their_first_and_last_words() -> None:
    heard = cues((900, 2000, "red green"), (3040, 3700, "blue brown"))
    found = values("cue_times", compared(SAID, heard))
    assert (found["cues_in_judged"], found["cue_in_median"], found["cue_in_bias"]) == (2, 70, -30)
    assert (found["cue_in_frame"], found["cue_out_bias"], found["cue_out_early"]) == (50.0, 50, 50.0)


def test_a_cue_is_judged_by_an_utterance_only_where_it_begins_or_ends_it() -> None:
    reference = timed((1000, 4000, "red green blue brown"))
    found = values("cue_times", compared(reference, cues((1100, 2000, "red green"), (2500, 4300, "blue brown"))))
    assert (found["cues_in_judged"], found["cue_in_bias"], found["cue_out_bias"]) == (1, 100, 300)


@pytest.mark.parametrize(
    ("name", "comparison", "reason"),
    [
        ("word_times", compared(timed((0, 1, "red")), SAID), "the reference has no times of words"),
        ("word_times", compared(SAID, cues((0, 1, "red"))), "it has no times of words"),
        ("cue_times", compared(SAID, SAID), "it has no cues"),
        ("cue_times", compared(text("red"), cues((0, 1, "red"))), "the reference has no times"),
        ("causes", compared(text("red"), cues((0, 1, "red"))), "the reference has no times"),
        ("coverage", compared(SAID, text("red")), "it has no times"),
        ("speakers", compared(SAID, SAID), "the reference tells no speakers apart"),
        ("subtitles", compared(SAID, cues((0, 1, "red"))), "the reference has no cues"),
        ("compliance", compared(SAID, SAID), "it has no cues"),
    ],
)
def test_what_cannot_be_measured_says_why(name: str, comparison: object, reason: str) -> None:
    assert measures()[name].lacks(comparison, ENGLISH) == reason  # type: ignore[arg-type]
