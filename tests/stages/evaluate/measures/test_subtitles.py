from __future__ import annotations

import pytest

from sutradhar.stages.evaluate.measures import Conditions
from tests.stages.evaluate.support import compared, cues, text, values

TRANSLATION = Conditions("en", "english", is_translation=True)
SHOWN = cues((0, 2000, "red green/blue brown"), (3000, 4000, "pink gold"))


def test_a_break_in_another_place_is_two_edits_of_suber() -> None:
    pytest.importorskip("suber")
    assert values("subtitles", compared(SHOWN, SHOWN)) == {"suber": 0.0}
    moved = cues((0, 2000, "red/green blue brown"), (3000, 4000, "pink gold"))
    (suber,) = values("subtitles", compared(SHOWN, moved)).values()
    assert suber == 11.1  # one of 6 words and 3 breaks is shifted


def test_recordings_are_judged_one_after_another() -> None:
    pytest.importorskip("suber")
    one = compared(SHOWN, SHOWN)
    other = compared(cues((0, 1000, "tall black")), cues((0, 1000, "tall white")))
    assert values("subtitles", one, other) == {"suber": 8.3}  # 1 of 9 + 3


def test_a_translation_is_judged_line_by_line() -> None:
    pytest.importorskip("sacrebleu")
    reference = text("the cat sat on the mat", "it was black")
    assert values("translation", compared(reference, reference), conditions=TRANSLATION) == {
        "chrf": 100.0,
        "bleu": 100.0,
    }
    swapped = text("it was black", "the cat sat on the mat")
    assert (values("translation", compared(reference, swapped), conditions=TRANSLATION)["chrf"] or 0) < 30


def test_subtitles_are_divided_among_the_utterances_of_the_reference() -> None:
    pytest.importorskip("sacrebleu")
    pytest.importorskip("suber")
    otherwise = cues((0, 1000, "red green"), (1000, 4000, "blue brown/pink gold"))
    assert values("translation", compared(SHOWN, otherwise)) == {"chrf": 100.0}


def test_rules_of_the_profile_are_checked() -> None:
    short = cues((0, 300, "red"), (2000, 4000, "x" * 43))
    found = values("compliance", compared(text(), short))
    assert found == {
        "cues": 2,
        "cues_broken": 100.0,
        "broken_line_length": 1,
        "broken_min_duration": 1,
        "broken_reading_speed": 1,
    }
