from __future__ import annotations

import pytest
from msgspec.structs import replace

from sutradhar.stages.cues.check import check
from sutradhar.stages.cues.cutting import build_cues
from sutradhar.stages.cues.rules import rules_for
from sutradhar.stages.cues.tokens import clip_of
from sutradhar.stages.transcript import Music, Transcript
from tests.stages.cues.support import netflix, shown, spoken

LINE = " and every heart will tell the story that the night has told again"


def song(text: str, *spans: tuple[int, int]) -> Transcript:
    return replace(spoken(text), music=tuple(Music(*span) for span in spans))


def test_lyrics_have_notes_and_share_no_cue_with_speech() -> None:
    sung = song("Wait.[100]| Silent night.[100]| Who's there?", (400, 1250))
    assert shown(sung) == ["Wait.", "♪ Silent night. ♪", "Who's there?"]
    assert shown(replace(sung, music=())) == ["Wait. Silent night.", "Who's there?"]


@pytest.mark.parametrize("profile", ["netflix", "bbc", "shorts"])
def test_the_notes_have_room_on_the_line(profile: str) -> None:
    sung = song("The summer wind is blowing over fields of gold" + 2 * LINE, (0, 20_000))
    rules = rules_for(profile, "en", 24.0)
    cues = build_cues(sung, rules)
    assert [one.rule for one in check(cues, rules, clip_of(sung)) if one.hard] == []


def test_a_word_as_wide_as_the_line_is_cut_for_the_notes() -> None:
    word = "a" * 42
    assert shown(song(word, (0, 9000))) == [f"♪ {word[:38]} / {word[38:]} ♪"]
    assert shown(spoken(word)) == [word]


def test_the_bbc_closes_the_last_cue_of_a_song_alone() -> None:
    sung = song("Silent night.[1600]| Holy night.[1600]| Who's there?", (0, 3300))
    assert shown(sung, rules_for("bbc", "en", 24.0)) == ["# Silent night.", "# Holy night. #", "Who's there?"]
    assert shown(sung, netflix()) == ["♪ Silent night. ♪", "♪ Holy night. ♪", "Who's there?"]
