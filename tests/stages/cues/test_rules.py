from __future__ import annotations

import pytest

from sutradhar.pipeline.errors import UsageError
from sutradhar.stages.cues.rules import PROFILES, rules_for


@pytest.mark.parametrize(
    ("language", "chars", "cps", "min_ms"),
    [("en", 42, 20, 834), ("hi", 42, 22, 834), ("fr", 42, 17, 834), ("ja", 13, 4, 500), ("th", 35, 17, 834)],
)
def test_netflix_by_language(language: str, chars: int, cps: float, min_ms: int) -> None:
    rules = rules_for("netflix", language, 24.0)
    assert (rules.max_chars, rules.max_cps, rules.min_ms, rules.max_ms, rules.max_lines) == (
        chars,
        cps,
        min_ms,
        7000,
        2,
    )


@pytest.mark.parametrize(("fps", "gap_ms"), [(23.976, 84), (24.0, 84), (25.0, 80), (29.97, 67), (60.0, 34)])
def test_a_gap_of_two_frames(fps: float, gap_ms: int) -> None:
    assert rules_for("netflix", "en", fps).gap_ms == gap_ms


def test_reading_time_by_characters_or_by_words() -> None:
    assert rules_for("netflix", "en", 24.0).reading_ms(chars=42, words=8) == 2100
    assert rules_for("bbc", "en", 24.0).reading_ms(chars=42, words=8) == 2664


def test_an_unknown_profile_is_named_with_the_known_ones() -> None:
    with pytest.raises(
        UsageError, match=r"SUBTITLE_PROFILE=disney: no such profile; choose one of netflix, bbc, ted, amazon, shorts"
    ):
        rules_for("disney", "en", 24.0)
    assert set(PROFILES) == {"netflix", "bbc", "ted", "amazon", "shorts"}
