from __future__ import annotations

import pytest

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.media import UNKNOWN_CODEC, AudioTrack
from sutradhar.pipeline.media.tracks import choose_track, set_aside


def track(index: int, language: str, *tags: str, title: str = "", codec: str = "aac") -> AudioTrack:
    return AudioTrack(index, codec, 2, 48_000, language, title, "default" in tags, 0, tags)


def test_the_number_or_language_asked_for_else_the_source_language_else_the_default_else_the_first() -> None:
    tracks = [track(0, "eng", "default"), track(1, "hin"), track(2, "")]
    assert choose_track(tracks, "", "hi").index == 1
    assert choose_track(tracks, "", "auto").index == 0
    assert choose_track(tracks, "2", "hi").index == 2
    assert choose_track(tracks, "English", "hi").index == 0
    assert choose_track(tracks[1:], "", "fr").index == 1
    with pytest.raises(UsageError, match=r"No audio track in ta; the file has 0: eng \(aac, 2 channels\); 1: hin"):
        choose_track(tracks, "ta", "hi")


@pytest.mark.parametrize("tag", ["comment", "visual_impaired", "descriptions", "dub", "karaoke", "clean_effects"])
def test_what_is_tagged_as_no_dialogue_of_the_film_comes_last(tag: str) -> None:
    assert choose_track([track(0, "eng", tag), track(1, "eng")], "", "en").index == 1
    assert choose_track([track(0, "", tag, "default"), track(1, "")], "", "auto").index == 1
    assert choose_track([track(0, "eng", tag), track(1, "eng")], "en", "hi").index == 1
    assert (
        choose_track([track(0, "eng", tag), track(1, "hin", "default")], "", "en").index == 0
    )  # the language that was asked for


@pytest.mark.parametrize(
    "title",
    [
        "Director's commentary",
        "Commentaire audio",
        "Comentarios del director",
        "Audiodeskription",
        "Audio Description",
        "AD",
        "English (DVS)",
        "H\u00f6rfilmfassung",
        "Music and Effects",
        "Karaoke",
    ],
)
def test_titles_tell_as_well(title: str) -> None:
    assert set_aside(track(0, "eng", title=title))
    assert choose_track([track(0, "eng", "default", title=title), track(1, "eng")], "", "en").index == 1


@pytest.mark.parametrize(
    "title", ["", "Stereo", "Surround 5.1", "SoundHandler", "Original", "English (SDH)", "Adult voices"]
)
def test_usual_titles_tell_nothing(title: str) -> None:
    assert not set_aside(track(0, "eng", "default", "original", "hearing_impaired", title=title))


def test_the_default_comes_before_others_in_its_language_and_a_track_without_language_before_a_commentary() -> None:
    assert choose_track([track(0, "eng"), track(1, "eng", "default")], "", "en").index == 1
    assert choose_track([track(0, "eng", "comment"), track(1, "")], "", "en").index == 1
    assert choose_track([track(0, "hin", title="Hindi Dubbed"), track(1, "hin")], "", "hi").index == 1


def test_what_nothing_decodes_comes_last() -> None:
    assert (
        choose_track([track(0, "eng", "default", codec=UNKNOWN_CODEC), track(1, "eng", "comment")], "", "en").index == 1
    )
