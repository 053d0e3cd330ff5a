from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import sutradhar
from sutradhar.result import Transcript
from sutradhar.stages.transcript import Segment, Word


def transcript(**changes: object) -> Transcript:
    words = tuple(
        Word(f" {text}", 1000 + 400 * number, 1300 + 400 * number, 0.9)
        for number, text in enumerate(["One", "two", "three", "four", "five", "six"])
    )
    segment = Segment(0, 1000, 3300, "One two three four five six", words, "en", 1.0, -0.1, 0.0, 1.0, 0.0)
    return Transcript(
        **{
            "path": None,
            "language": "en",
            "language_probability": 1.0,
            "start_ms": 0,
            "duration_ms": 9000,
            "segments": (segment,),
        }
        | changes
    )  # type: ignore[arg-type]


def test_the_suffix_or_the_format_says_what_is_written(tmp_path: Path) -> None:
    assert (
        transcript().save(tmp_path / "a.srt").read_text()
        == "1\n00:00:01,000 --> 00:00:03,800\nOne two three four five six\n\n"
    )
    assert transcript().save(tmp_path / "a.txt").read_text() == "One two three four five six\n"
    assert transcript().save(str(tmp_path / "b"), format="vtt", newline="crlf").read_bytes().startswith(b"WEBVTT\r\n")
    with pytest.raises(sutradhar.UsageError, match="No format 'doc'; choose from srt, vtt, json, txt"):
        transcript().save(tmp_path / "a.doc")


def test_it_is_shown_in_one_short_line() -> None:
    assert repr(transcript()) == "<sutradhar.Transcript sound from an array, en, 9.0 s, 1 segment>"
    film = transcript(path=Path("/films/a\nb.mkv"), segments=(), translation=transcript())
    assert repr(film) == r"<sutradhar.Transcript a\nb.mkv, en, 9.0 s, 0 segments>"
    failed = transcript(path=Path("a.mkv"), error=sutradhar.UsageError("a.mkv is empty"))
    assert repr(failed) == "<sutradhar.Transcript a.mkv, en, 9.0 s, error: a.mkv is empty>"


def test_rules_are_settings(tmp_path: Path) -> None:
    saved = transcript().save(tmp_path / "a.srt", profile="ted", max_chars=14, max_lines=1).read_text()
    assert max(len(line) for line in saved.splitlines() if "-->" not in line) <= 14
    with pytest.raises(sutradhar.UsageError, match="no such profile"):
        transcript().save(tmp_path / "a.srt", profile="none")


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"max_chars": 0}, "max_chars=0: it must be a number above 0"),
        ({"max_chars": "37"}, "max_chars='37': it must be a number above 0"),
        ({"max_lines": 1.5}, "max_lines=1.5: it must be a whole number above 0"),
        ({"fps": -1}, "fps=-1: it must be a number above 0"),
        ({"fps": 0}, "fps=0: it must be a number above 0"),
        ({"max_cps": float("nan")}, "max_cps=nan: it must be a number above 0"),
        ({"min_ms": 2000, "max_ms": 1000}, "min_ms=2000 is more than max_ms=1000"),
        ({"min_ms": 8000}, "min_ms=8000 is more than max_ms=7000"),
        ({"newline": "x"}, "newline='x': it is 'lf' or 'crlf'"),
    ],
)
def test_what_rules_cannot_be_is_refused_and_nothing_written(given: dict[str, Any], line: str, tmp_path: Path) -> None:
    with pytest.raises(sutradhar.UsageError) as error:
        transcript().save(tmp_path / "a.srt", **given)
    assert str(error.value) == line
    assert list(tmp_path.iterdir()) == []


def test_what_failed_cannot_be_saved_and_says_why(tmp_path: Path) -> None:
    with pytest.raises(sutradhar.UsageError, match="is not a media file"):
        transcript(segments=(), error=sutradhar.UsageError("a.txt is not a media file")).save(tmp_path / "a.srt")
    with pytest.raises(sutradhar.SutradharError, match="No such file or directory"):
        transcript().save(tmp_path / "none" / "a.srt")
    assert list(tmp_path.iterdir()) == []
