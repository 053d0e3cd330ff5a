from __future__ import annotations

import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.jobs.settings import Settings, declared_settings
from sutradhar.pipeline.jobs.stage import Outcome, StageContext
from sutradhar.stages.film import subtitles
from sutradhar.stages.transcript import Cue, Track, Tracks, Transcript, Translations, load, save
from tests.stages.cues.support import spoken
from tests.stages.run_stage import step_of


def context(tmp_path: Path, settings: Settings, **transcripts: Transcript) -> StageContext:
    for name, transcript in transcripts.items():
        (tmp_path / "stages" / name).mkdir(parents=True)
        save(tmp_path / "stages" / name / "transcript.json", transcript)
    for folder in ("scratch", "out"):
        (tmp_path / folder).mkdir()
    step = step_of(subtitles.STAGE, settings)
    return StageContext(
        stage=step.stage,
        settings=declared_settings(step.name, step.values),
        media=Path("films/film.final.mkv"),
        reads=step.reads,
        writes=step.writes,
        artifacts=tmp_path / "stages",
        scratch=tmp_path / "scratch",
        deliverables=tmp_path / "out",
        models=tmp_path / "models",
        resolved={},
        pieces=tmp_path / "pieces",
        log=logging.getLogger("test"),
    )


def run(tmp_path: Path, settings: Settings | None = None, **transcripts: Transcript) -> tuple[Outcome, list[str]]:
    outcome = subtitles.run(context(tmp_path, settings or Settings(), **transcripts))
    return outcome, sorted(path.name for path in (tmp_path / "out").iterdir())


def test_a_transcript_becomes_a_track_and_its_files(tmp_path: Path) -> None:
    outcome, files = run(tmp_path, align=spoken("नमस्ते।", language="hi"))
    assert files == ["film.final.hi.json", "film.final.hi.srt", "film.final.hi.txt", "film.final.hi.vtt"]
    assert (
        tmp_path / "out" / "film.final.hi.srt"
    ).read_bytes() == "1\n00:00:00,000 --> 00:00:00,920\nनमस्ते।\n\n".encode()
    assert load(tmp_path / "scratch" / "subtitles" / "tracks.json", Tracks) == Tracks(
        (Track("hi", "", (Cue(0, 920, ("नमस्ते।",)),)),)
    )
    assert (outcome.summary, outcome.degraded) == ("Subtitles completed: 1 cue in hi", ())


def test_players_on_windows_get_what_they_want(tmp_path: Path) -> None:
    run(tmp_path, Settings(SUBTITLE_BOM=True, SUBTITLE_NEWLINE="crlf"), align=spoken("Hello.", language="en"))
    files = {path.suffix: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert files[".srt"].startswith(b"\xef\xbb\xbf1\r\n00:00:00,000")
    assert files[".vtt"].startswith(b"\xef\xbb\xbfWEBVTT\r\n")
    assert files[".json"].startswith(b"{\n")


def test_a_text_in_another_script_says_so_in_its_own_files(tmp_path: Path) -> None:
    note = "100% of the text is not in Devanagari"
    run(tmp_path, align=spoken("Main ghar ja raha hoon.", language="hi"))
    (track,) = load(tmp_path / "scratch" / "subtitles" / "tracks.json", Tracks).tracks
    assert (track.note, track.doubt) == (note, note)
    written = {
        form: (tmp_path / "out" / f"film.final.hi.{form}").read_text(encoding="utf-8")
        for form in ("srt", "txt", "vtt", "json")
    }
    assert written["srt"].startswith(f"1\n00:00:00,000 --> 00:00:01,880\n[{note}]\nMain ghar ja raha hoon.\n\n")
    assert written["txt"] == f"[{note}]\nMain ghar ja raha hoon.\n"
    assert written["vtt"].startswith(f"WEBVTT\n\nNOTE {note}\n\n1\n00:00:00.000 --> ")
    assert msgspec.json.decode(written["json"])["note"] == note


def translated(tmp_path: Path, *transcripts: Transcript) -> list[str]:
    ctx = context(
        tmp_path, Settings(WORKFLOW="translate", SUBTITLE_FORMATS="srt"), align=spoken("नमस्ते।", language="hi")
    )
    (ctx.artifacts / "translate").mkdir()
    save(ctx.artifacts / "translate" / "transcripts.json", Translations(transcripts))
    subtitles.run(ctx)
    return sorted(path.name for path in (tmp_path / "out").iterdir())


def test_a_translation_becomes_a_second_track_with_its_note(tmp_path: Path) -> None:
    english = msgspec.structs.replace(spoken("Hello."), note="translated by Whisper")
    assert translated(tmp_path, english) == ["film.final.en.srt", "film.final.hi.srt"]
    tracks = load(tmp_path / "scratch" / "subtitles" / "tracks.json", Tracks).tracks
    assert [(track.language, track.note) for track in tracks] == [("hi", ""), ("en", "translated by Whisper")]


def test_without_a_translation_there_is_one_track(tmp_path: Path) -> None:
    assert translated(tmp_path) == ["film.final.hi.srt"]


def test_speech_without_room_is_told(tmp_path: Path) -> None:
    outcome, _ = run(tmp_path, align=spoken("Hello.", duration_ms=500))
    assert outcome.degraded == ("1 of 1 en cues break the netflix rules (min-duration): the speech left no room",)


def test_silence_gives_empty_files(tmp_path: Path) -> None:
    outcome, files = run(tmp_path, Settings(SUBTITLE_FORMATS="srt,txt"), align=Transcript("en", 0, 60_000, ()))
    assert [(tmp_path / "out" / name).read_bytes() for name in files] == [b"", b""]
    assert outcome.summary == "Subtitles completed: 0 cues in en"


def test_the_same_transcript_gives_the_same_bytes(tmp_path: Path) -> None:
    made = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        run(
            tmp_path / name,
            align=spoken("Dr. Miller called this morning about the results of the test you took last week."),
        )
        made.append({path.name: path.read_bytes() for path in (tmp_path / name / "out").iterdir()})
    assert made[0] == made[1]
    assert not any(data.startswith(b"\xef\xbb\xbf") or b"\r" in data for data in made[0].values())


def test_an_unknown_profile_or_format_is_a_usage_error(tmp_path: Path) -> None:
    job = context(tmp_path, Settings(SUBTITLE_PROFILE="disney"), align=spoken("Hello."))
    with pytest.raises(UsageError, match="SUBTITLE_PROFILE=disney"):
        subtitles.run(job)
    with pytest.raises(UsageError, match="SUBTITLE_FORMATS=docx"):
        subtitles.run(replace(job, settings=Settings(SUBTITLE_FORMATS="docx")))


def test_importing_the_stage_imports_nothing_heavy() -> None:
    code = "import sys, sutradhar.stages.film.subtitles; print([name for name in ('pysubs2', 'numpy', 'torch', 'av') if name in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
