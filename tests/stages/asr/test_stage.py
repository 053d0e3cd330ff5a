"""The stage on the sample, with the starter model."""

from __future__ import annotations

import logging
import wave
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline import media
from pipeline.errors import UsageError
from pipeline.settings import Settings
from pipeline.stage import Outcome, Stage
from stages import asr
from stages.transcript import Audio, Span, Transcript, Window, Windows, load, save
from stages.whisper import AudioWindow, Recognition, needs
from tests.conftest import ROOT
from tests.stages.run_stage import StageRun

pytestmark = pytest.mark.skipif(not (ROOT / "models" / "base").is_dir(), reason="needs models/base")

SAMPLE = ROOT / "samples" / "dialogue.mp4"
START = 90_000  # where the sample begins on the film's clock
SPEECH = ((550, 3600), (3750, 8250), (8350, 10_100))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "audio.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(b"".join(block.tobytes() for block in media.decode(SAMPLE))[: 11 * 32_000])
    return path


def run(stage: Stage, sound: Path, tmp_path: Path, speech: Sequence[tuple[int, int]] = SPEECH, **settings: object) -> tuple[Outcome, StageRun]:
    stage_run = StageRun(stage, SAMPLE, tmp_path, **{"WHISPER_BEAM_SIZE": 1, **settings})
    for name in ("demux", "vad"):
        (stage_run.artifacts / name).mkdir()
    (stage_run.artifacts / "demux" / "audio.wav").symlink_to(sound)
    save(stage_run.artifacts / "demux" / "audio.json", Audio(START, 11_000, 16_000, 0, ""))
    spans = [Span(START + begin, START + end) for begin, end in speech]
    windows = tuple(Window(number, span.start_ms, span.end_ms, (span,)) for number, span in enumerate(spans))
    save(stage_run.artifacts / "vad" / "windows.json", Windows(windows))
    stage_run.context = replace(stage_run.context, models=ROOT / "models")
    return stage_run.run(), stage_run


def test_makes_a_transcript_on_the_clock_of_the_film(sound: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    outcome, stage = run(asr.STAGE, sound, tmp_path, SOURCE_LANGUAGE="auto")
    transcript = load(stage.scratch / "asr" / "transcript.json", Transcript)
    assert (transcript.language, transcript.start_ms, transcript.duration_ms) == ("en", START, 11_000)
    assert transcript.segments[-1].text == "How long will that take?"
    assert [segment.id for segment in transcript.segments] == list(range(len(transcript.segments)))
    assert transcript.segments[0].start_ms == pytest.approx(START + 700, abs=250)
    assert transcript.segments[0].language_probability > 0.8
    words = [word for segment in transcript.segments for word in segment.words]
    assert all(before.start_ms < before.end_ms <= after.start_ms for before, after in pairwise(words))
    assert outcome.summary == f"Transcription completed: {len(transcript.segments)} segments"
    assert {key: outcome.engine[key] for key in ("backend", "device", "model", "compute_type")} == {
        "backend": "whisperx",
        "device": "cpu",
        "model": "base",
        "compute_type": "int8_float32",
    }
    assert (outcome.degraded, outcome.seconds_of_media) == ((), 11.0)
    assert stage.progress[-1] == pytest.approx((9.3, 9.3))
    device, backend, loading, language, decoding = caplog.messages
    assert (device, backend) == ("Configured device: cpu (from job config)", "Backend: whisperx (from job config)")
    assert (loading, decoding) == ("Loading base (whisperx, cpu)", "Recognising 3 windows")
    assert language.startswith("Detected language: en (0.9")
    assert "film" not in caplog.text  # what is said does not go to the log


def test_the_same_again_is_the_same_to_the_byte(sound: Path, tmp_path: Path) -> None:
    results = []
    for name in ("once", "twice"):
        (tmp_path / name).mkdir()
        settings = {"SOURCE_LANGUAGE": "en", "WHISPER_LOGPROB_THRESHOLD": 0.0, "WHISPER_NO_SPEECH_THRESHOLD": 1.0}  # all temperatures are tried
        _, stage = run(asr.STAGE, sound, tmp_path / name, SPEECH[:2], **settings)
        results.append((stage.scratch / "asr" / "transcript.json").read_bytes())
    assert results[0] == results[1]


def test_english_is_its_own_translation(sound: Path, tmp_path: Path) -> None:
    _, stage = run(asr.TRANSLATING, sound, tmp_path, SPEECH[2:], SOURCE_LANGUAGE="en", TARGET_LANGUAGES="en")
    transcript = load(stage.scratch / "asr" / "transcript.json", Transcript)
    assert load(stage.scratch / "asr" / "translation.json", Transcript) == transcript


def test_a_translation_is_in_english(sound: Path, tmp_path: Path) -> None:
    _, stage = run(asr.TRANSLATING, sound, tmp_path, SPEECH[2:], SOURCE_LANGUAGE="de", TARGET_LANGUAGES="en")
    transcript, translation = (load(stage.scratch / "asr" / name, Transcript) for name in ("transcript.json", "translation.json"))
    assert (transcript.language, translation.language) == ("de", "en")
    assert {segment.language for segment in translation.segments} == {"en"}
    assert translation.segments[0].start_ms >= START + SPEECH[2][0]


@pytest.mark.parametrize(("source", "language"), [("auto", "und"), ("de", "de")])
def test_a_silent_film_has_an_empty_transcript_says_so_and_loads_nothing(
    source: str, language: str, sound: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    outcome, stage = run(asr.TRANSLATING, sound, tmp_path, (), SOURCE_LANGUAGE=source, WHISPER_MODEL="not here")
    assert load(stage.scratch / "asr" / "transcript.json", Transcript) == Transcript(language, START, 11_000, ())
    assert load(stage.scratch / "asr" / "translation.json", Transcript) == Transcript("en", START, 11_000, ())
    assert outcome.summary == "Transcription completed: 0 segments"
    assert (outcome.engine, outcome.packages, caplog.messages) == ({}, (), [])
    assert outcome.degraded[0].startswith("No speech was found")


@pytest.mark.parametrize("targets", ["", "hi", "en,hi"])
def test_whisper_translates_into_english_only(targets: str) -> None:
    with pytest.raises(UsageError, match="Whisper translates into English only"):
        asr.check_translating(Settings(TARGET_LANGUAGES=targets))


@pytest.mark.parametrize(
    ("settings", "prompt"),
    [({}, ""), ({"GLOSSARY": "names.tsv"}, "राज, सूर्य"), ({"GLOSSARY": "names.tsv", "WHISPER_INITIAL_PROMPT": "A film."}, "A film. राज, सूर्य")],
    ids=["none", "names", "names after the user's own text"],
)
def test_the_names_of_the_glossary_prompt_the_recogniser(
    settings: dict[str, str], prompt: str, sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "names.tsv").write_text("राज\tRaj\nसूर्य\tSurya\ta man\nराज\tRaj\n", encoding="utf-8")
    told: list[str] = []

    class Listener:
        engine: Mapping[str, str] = {}
        packages = degraded = ()

        def recognise(self, windows: Iterable[AudioWindow]) -> Iterator[Recognition]:
            told.extend(window.prompt for window in windows)
            return iter(())

    monkeypatch.setattr(needs, "open_for", lambda ctx, translate: Listener())
    run(asr.STAGE, sound, tmp_path, SOURCE_LANGUAGE="hi", **settings)
    assert told == [prompt] * 3


def test_windows_that_gave_the_prompt_back_are_told_of(sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Listener:
        engine: Mapping[str, str] = {}
        packages = degraded = ()

        def recognise(self, windows: Iterable[AudioWindow]) -> Iterator[Recognition]:
            for window in windows:
                yield Recognition(window.id, "", (), -1.2, 0.7, 1.0, 0.0, "en", 1.0, (), echoed=window.id < 2)

    monkeypatch.setattr(needs, "open_for", lambda ctx, translate: Listener())
    outcome, _ = run(asr.STAGE, sound, tmp_path, SOURCE_LANGUAGE="en", WHISPER_INITIAL_PROMPT="Names: Sanjay")
    assert outcome.degraded[0] == "2 of 3 windows gave the prompt (WHISPER_INITIAL_PROMPT, GLOSSARY) back as text: heard again without it"
