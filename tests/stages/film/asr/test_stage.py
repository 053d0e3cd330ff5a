"""The stage on the sample, with the starter model."""

from __future__ import annotations

import logging
import wave
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from sutradhar.pipeline import media
from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.jobs.pieces import NOTHING_KEPT
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.jobs.stage import Outcome, StageContext
from sutradhar.stages.film import asr
from sutradhar.stages.recognisers import declared
from sutradhar.stages.recognisers.contract import AudioWindow, CannotTranslate, Recogniser, Recognition
from sutradhar.stages.transcript import Audio, Span, Transcript, Window, Windows, load, save
from tests.conftest import ROOT
from tests.stages.run_stage import StageRun

pytestmark = pytest.mark.skipif(not (ROOT / "models" / "base").is_dir(), reason="needs models/base")

SAMPLE = ROOT / "samples" / "dialogue.mp4"
START = 90_000  # where the sample begins on the film's clock
TRANSLATING = {"WORKFLOW": "translate", "TARGET_LANGUAGES": "en"}
SPEECH = ((550, 3600), (3750, 8250), (8350, 10_100))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "audio.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(b"".join(block.tobytes() for block in media.decode(SAMPLE))[: 11 * 32_000])
    return path


def run(
    sound: Path, tmp_path: Path, speech: Sequence[tuple[int, int]] = SPEECH, **settings: object
) -> tuple[Outcome, StageRun]:
    stage_run = StageRun(asr.STAGE, SAMPLE, tmp_path, **{"WHISPER_BEAM_SIZE": 1, **settings})
    for name in ("demux", "vad"):
        (stage_run.artifacts / name).mkdir(exist_ok=True)
    if not (stage_run.artifacts / "demux" / "audio.wav").exists():
        (stage_run.artifacts / "demux" / "audio.wav").symlink_to(sound)
    save(stage_run.artifacts / "demux" / "audio.json", Audio(START, 11_000, 16_000, 0, ""))
    spans = [Span(START + begin, START + end) for begin, end in speech]
    windows = tuple(Window(number, span.start_ms, span.end_ms, (span,)) for number, span in enumerate(spans))
    save(stage_run.artifacts / "vad" / "windows.json", Windows(windows, "" if windows else "the track is silent"))
    stage_run.context = replace(stage_run.context, models=ROOT / "models")
    return stage_run.run(), stage_run


def test_makes_a_transcript_on_the_clock_of_the_film(
    sound: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    outcome, stage = run(sound, tmp_path, SOURCE_LANGUAGE="auto")
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


# --- Interrupted


class StoppedEarly(Exception):
    pass


class Interrupting:
    """A recogniser that ends after so many windows, as a kill would; and what it was asked for."""

    def __init__(self, recogniser: Recogniser, after: int) -> None:
        self._recogniser, self._after = recogniser, after
        self.engine, self.packages, self.preparation = recogniser.engine, recogniser.packages, recogniser.preparation
        self.degraded = recogniser.degraded
        self.detect_languages = recogniser.detect_languages
        self.asked: list[int] = []

    def recognise(self, windows: Iterable[AudioWindow]) -> Iterator[Recognition]:
        windows = list(windows)
        self.asked += [window.id for window in windows if not window.known]
        for number, recognition in enumerate(self._recogniser.recognise(windows)):
            if number == self._after:
                self.degraded.append("it was hot")
                raise StoppedEarly
            yield recognition


@pytest.fixture
def interrupt(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[Interrupting]]:
    """After so many windows of each run; the recognisers that were opened."""
    opened: list[Interrupting] = []
    really_open = declared.open_for

    def interrupt_after(windows: int) -> list[Interrupting]:
        def open_one(ctx: StageContext, translate: bool) -> Interrupting:
            opened.append(Interrupting(really_open(ctx, translate), windows))
            return opened[-1]

        monkeypatch.setattr(declared, "open_for", open_one)
        return opened

    return interrupt_after


SAMPLING = {
    "WHISPER_LOGPROB_THRESHOLD": 0.0,
    "WHISPER_NO_SPEECH_THRESHOLD": 1.0,
    "WHISPER_TEMPERATURE": "0.0,0.6",
}  # no text is believed


@pytest.mark.parametrize(
    "settings",
    [
        {"SOURCE_LANGUAGE": "auto"},
        {"SOURCE_LANGUAGE": "en", **SAMPLING},
        {"SOURCE_LANGUAGE": "en", "WHISPER_COMPUTE_TYPE": "float32", "BATCH_SIZE": 2},
        {"SOURCE_LANGUAGE": "de", **TRANSLATING},
    ],
    ids=["language heard", "sampled", "float32", "translated"],
)
def test_interrupted_again_and_again_it_comes_to_the_same_to_the_byte(
    settings: dict[str, object], sound: Path, tmp_path: Path, interrupt: Callable[[int], list[Interrupting]]
) -> None:
    for name in ("whole", "in parts"):
        (tmp_path / name).mkdir()
    undisturbed, whole = run(sound, tmp_path / "whole", **settings)
    opened = interrupt(1)
    for _ in range(2):
        with pytest.raises(StoppedEarly):
            run(sound, tmp_path / "in parts", **settings)
    outcome, parts = run(sound, tmp_path / "in parts", **settings)
    assert all(
        (whole.scratch / name).read_bytes() == (parts.scratch / name).read_bytes()
        for name in whole.context.writes.values()
    )
    assert [len(one.asked) for one in opened] == [3, 2, 1]
    assert (outcome.engine, outcome.packages) == (undisturbed.engine, undisturbed.packages)


def test_what_was_recognised_before_is_told_and_counts_in_the_progress(
    sound: Path, tmp_path: Path, interrupt: Callable[[int], list[Interrupting]], caplog: pytest.LogCaptureFixture
) -> None:
    interrupt(2)
    with pytest.raises(StoppedEarly):
        run(sound, tmp_path, SOURCE_LANGUAGE="en")
    caplog.set_level(logging.INFO)
    interrupt(3)
    _, stage = run(sound, tmp_path, SOURCE_LANGUAGE="en")
    assert caplog.messages[:3] == [
        "Recognising 3 windows",
        "Going on: 2 of 3 windows are there already",
        "Configured device: cpu (from job config)",
    ]
    assert 0 < stage.progress[0][0] < 9.3
    assert [progress.already for progress in stage.told] == [stage.progress[0][0]] * len(stage.told)
    assert [stage.told[0].kept, stage.told[-2].kept, stage.told[-1].kept] == [
        "2 of 3 windows",
        "2 of 3 windows",
        "3 of 3 windows",
    ]


def test_an_attempt_of_which_nothing_was_kept_is_told(
    sound: Path, tmp_path: Path, interrupt: Callable[[int], list[Interrupting]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    interrupt(0)
    with pytest.raises(StoppedEarly):
        run(sound, tmp_path, SOURCE_LANGUAGE="en")
    assert NOTHING_KEPT not in caplog.messages
    interrupt(3)
    run(sound, tmp_path, SOURCE_LANGUAGE="en")
    assert caplog.messages.count(NOTHING_KEPT) == 1


def test_progress_moves_within_a_batch(sound: Path, tmp_path: Path) -> None:
    _, stage = run(sound, tmp_path, SOURCE_LANGUAGE="en", BATCH_SIZE=8)
    done = [done for done, _ in stage.progress]
    assert len(set(done)) == 1 + 2 * len(SPEECH)  # each window is encoded, and then done
    assert 0 == done[0] < done[1] <= 4.5 * 0.6
    assert done[-1] == stage.progress[-1][1]


def test_no_fallback_is_forgotten_and_when_all_is_there_nothing_is_loaded(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Falling:
        engine: Mapping[str, str] = {"model": "base", "device": "cuda"}
        packages = ("ctranslate2",)
        degraded: Sequence[str] = ()

        def recognise(self, windows: Iterable[AudioWindow]) -> Iterator[Recognition]:
            for window in windows:
                if not window.known:
                    self.degraded = ["Out of GPU memory: decoded 4 windows at once"]
                    yield Recognition(window.id, "", "en", 1.0, (), confidence=0.7)

    def cut(*_: object) -> None:
        raise StoppedEarly

    monkeypatch.setattr(declared, "open_for", lambda ctx, translate: Falling())
    monkeypatch.setattr(asr, "save", cut)
    with pytest.raises(StoppedEarly):
        run(sound, tmp_path, SOURCE_LANGUAGE="en")
    monkeypatch.undo()
    monkeypatch.setattr(declared, "open_for", lambda ctx, translate: pytest.fail("it was loaded"))
    outcome, _ = run(sound, tmp_path, SOURCE_LANGUAGE="en")
    assert (outcome.engine, outcome.packages) == ({"model": "base", "device": "cuda"}, ("ctranslate2",))
    assert outcome.degraded[0] == "Out of GPU memory: decoded 4 windows at once"


def test_the_same_again_is_the_same_to_the_byte(sound: Path, tmp_path: Path) -> None:
    results = []
    for name in ("once", "twice"):
        (tmp_path / name).mkdir()
        settings = {
            "SOURCE_LANGUAGE": "en",
            "WHISPER_LOGPROB_THRESHOLD": 0.0,
            "WHISPER_NO_SPEECH_THRESHOLD": 1.0,
        }  # all temperatures are tried
        _, stage = run(sound, tmp_path / name, SPEECH[:2], **settings)
        results.append((stage.scratch / "asr" / "transcript.json").read_bytes())
    assert results[0] == results[1]


def test_english_is_its_own_translation(sound: Path, tmp_path: Path) -> None:
    _, stage = run(sound, tmp_path, SPEECH[2:], SOURCE_LANGUAGE="en", **TRANSLATING)
    transcript = load(stage.scratch / "asr" / "transcript.json", Transcript)
    assert load(stage.scratch / "asr" / "translation.json", Transcript) == transcript


def test_a_translation_is_in_english(sound: Path, tmp_path: Path) -> None:
    _, stage = run(sound, tmp_path, SPEECH[2:], SOURCE_LANGUAGE="de", **TRANSLATING)
    transcript, translation = (
        load(stage.scratch / "asr" / name, Transcript) for name in ("transcript.json", "translation.json")
    )
    assert (transcript.language, translation.language) == ("de", "en")
    assert {segment.language for segment in translation.segments} == {"en"}
    assert translation.segments[0].start_ms >= START + SPEECH[2][0]


@pytest.mark.parametrize(("source", "language"), [("auto", "und"), ("de", "de")])
def test_a_silent_film_has_an_empty_transcript_says_so_and_loads_nothing(
    source: str, language: str, sound: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    outcome, stage = run(sound, tmp_path, (), SOURCE_LANGUAGE=source, WHISPER_MODEL="not here", **TRANSLATING)
    assert load(stage.scratch / "asr" / "transcript.json", Transcript) == Transcript(language, START, 11_000, ())
    assert load(stage.scratch / "asr" / "translation.json", Transcript) == Transcript("en", START, 11_000, ())
    assert outcome.summary == "Transcription completed: 0 segments"
    assert (outcome.engine, outcome.packages, caplog.messages) == ({}, (), [])
    assert outcome.degraded == ("No speech was found, so the subtitles are empty: the track is silent",)


@pytest.mark.parametrize("targets", ["", "hi", "en,hi"])
def test_whisper_translates_into_english_only(targets: str) -> None:
    with pytest.raises(UsageError, match="Whisper translates into English only"):
        asr.check(Settings(WORKFLOW="translate", TARGET_LANGUAGES=targets))


@pytest.mark.parametrize("model", ["large-v3-turbo", "distil-large-v3", "small.en", "/models/turbo-hindi"])
@pytest.mark.parametrize("backend", ["whisperx", "mlx"])
def test_models_that_cannot_translate_are_refused_for_whispers_own_translation_alone(backend: str, model: str) -> None:
    chosen = Settings(
        WHISPER_BACKEND=backend,
        WHISPER_COMPUTE_TYPE="float32",
        WHISPER_MODEL=model,
        SOURCE_LANGUAGE="hi",
        TARGET_LANGUAGES="en",
    )
    asr.check(msgspec.structs.replace(chosen, WORKFLOW="transcribe"))
    asr.check(msgspec.structs.replace(chosen, WORKFLOW="translate", TRANSLATION_ENGINE="indictrans2"))
    with pytest.raises(CannotTranslate, match="was not trained to translate"):
        asr.check(msgspec.structs.replace(chosen, WORKFLOW="translate", TRANSLATION_ENGINE="whisper"))
    asr.check(
        msgspec.structs.replace(chosen, WORKFLOW="translate", TRANSLATION_ENGINE="whisper", WHISPER_MODEL="large-v3")
    )


@pytest.mark.parametrize(
    ("settings", "prompt"),
    [
        ({}, ""),
        ({"GLOSSARY": "names.tsv"}, "राज, सूर्य"),
        ({"GLOSSARY": "names.tsv", "WHISPER_INITIAL_PROMPT": "A film."}, "A film. राज, सूर्य"),
    ],
    ids=["none", "names", "names after the user's own text"],
)
def test_the_names_of_the_glossary_prompt_the_recogniser(
    settings: dict[str, str], prompt: str, sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "names.tsv").write_text("राज\tRaj\nसूर्य\tSurya\ta man\nराज\tRaj\n", encoding="utf-8")
    told: list[str] = []

    class ListeningRecogniser:
        engine: Mapping[str, str] = {}
        packages = degraded = ()

        def recognise(self, windows: Iterable[AudioWindow]) -> Iterator[Recognition]:
            told.extend(window.prompt for window in windows)
            return iter(())

    monkeypatch.setattr(declared, "open_for", lambda ctx, translate: ListeningRecogniser())
    run(sound, tmp_path, SOURCE_LANGUAGE="hi", **settings)
    assert told == [prompt] * 3


def test_windows_that_gave_the_prompt_back_are_told_of(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class ListeningRecogniser:
        engine: Mapping[str, str] = {}
        packages = degraded = ()

        def recognise(self, windows: Iterable[AudioWindow]) -> Iterator[Recognition]:
            for window in windows:
                yield Recognition(window.id, "", "en", 1.0, (), confidence=0.3, echoed=window.id < 2)

    monkeypatch.setattr(declared, "open_for", lambda ctx, translate: ListeningRecogniser())
    outcome, _ = run(sound, tmp_path, SOURCE_LANGUAGE="en", WHISPER_INITIAL_PROMPT="Names: Sanjay")
    assert (
        outcome.degraded[0]
        == "2 of 3 windows gave the prompt (WHISPER_INITIAL_PROMPT, GLOSSARY) back as text: heard again without it"
    )
