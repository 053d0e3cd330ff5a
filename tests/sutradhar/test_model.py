"""The Python interface, with the real starter model and the sample."""

from __future__ import annotations

import asyncio
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

import sutradhar
from sutradhar.pipeline import media
from sutradhar.stages.film import align, asr, demux, vad
from sutradhar.stages.transcript import Transcript, load
from tests.conftest import ROOT
from tests.stages.faulty_sound import film, integers, speech
from tests.stages.run_stage import StageRun

SAMPLE = ROOT / "samples" / "dialogue.mp4"
pytestmark = pytest.mark.skipif(not (ROOT / "models" / "base").is_dir(), reason="needs models/base")


@pytest.fixture(scope="module")
def model() -> Iterator[sutradhar.Model]:
    with sutradhar.load("base", models_dir=ROOT / "models", offline=True) as model:
        yield model


@pytest.fixture(scope="module")
def result(model: sutradhar.Model) -> sutradhar.Transcript:
    return model.transcribe(SAMPLE, language="English")


def test_its_segments_are_those_of_the_film_workflow(
    model: sutradhar.Model, result: sutradhar.Transcript, tmp_path: Path
) -> None:
    for folder in (ROOT / "models").iterdir():
        (tmp_path / folder.name).symlink_to(folder)
    same = {
        key: getattr(model.settings, key)
        for key in ("WHISPER_COMPUTE_TYPE", "BATCH_SIZE", "WHISPER_BACKEND", "WHISPERX_DEVICE", "SPEECH_DETECTOR")
    }
    for stage in (demux.STAGE, vad.STAGE, asr.STAGE, align.STAGE):
        one = StageRun(stage, SAMPLE, tmp_path, SOURCE_LANGUAGE="en", **same)
        one.run()
        (one.scratch / stage.name).rename(one.artifacts / stage.name)  # as the runner does
    assert result.segments == load(tmp_path / "artifacts" / "align" / "transcript.json", Transcript).segments


def test_a_result_has_text_words_and_language(result: sutradhar.Transcript) -> None:
    assert result.text.startswith("Good morning, Daniel")
    assert (result.language, result.language_probability, result.duration_ms, result.warnings) == (
        "en",
        1.0,
        27_520,
        (),
    )
    assert "".join(word.text for word in result.segments[0].words).strip() == result.segments[0].text
    assert len(result.words) == sum(len(segment.words) for segment in result)


def test_many_files_in_a_stream_that_finds_their_languages_and_returns_their_errors(
    model: sutradhar.Model, tmp_path: Path
) -> None:
    sound = np.concatenate(list(media.decode(SAMPLE, end_ms=9000)))
    (tmp_path / "notes.txt").write_text("no sound")
    sources = [sound, tmp_path / "notes.txt", np.zeros(16_000, np.float32), SAMPLE]
    found = list(model.transcribe_many(sources, on_error="return"))
    assert [one.language for one in found if one.segments] == ["en", "en"]
    (failed,) = [one for one in found if one.error]
    assert failed.path == tmp_path / "notes.txt"
    assert "is not a media file" in str(failed.error)
    (silent,) = [one for one in found if not one.segments and not one.error]
    assert (silent.language, silent.text, silent.warnings[0][:19]) == ("und", "", "No speech was found")
    with pytest.raises(sutradhar.UsageError, match="is not a media file"):
        list(model.transcribe_many(sources[1:2]))


@pytest.mark.parametrize("media", ["film.mkv", Path("film.mkv")])
def test_one_path_is_not_taken_for_many(media: str | Path, model: sutradhar.Model) -> None:
    with pytest.raises(sutradhar.UsageError) as error:
        model.transcribe_many(media)  # type: ignore[arg-type]
    assert str(error.value) == "transcribe_many takes a list: give ['film.mkv']; for one file there is transcribe"


def test_a_part_keeps_the_times_of_the_file_and_progress_is_told(model: sutradhar.Model) -> None:
    told: list[tuple[float, float]] = []
    part = model.transcribe(
        SAMPLE, language="en", start="0:08", end=12, progress=lambda done, total: told.append((done, total))
    )
    assert (part.start_ms, part.duration_ms, told) == (8000, 4000, [(4.0, 4.0)])
    assert all(8000 <= word.start_ms <= word.end_ms <= 12_000 for word in part.words)


def test_a_part_of_an_array_is_taken_and_what_only_files_have_is_refused(model: sutradhar.Model) -> None:
    sound = np.concatenate(list(media.decode(SAMPLE, end_ms=13_000)))
    part = model.transcribe(sound, language="en", start=8, end="0:12")
    assert (part.start_ms, part.duration_ms, part.words != ()) == (8000, 4000, True)
    assert all(8000 <= word.start_ms <= word.end_ms <= 12_000 for word in part.words)
    with pytest.raises(sutradhar.UsageError, match=r"^Sound of 13.0 s has no part from 00:00:13.000 on$"):
        model.transcribe(sound, start=13)
    with pytest.raises(sutradhar.UsageError, match=r"^end=5 is not after start=0:08$"):
        model.transcribe(sound, start="0:08", end=5)
    for given in ({"track": 0}, {"channels": "split"}):
        with pytest.raises(sutradhar.UsageError, match=r"^track and channels='split' are for files"):
            model.transcribe(sound, **given)


@pytest.mark.parametrize("bad", [np.nan, -np.inf])
def test_sound_that_holds_no_numbers_is_refused(bad: float, model: sutradhar.Model) -> None:
    sound = np.zeros(16_000, np.float32)
    sound[8000] = bad
    with pytest.raises(sutradhar.UsageError, match=r"^Sound with samples that are NaN or infinite"):
        model.transcribe(sound)
    for window in (sound, sutradhar.AudioWindow(0, 0, sound, ())):
        with pytest.raises(sutradhar.UsageError, match=r"^Sound with samples that are NaN or infinite"):
            list(model.recognise([window]))


@pytest.fixture
def asked(model: sutradhar.Model, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str | None, str]]:
    """The language and the prompt of each window that the recogniser is given; it hears nothing in them."""
    seen: list[tuple[str | None, str]] = []

    def noting(windows: Iterable[sutradhar.AudioWindow]) -> Iterator[sutradhar.Recognition]:
        for window in windows:
            seen.append((window.language, window.prompt))
            yield sutradhar.Recognition(window.id, "", window.language or "", 1.0, (), 0.0)

    monkeypatch.setattr(model._opened(translate=False), "recognise", noting)
    return seen


def test_settings_have_the_language_and_the_prompt_of_calls_that_name_none(
    model: sutradhar.Model, asked: list[tuple[str | None, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(model.settings, SOURCE_LANGUAGE="de", WHISPER_INITIAL_PROMPT="Danyel")
    monkeypatch.setattr(model, "settings", settings)
    sound = np.concatenate(list(media.decode(SAMPLE, end_ms=4000))).astype(np.float32) / 32768
    assert model.transcribe(sound).language == "de"
    assert model.transcribe(sound, language="auto", prompt="").language == "en"
    list(model.recognise([sound]))
    list(model.recognise([sound], language="English", prompt="Daniel"))
    assert asked == [("de", "Danyel"), ("en", ""), ("de", "Danyel"), ("en", "Daniel")]
    asked.clear()
    model.transcribe(sound, language="en", prompt="Danyal")
    list(model.transcribe_many([sound], language="en", prompt="Danielle"))
    assert asked == [("en", "Danyal"), ("en", "Danielle")]


def test_a_track_is_taken_by_its_number_or_its_language(model: sutradhar.Model, tmp_path: Path) -> None:
    tracks = film(tmp_path / "film.mkv", {"eng": speech()[:60_000], "hin": speech()[60_000:]})
    (second,) = model.transcribe_many([tracks], language="en", track="hi")
    assert second.text.startswith("I have")
    assert model.transcribe(tracks, language="en", track=1).text == second.text
    assert model.transcribe(tracks, language="hi", track=0).text.startswith("Good morning")


def test_channels_are_speakers_where_they_are_split(model: sutradhar.Model, tmp_path: Path) -> None:
    first, second = speech()[:60_000], np.resize(speech()[60_000:], 60_000)
    call = integers(tmp_path / "call.wav", first, second)
    for found in (
        model.transcribe(call, language="en", channels="split"),
        *model.transcribe_many([call], language="en", channels="split"),
    ):
        said = {segment.speaker: segment.text[:6] for segment in reversed(found.segments)}
        assert said == {"1": "Good m", "2": "I have"}


def test_warnings_of_the_engine_are_passed_on(model: sutradhar.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model._opened(translate=False), "degraded", ["Out of GPU memory"])
    assert model.transcribe(SAMPLE, language="en", end=4).warnings == ("Out of GPU memory",)


def test_temporary_folders_are_removed_as_files_are_done(
    model: sutradhar.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = integers(tmp_path / "sound.wav", speech()[:48_000])
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    with warnings.catch_warnings(record=True) as left_to_python:
        warnings.simplefilter("always")
        results = model.transcribe_many([sound, sound], language="en")
        assert [len(list(folder.iterdir())) for _ in results] == [1, 0]
        results = model.transcribe_many([sound, sound, sound], language="en")
        next(results)
        results.close()
        with pytest.raises(sutradhar.UsageError, match="holds no sound after"):
            model.transcribe(sound, start=60)
        assert list(folder.iterdir()) == []
    assert [str(one.message) for one in left_to_python] == []


def test_it_works_in_a_thread_and_inside_an_event_loop(model: sutradhar.Model, result: sutradhar.Transcript) -> None:
    async def within() -> sutradhar.Transcript:
        return await asyncio.to_thread(model.transcribe, SAMPLE, language="en", end=9)

    assert asyncio.run(within()).text.startswith("Good morning, Daniel")


def test_a_translation_stands_beside_the_text(model: sutradhar.Model) -> None:
    english = model.transcribe(SAMPLE, language="en", translate=True, end=9)
    assert english.translation is not None
    assert english.translation.text == english.text
    german = model.transcribe(SAMPLE, language="de", translate=True, end=9)
    assert german.translation is not None
    assert (german.language, german.translation.language, german.translation.text != "") == ("de", "en", True)


def test_windows_of_ones_own(model: sutradhar.Model) -> None:
    sound = np.concatenate(list(media.decode(SAMPLE))).astype(np.float32) / 32768
    found = {one.window: one.text for one in model.recognise([sound[:60_000], sound[60_000:130_000]], language="en")}
    assert found[0].startswith("Good morning, Daniel")
    assert found[1].startswith("I have")
    with pytest.raises(sutradhar.UsageError, match=r"Window 0 lasts 40.0 s"):
        list(model.recognise([np.zeros(640_000, np.float32)]))


def test_a_window_is_taken_as_transcribe_takes_sound(model: sutradhar.Model) -> None:
    sound = np.concatenate(list(media.decode(SAMPLE, end_ms=4000)))
    windows = [sound, sutradhar.AudioWindow(7, 0, sound, ())]  # type: ignore[arg-type]
    assert [one.text[:20] for one in model.recognise(windows, language="en")] == ["Good morning, Daniel"] * 2
    for bad in (sound.reshape(-1, 2), sound.astype(np.int32)):
        for call in (lambda bad: list(model.recognise([bad])), model.transcribe):
            with pytest.raises(sutradhar.UsageError, match=r"^Sound of shape .* type int\d+: give 16 kHz, mono"):
                call(bad)


def test_a_live_source_has_its_results_before_it_goes_on(model: sutradhar.Model) -> None:
    sound = np.concatenate(list(media.decode(SAMPLE, end_ms=4000))).astype(np.float32) / 32768
    found: list[int] = []

    def live() -> Iterator[object]:
        for number in range(2):
            yield sound
            while len(found) <= number:
                yield sutradhar.NOTHING_YET

    for one in model.recognise(live(), language="en"):  # type: ignore[arg-type]
        found.append(one.window)
    assert found == [0, 1]


@pytest.mark.parametrize(
    ("seconds", "language", "line"),
    [
        (40, "en", r"^Window 7 lasts 40.0 s; recognise takes 30 s at most"),
        (1, "xx", r"^Unknown language 'xx'"),
        (1, "yue", r"^Model base does not know Cantonese \(yue\)"),
    ],
)
def test_a_window_that_will_not_do_is_refused(seconds: int, language: str, line: str, model: sutradhar.Model) -> None:
    window = sutradhar.AudioWindow(7, 0, np.zeros(16_000 * seconds, np.float32), (), language)
    with pytest.raises(sutradhar.UsageError, match=line):
        list(model.recognise([window]))


def test_a_call_within_a_call_is_refused_and_a_language_that_the_model_does_not_know(model: sutradhar.Model) -> None:
    results = model.transcribe_many([SAMPLE, SAMPLE], language="en")
    next(results)
    with pytest.raises(sutradhar.UsageError, match="in the middle of another call"):
        model.transcribe(SAMPLE)
    results.close()
    with pytest.raises(sutradhar.UsageError, match=r"Model base does not know Cantonese \(yue\)"):
        model.transcribe(SAMPLE, language="yue")


def test_memory_bounds_the_batch_and_refuses_what_does_not_fit() -> None:
    with sutradhar.load(
        "base", models_dir=ROOT / "models", max_memory_gb=0.8, backend="whisperx", device="cpu"
    ) as small:
        assert small.settings.BATCH_SIZE == 3
    with pytest.raises(sutradhar.UsageError, match="max_memory_gb=1 does not hold model large-v3 and one window"):
        sutradhar.load("large-v3", max_memory_gb=1, backend="whisperx", device="cpu")
    with pytest.raises(sutradhar.UsageError, match="OFFLINE is on"):
        sutradhar.load("small", models_dir=ROOT / "models", offline=True)
    with pytest.raises(sutradhar.UsageError, match=r"sutradhar.load: .*WHISPER_BEAMS"):
        sutradhar.load("base", models_dir=ROOT / "models", settings={"WHISPER_BEAMS": 1})
