from __future__ import annotations

import pytest

from sutradhar.stages.cues.check import check
from sutradhar.stages.cues.rules import PROFILES, rules_for
from sutradhar.stages.cues.track import track_of, with_note
from sutradhar.stages.transcript import Cue, Span
from tests.stages.cues.support import spoken

NOTE = "[100% of the text is not in Devanagari]"
RULES = rules_for("netflix", "hi", 24.0)
ONE, TWO = ("Ha.",), ("Main ghar ja raha hoon,", "kal aana.")


@pytest.mark.parametrize(
    ("cues", "told"),
    [
        ((Cue(9000, 9900, TWO),), (Cue(0, 2000, (NOTE,)), Cue(9000, 9900, TWO))),
        ((Cue(1500, 2500, TWO),), (Cue(0, 1416, (NOTE,)), Cue(1500, 2500, TWO))),
        ((Cue(200, 1200, ONE),), (Cue(200, 1200, (NOTE, *ONE)),)),
        ((Cue(0, 1000, TWO), Cue(1084, 2000, ONE)), (Cue(0, 1000, TWO), Cue(1084, 2000, (NOTE, *ONE)))),
        (
            (Cue(0, 1000, TWO), Cue(2100, 3000, ONE)),
            (Cue(0, 1000, TWO), Cue(1084, 2016, (NOTE,)), Cue(2100, 3000, ONE)),
        ),
        ((Cue(0, 3000, TWO), Cue(100, 1000, TWO)), (Cue(0, 3000, TWO), Cue(100, 1000, TWO), Cue(3084, 5084, (NOTE,)))),
    ],
    ids=[
        "two seconds",
        "up to the first cue",
        "above a single line",
        "above a later line",
        "in a gap",
        "after the last",
    ],
)
def test_the_note_stands_where_it_can_first_be_read(cues: tuple[Cue, ...], told: tuple[Cue, ...]) -> None:
    assert with_note(cues, NOTE, 0, RULES) == told


def test_a_clip_begins_with_it() -> None:
    assert with_note((Cue(609_000, 610_000, ONE),), NOTE, 600_000, RULES)[0] == Cue(600_000, 602_000, (NOTE,))


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("language", ["hi", "th", "zh", "ja", "ko"])
@pytest.mark.parametrize("start_ms", [0, 400, 900, 1500, 5000])
def test_the_note_breaks_no_rule_of_any_profile(profile: str, language: str, start_ms: int) -> None:
    rules = rules_for(profile, language, 24.0)
    cues = (
        Cue(start_ms, start_ms + 2000, ("a", "b")),
        Cue(start_ms + 2000 + rules.gap_ms, start_ms + 4000, ("a", "b")),
    )
    told = with_note(cues, "[100% of the text is not in Chinese characters]", 0, rules)
    assert [one.rule for one in check(told, rules, Span(0, 60_000)) if one.hard] == []


def test_a_track_without_doubt_tells_none() -> None:
    assert track_of(spoken("नमस्ते, मैं घर जा रहा हूँ।", language="hi"), RULES).told == ()
    assert track_of(spoken("Main ghar ja raha hoon.", language="hi"), RULES).told[0].lines[0] == NOTE
