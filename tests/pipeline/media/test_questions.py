"""Questions to ffmpeg while somebody kills it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sutradhar.pipeline import media
from sutradhar.pipeline.media import ffmpeg, muxer
from tests.make_media import film


@pytest.fixture
def killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """How often ffmpeg is killed, in a file: once."""
    real, times = ffmpeg.ffmpeg_path(), tmp_path / "times"
    times.write_text("x")
    script = tmp_path / "bin" / "ffmpeg"
    script.parent.mkdir()
    script.write_text(
        f'#!/bin/sh\nif [ -s "{times}" ]; then sed -i "s/x//;/^$/d" "{times}"; kill -9 $$; fi\nexec "{real}" "$@"\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:/usr/bin:/bin")
    return times


def test_a_version_is_told_also_where_the_first_who_was_asked_was_killed(killed: Path) -> None:
    assert media.ffmpeg_version().startswith("ffmpeg version ")
    assert killed.read_text() == ""


def test_a_track_that_nothing_decodes_is_none_also_where_ffmpeg_was_killed(killed: Path, tmp_path: Path) -> None:
    path = tmp_path / "none.mkv"
    path.write_bytes(b"no film")
    assert muxer.why_not_decoded(path, 0)
    assert killed.read_text() == ""


def test_what_is_killed_each_time_is_not_asked_for_ever(killed: Path, tmp_path: Path) -> None:
    path = film(tmp_path / "film.mkv")
    killed.write_text("x" * 3)
    assert muxer.why_not_decoded(path, 0) == ""
    assert killed.read_text() == "x"
