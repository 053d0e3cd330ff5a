from __future__ import annotations

from msgspec.structs import replace

from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.stages.recognisers.lyrics import without_lyrics
from sutradhar.stages.transcript import Music, Transcript
from tests.stages.cues.support import spoken

SUNG = (Music(1000, 3000),)


def songs(music: tuple[Music, ...] = SUNG) -> Transcript:
    """Three segments, the second from 1.66 s to 2.44 s."""
    return replace(spoken("Who's there[1000]| Silent night[780]| Open up"), music=music)


def test_a_segment_is_lyrics_where_most_of_it_lies_in_music() -> None:
    transcript = songs()
    assert [transcript.is_lyrics(segment) for segment in transcript.segments] == [False, True, False]
    second = transcript.segments[1]
    assert songs((Music(1600, 2150),)).is_lyrics(second)
    assert not songs((Music(1600, 2100),)).is_lyrics(second)
    assert not songs((Music(1000, 3000, "2"),)).is_lyrics(second)
    assert songs((Music(1000, 3000, "2"),)).is_lyrics(replace(second, speaker="2"))


def test_lyrics_are_left_out_where_that_is_asked_for_and_counted() -> None:
    whole = songs()
    assert without_lyrics(whole, Settings(MUSIC="mark")) == (whole, ["1 segment marked as lyrics, at 00:00:01"])
    dropped, told = without_lyrics(whole, Settings(MUSIC="drop"))
    assert [(one.id, one.text.strip()) for one in dropped.segments] == [(0, "Who's there"), (1, "Open up")]
    assert told == ["1 segment of lyrics left out (MUSIC=drop), at 00:00:01"]
    assert dropped.music == ()
    assert without_lyrics(songs(()), Settings(MUSIC="drop"))[1] == []
