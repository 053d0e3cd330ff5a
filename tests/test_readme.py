"""What the README says can be pasted."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from sutradhar.pipeline import media
from tests.conftest import ROOT
from tests.make_media import FILM, ffmpeg


@pytest.mark.parametrize("tracks", [0, 1, 2])
def test_the_line_that_puts_corrected_subtitles_into_a_film_leaves_the_tracks_alone_that_it_has(
    tracks: int, tmp_path: Path
) -> None:
    (tmp_path / "corrected.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nours\n\n")
    own = [text for number in range(tracks) for text in ("-map", "2", f"-metadata:s:s:{number}", "language=fre")]
    flags = ["-disposition:s:0", "default+forced"] if tracks else []
    maps = ["-i", str(tmp_path / "corrected.srt"), "-map", "0", "-map", "1", *own, *flags]
    ffmpeg(tmp_path / "film.mkv", *FILM[:8], *maps)
    (line,) = re.findall(r"`ffmpeg (-i file:film.mkv -i file:corrected.srt .*)`", (ROOT / "README.md").read_text())
    (where,) = re.findall(r"`.venv/bin/python (-c 'from sutradhar.pipeline .*)` says", (ROOT / "README.md").read_text())
    bare = {"PATH": str(tmp_path)}  # no ffmpeg there
    program = subprocess.run(
        [sys.executable, *shlex.split(where)], cwd=ROOT, env=bare, capture_output=True, text=True, check=True
    ).stdout.strip()
    subprocess.run([program, "-nostdin", "-v", "error", *shlex.split(line)], cwd=tmp_path, check=True)
    made = media.probe(tmp_path / "film.subtitled.mkv").subtitles
    expected = [("hin", "Hindi", ("default",)), ("fre", "", ("forced",)), ("fre", "", ())][: tracks + 1]
    assert [(track.language, track.title, track.dispositions) for track in made] == expected
