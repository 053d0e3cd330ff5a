from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

import pytest

from sutradhar import command, model
from sutradhar.pipeline.installed import AS_COMMAND
from sutradhar.result import Transcript
from sutradhar.stages.transcript import Segment, Word
from tests.conftest import ROOT

SAMPLE = str(ROOT / "samples" / "dialogue.mp4")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "missing: COMMAND. For example: sutradhar transcribe film.mkv"),
        (["transcripe"], "COMMAND: invalid choice: 'transcripe'"),
        (["transcribe"], "missing: FILE. For example: sutradhar transcribe film.mkv -l en -o film.srt"),
        (["eval", "a.txt"], "missing: SYSTEM. For example: sutradhar eval reference.srt film.srt"),
        (["models"], "missing: COMMAND. For example: sutradhar models fetch large-v3"),
        (["models", "fetch"], "missing: NAME. For example: sutradhar models fetch large-v3"),
        (
            ["prepare", "film.mkv"],
            "missing: -s/--source-language, --transcribe or --translate. For example: sutradhar prepare film.mkv",
        ),
        (
            ["run", "film-1"],
            "film-1 stands there without an option: sutradhar run -j film-1. For example: sutradhar run -j",
        ),
    ],
)
def test_wrong_usage_names_the_command_that_was_typed(
    arguments: list[str], line: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(AS_COMMAND, "1")
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith(f"[ERROR] {line}")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["transcribe"],
        ["prepare"],
        ["run"],
        ["status"],
        ["eval"],
        ["hardware"],
        ["models"],
        ["models", "fetch"],
        ["models", "convert"],
    ],
)
def test_every_command_has_help_with_examples(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(AS_COMMAND, "1")
    with pytest.raises(SystemExit) as ended:
        command.main([*arguments, "--help"])
    text = capsys.readouterr().out
    assert ended.value.code == 0
    assert "examples:\n  sutradhar" in text or "  job=$(sutradhar" in text
    assert text.startswith(f"usage: {' '.join(['sutradhar', *arguments])} ")
    assert ".sh" not in text


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ((SAMPLE, SAMPLE, "-o", "a.srt"), "-o is for one file and one format"),
        ((SAMPLE, "-f", "doc"), "No format doc; choose from srt, vtt, json, txt"),
        ((SAMPLE, f"{ROOT}/dialogue.wav"), "dialogue.srt would be written twice"),
        ((SAMPLE, "-o", "none/a.srt"), "There is no folder none"),
        ((SAMPLE, "-o", "there.srt"), "there.srt is there already: add --overwrite"),
        ((SAMPLE, "--profile", "x"), "SUBTITLE_PROFILE=x: no such profile"),
        (("https://site/film.mp4",), "https://site/film.mp4 is an address"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is_loaded(
    arguments: tuple[str, ...],
    line: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.srt").write_text("mine")
    assert command.main(["transcribe", *arguments]) == 2
    assert line in capsys.readouterr().err
    assert (tmp_path / "there.srt").read_text() == "mine"


@pytest.mark.skipif(not (ROOT / "models" / "base").is_dir(), reason="needs models/base")
def test_files_that_can_be_read_are_written_and_the_rest_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options = ["-l", "en", "--end", "8", "-m", "base", "-f", "srt,txt", "-d", "new/texts"]
    assert command.main(["transcribe", SAMPLE, "none.mp3", *options, "--models-dir", str(ROOT / "models")]) == 1
    output = capsys.readouterr()
    assert output.out == "new/texts/dialogue.srt\nnew/texts/dialogue.txt\n"
    assert "none.mp3 does not exist" in output.err
    assert (tmp_path / "new/texts/dialogue.txt").read_text().startswith("Good morning, Daniel")


class Heard:
    """A model that hears the same in every file, and notes what it was asked for."""

    def __init__(self) -> None:
        self.asked: dict[str, object] = {}

    def transcribe(self, media: Path, **options: object) -> Transcript:
        self.asked = {"media": media, **options}
        english = self._said("en", "Good morning")
        return replace(self._said("hi", "सुप्रभात"), translation=english if options["translate"] else None)

    @staticmethod
    def _said(language: str, text: str) -> Transcript:
        segment = Segment(
            0, 9000, 10_000, text, (Word(f" {text}", 9000, 10_000, 0.9),), language, 1.0, -0.1, 0.0, 1.0, 0.0
        )
        return Transcript(None, language, 1.0, 8000, 4000, (segment,))


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Heard:
    heard = Heard()
    monkeypatch.setattr(model, "load", lambda *names, **options: contextlib.nullcontext(heard))
    return heard


def test_options_reach_the_model_and_the_translation_is_printed(
    heard: Heard, capsys: pytest.CaptureFixture[str]
) -> None:
    options = "-l hi --translate --prompt Danyal --start 8 --end 0:12 --audio-track hin --channels split -o -"
    assert command.main(["transcribe", SAMPLE, *options.split()]) == 0
    assert heard.asked == {
        "media": Path(SAMPLE),
        "language": "hi",
        "translate": True,
        "prompt": "Danyal",
        "start": "8",
        "end": "0:12",
        "track": "hin",
        "channels": "split",
        "progress": None,
    }
    assert capsys.readouterr().out == "1\n00:00:09,000 --> 00:00:10,500\nGood morning\n"


def test_without_translation_the_text_is_printed_in_the_format_that_is_asked_for(
    heard: Heard, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["transcribe", SAMPLE, "-o", "-", "-f", "txt"]) == 0
    assert capsys.readouterr().out == "सुप्रभात\n"
