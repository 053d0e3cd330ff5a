"""The picture of a film in its copy with subtitles: the same, or no copy."""

from __future__ import annotations

from pathlib import Path

import pytest

from sutradhar.pipeline import media
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.stages.film.mux import foresee
from tests.make_media import FILM, ffmpeg, film
from tests.stages.film.mux.test_stage import HINDI, muxed, result


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("film.mov", "smc"),
        ("film.mov", "msrle"),
        ("film.mov", "qtrle"),
        ("film.mov", "svq1"),
        ("film.avi", "svq1"),
        ("film.avi", "rpza"),
    ],
)
def test_a_picture_that_would_not_look_the_same_is_not_copied(name: str, codec: str, tmp_path: Path) -> None:
    path = film(tmp_path / name, "-c:v", codec, "-c:a", "pcm_s16le")
    (foreseen,) = foresee(path, Settings())
    assert foreseen == (
        f"There will be no film with subtitles: mkv cannot hold its picture ({codec}): what is copied there is not decoded to the same"
    )
    run = muxed(path, tmp_path, HINDI)
    (note,) = run.run().degraded
    assert f"mkv cannot hold its picture ({codec})" in note
    assert list(run.deliverables.iterdir()) == []


def frames(path: Path) -> list[str]:
    """Check sums of the picture, frame by frame."""
    lines = (
        ffmpeg(path.with_suffix(".md5"), "-i", str(path), "-map", "0:V:0", "-f", "framemd5").read_text().splitlines()
    )
    return [line.rpartition(",")[2] for line in lines if not line.startswith("#")]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("film.mkv", ("-c:v", "mpeg4", "-bf", "2")),
        ("film.mp4", ("-c:v", "libx264", "-bf", "3")),
        ("film.mov", ("-c:v", "cinepak", "-c:a", "pcm_s16be")),
        ("film.mov", ("-c:v", "prores")),
        ("film.avi", ("-c:v", "huffyuv")),
        ("film.avi", ("-c:v", "msrle")),
        ("film.avi", ("-c:v", "mpeg4", "-bf", "2")),
        ("film.ts", ("-c:v", "mpeg2video", "-r", "25", "-bf", "2", "-c:a", "ac3")),
    ],
)
def test_a_picture_that_looks_the_same_is_copied(name: str, arguments: tuple[str, ...], tmp_path: Path) -> None:
    path = film(tmp_path / name, *arguments)
    assert all(line.endswith(": the film with subtitles is an mkv") for line in foresee(path, Settings()))
    assert set(frames(result(muxed(path, tmp_path, HINDI)))) == set(frames(path))


def test_a_recording_that_begins_between_two_whole_pictures_is_copied(tmp_path: Path) -> None:
    whole = ffmpeg(
        tmp_path / "whole.ts", *FILM[:8], "-c:v", "mpeg2video", "-r", "25", "-g", "30", "-bf", "2", "-c:a", "mp2"
    ).read_bytes()
    path = tmp_path / "film.ts"
    path.write_bytes(whole[len(whole) // 8 // 188 * 188 :])
    assert foresee(path, Settings()) == ()
    assert media.probe(result(muxed(path, tmp_path, HINDI))).video
