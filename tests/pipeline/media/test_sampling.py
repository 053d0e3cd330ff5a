from __future__ import annotations

from pathlib import Path

import pytest

from sutradhar.pipeline import media
from sutradhar.pipeline.media.levels import FLOOR_DB
from sutradhar.pipeline.media.sampling import loudest_db
from sutradhar.pipeline.media.tracks import in_place_of, not_silent
from tests.make_media import TONE, cut, ffmpeg

QUIET = ("-f", "lavfi", "-i", "anullsrc=r=48000:d=40")
LATE = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=40,volume=0:enable='lt(t,28)'")


def tracks(path: Path, *tags: str) -> Path:
    """Silence, and 40 s of which the last 12 are a tone."""
    return ffmpeg(path, *QUIET, *LATE, "-map", "0", "-map", "1", "-c:a", "flac", *tags)


def test_some_places_tell_whether_there_is_anything(tmp_path: Path) -> None:
    path = tracks(tmp_path / "a.mkv")
    assert loudest_db(path, 0, (0, 40_000), -70) == FLOOR_DB
    assert loudest_db(path, 1, (0, 40_000), -70) == pytest.approx(-21, abs=1)
    assert loudest_db(path, 1, (0, 20_000), -70) == FLOOR_DB
    assert loudest_db(cut(ffmpeg(tmp_path / "b.flac", *TONE)), 0, (3000, 4000), -70) in (FLOOR_DB, 0.0)


@pytest.mark.parametrize(
    ("tags", "taken"),
    [
        ((), 1),
        (("-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=eng"), 1),
        (("-metadata:s:a:0", "language=eng"), 1),
        (("-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=hin"), 0),
        (("-disposition:a:1", "comment"), 0),
    ],
)
def test_another_track_takes_the_place_of_a_silent_one_where_its_tags_allow(
    tags: tuple[str, ...], taken: int, tmp_path: Path
) -> None:
    path = tracks(tmp_path / "a.mkv", *tags)
    found = media.probe(path).audio
    assert not_silent(path, found[0], found, (0, 40_000)).index == taken
    assert not_silent(path, found[1], found, (0, 40_000)).index == 1
    assert [track.index for track in in_place_of(found[0], found)] == [1] * taken
