"""A transcript through the stage, with the toy of tests/data/indictrans2."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from sutradhar.pipeline.jobs.pieces import NOTHING_KEPT
from sutradhar.pipeline.jobs.stage import Outcome
from sutradhar.pipeline.models.form import ResolvedModel
from sutradhar.stages.film import translate
from sutradhar.stages.film.translate import film
from sutradhar.stages.film.translate.chain import Rendering, Way
from sutradhar.stages.film.translate.indictrans2 import ct2
from sutradhar.stages.film.translate.indictrans2.generator import Hypothesis
from sutradhar.stages.film.translate.sentences import assemble
from sutradhar.stages.film.translate.translator import BeamSearch, Translation
from sutradhar.stages.transcript import MISSING, Segment, Transcript, Translations, load, save
from tests.conftest import ROOT
from tests.stages.film.translate.support import spoken
from tests.stages.run_stage import StageRun

BY_INDICTRANS2: dict[str, str | int] = {"WORKFLOW": "translate", "TRANSLATION_ENGINE": "indictrans2"}
TOY = ROOT / "tests" / "data" / "indictrans2" / "toy"
HOME, COMES, ROMAN = " मुझे घर जाना है।", " ट्रेन 12:30 बजे आएगी।", " Kya kar rahe ho tum yahan?"
SAID = spoken(f"{HOME} | [संगीत] |{COMES} | I will be right back. |{ROMAN} |{HOME}")


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("toy")
    ct2.convert(TOY, folder, "float32")
    return folder


def run(
    tmp_path: Path, toy: Path, said: Transcript = SAID, **settings: str | int
) -> tuple[Outcome, tuple[Transcript, ...], StageRun]:
    usual = {
        "SOURCE_LANGUAGE": said.language,
        "TARGET_LANGUAGES": "en",
        "INDICTRANS2_MODEL": "toy",
        "INDICTRANS2_COMPUTE_TYPE": "float32",
    }
    stage_run = StageRun(translate.STAGE, Path("film.mkv"), tmp_path, **(BY_INDICTRANS2 | usual | settings))
    if not (tmp_path / "toy").exists():
        (tmp_path / "toy").symlink_to(toy)
    (stage_run.artifacts / "align").mkdir(exist_ok=True)
    save(stage_run.artifacts / "align" / "transcript.json", said)
    outcome = stage_run.run()
    return outcome, load(stage_run.scratch / "translate" / "transcripts.json", Translations).transcripts, stage_run


# --- Segments


def segments(text: str, *renderings: Rendering, target: str = "en") -> list[Segment]:
    return film.segments_of(assemble(spoken(text)), renderings, target)


def test_a_translation_stands_in_the_time_of_its_sentence() -> None:
    (home, comes) = segments(
        f"{HOME} |{COMES}", Rendering("I have to go.", -0.5, Way.SEARCH), Rendering("It comes.", -0.1, Way.SEARCH)
    )
    assert [(one.id, one.start_ms, one.end_ms, one.text, one.note) for one in (home, comes)] == [
        (0, 0, 1020, "I have to go.", ""),
        (1, 1020, 2340, "It comes.", ""),
    ]
    assert (home.language, home.avg_logprob) == ("en", -0.5)


def test_another_way_is_noted() -> None:
    (halves,) = segments(HOME, Rendering("I have to go.", -0.5, Way.HALVES))
    assert halves.note == "by halves"


def test_what_is_missing_is_marked_and_says_why() -> None:
    (missing,) = segments(HOME, Rendering("", 0.0, Way.NONE, ("loop", "too long")))
    assert (missing.text, missing.note) == (MISSING, "not translated: loop, too long")
    assert "".join(word.text for word in missing.words).strip() == MISSING
    assert (missing.start_ms, missing.end_ms) == (0, 1020)


def test_what_is_said_in_the_target_language_keeps_its_own_words_and_times() -> None:
    said = " I will be right back."
    (kept,) = segments(said, Rendering("I will be right back.", 0.0, Way.AS_SPOKEN))
    assert kept.words == spoken(said).segments[0].words
    assert (kept.text, kept.language, kept.note) == ("I will be right back.", "en", "")


def test_labels_are_translated_or_left_out_and_numbers_go_on() -> None:
    found = segments(
        f"[संगीत] | [कखगघ] |{HOME}",
        Rendering("", 0.0, Way.LABEL),
        Rendering("", 0.0, Way.LABEL),
        Rendering("I go.", -0.1, Way.SEARCH),
    )
    assert [(one.id, one.text) for one in found] == [(0, "[music]"), (1, "I go.")]


# --- What a person is told


def test_nothing_is_reported_of_what_went_as_usual() -> None:
    assert (
        film._report(
            "en",
            [Rendering("Yes.", -0.1, Way.SEARCH), Rendering("", 0.0, Way.LABEL), Rendering("Yes.", 0.0, Way.AS_SPOKEN)],
            "IndicTrans2",
        )
        == []
    )


def test_other_ways_failures_and_lost_terms_are_reported() -> None:
    renderings = [
        Rendering("Yes.", -0.1, Way.GREEDY),
        Rendering("Yes.", -0.1, Way.HALVES, missing_terms=2),
        Rendering("No.", -0.1, Way.HALVES),
        Rendering("", 0.0, Way.NONE, ("loop", "too long")),
        Rendering("", 0.0, Way.NONE, ("loop",)),
    ]
    assert film._report("en", renderings, "IndicTrans2") == [
        "en: 1 sentence translated by greedy, where the usual search failed",
        "en: 2 sentences translated by halves, where the usual search failed",
        "en: 2 of 5 sentences not translated by IndicTrans2 (loop 2, too long 1)",
        "en: 2 terms of the glossary missing in the translation",
    ]


# --- The stage


def test_a_film_is_translated(toy: Path, tmp_path: Path) -> None:
    outcome, (english,), stage_run = run(tmp_path, toy)
    assert (english.language, english.start_ms, english.duration_ms, english.note) == (
        "en",
        0,
        600_000,
        "translated by IndicTrans2",
    )
    assert [(one.id, one.text, one.note) for one in english.segments] == [
        (0, "I have to go home.", ""),
        (1, "[music]", ""),
        (2, "The train will arrive at 12:30.", ""),
        (3, "I will be right back.", ""),
        (4, MISSING, "not translated: roman script"),
        (5, "I have to go home.", ""),
    ]
    assert outcome.summary == "Translation completed: 6 sentences to en"
    assert outcome.degraded == ("en: 1 of 6 sentences not translated by IndicTrans2 (roman script 1)",)
    assert outcome.engine == {
        "backend": "ctranslate2",
        "device": "cpu",
        "model": "toy",
        "model_revision": "",
        "compute_type": "float32",
    }
    assert outcome.packages == ("ctranslate2", "indictranstoolkit", "sentencepiece")
    assert (stage_run.progress[-1], outcome.seconds_of_media) == ((600.0, 600.0), 600.0)


def test_the_apple_gpus_engine_says_the_same(toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlx = pytest.importorskip(
        "sutradhar.stages.film.translate.indictrans2.mlx",
        reason="MLX is not installed: ./install-mlx.sh",
        exc_type=ImportError,
    )
    opened = mlx.MlxTranslator
    monkeypatch.setattr(mlx, "MlxTranslator", lambda folder, device, compute_type: opened(folder, "cpu", compute_type))
    for name in ("ct2", "mlx"):
        (tmp_path / name).mkdir()
    _, ours, _ = run(tmp_path / "ct2", toy)
    outcome, theirs, _ = run(tmp_path / "mlx", TOY, INDICTRANS2_DEVICE="mps", TRANSLATION_ENGINE="indictrans2")
    assert [one.text for one in ours[0].segments] == [one.text for one in theirs[0].segments]
    assert (outcome.engine["backend"], outcome.engine["device"], outcome.packages[0]) == ("mlx", "mps", "mlx")


def test_one_checkpoint_gives_as_many_targets_as_go_its_way(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, open_translator = [], film.open_translator
    monkeypatch.setattr(
        film, "open_translator", lambda settings, model: opened.append(model.name) or open_translator(settings, model)
    )
    outcome, transcripts, stage_run = run(tmp_path, toy, spoken(" हाँ। | नमस्ते।"), TARGET_LANGUAGES="ta,mr")
    assert [transcript.language for transcript in transcripts] == ["ta", "mr"]
    assert {one.language for transcript in transcripts for one in transcript.segments} == {"ta", "mr"}
    assert outcome.summary == "Translation completed: 2 sentences to ta, mr"
    assert opened == ["toy"]
    assert outcome.seconds_of_media == 1200.0
    assert [done for done, total in stage_run.progress if total == 1200.0] == [600.0, 1200.0]


def test_each_target_is_translated_by_the_model_of_its_direction(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    yes, asked = {"ta": "ஆம்.", "en": "Yes.", "mr": "होय."}, []

    class Named:
        def __init__(self, name: str) -> None:
            self._name = name

        def translate(
            self, sentences: Sequence[str], source: str, target: str, search: BeamSearch, *_: object
        ) -> list[list[Translation]]:
            asked.append((self._name, source, target, search.beams))
            return [[Translation(yes[target], -0.1)] for _ in sentences]

    monkeypatch.setattr(
        film, "_resolve", lambda about, direction, ctx: ResolvedModel(toy, direction, "", "indictrans2-int8")
    )
    monkeypatch.setattr(film, "open_translator", lambda settings, model: Named(model.name))
    _, transcripts, _ = run(tmp_path, toy, spoken(" हाँ।"), TARGET_LANGUAGES="ta,en,mr", INDICTRANS2_NUM_BEAMS=3)
    assert [(one.language, one.segments[0].text) for one in transcripts] == list(yes.items())
    assert asked == [("indic-indic", "hi", "ta", 3), ("indic-indic", "hi", "mr", 3), ("indic-en", "hi", "en", 3)]


def test_what_is_spoken_already_needs_no_translation(toy: Path, tmp_path: Path) -> None:
    outcome, transcripts, _ = run(tmp_path, toy, TARGET_LANGUAGES="hi")
    assert transcripts == ()
    assert (outcome.summary, outcome.degraded) == (
        "Translation completed: 6 sentences to no language",
        ("No translation to hi: the speech is in it already",),
    )


def test_a_silent_film_has_an_empty_translation(toy: Path, tmp_path: Path) -> None:
    outcome, (english,), _ = run(tmp_path, toy, Transcript("hi", 0, 600_000, ()))
    assert english == Transcript("en", 0, 600_000, (), "translated by IndicTrans2")
    assert (outcome.summary, outcome.degraded) == ("Translation completed: 0 sentences to en", ())


def test_a_glossary_is_kept_or_what_it_lacks_is_counted(toy: Path, tmp_path: Path) -> None:
    (tmp_path / "names.tsv").write_text("राज\tRaj\nघर\tMansion\n", encoding="utf-8")
    outcome, (english,), _ = run(tmp_path, toy, spoken(" राज घर पर है।"), GLOSSARY="names.tsv")
    assert english.segments[0].text == "Raj is at home."
    assert outcome.degraded == ("en: 1 term of the glossary missing in the translation",)


# --- Interrupted


class StoppedEarly(Exception):
    pass


class CountedBatches:
    """How many sentences each call of the generator had; the one after `left` more is interrupted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[int] = []
        self.left = -1
        self._generate = ct2.CTranslate2.generate
        monkeypatch.setattr(
            ct2.CTranslate2, "generate", lambda engine, sentences, search: self.generate(engine, sentences, search)
        )
        monkeypatch.setattr("sutradhar.stages.film.translate.indictrans2.engine.SENTENCES_AT_ONCE", 2)

    def generate(
        self, engine: ct2.CTranslate2, sentences: Sequence[Sequence[str]], search: BeamSearch
    ) -> list[list[Hypothesis]]:
        if self.left == 0:
            raise StoppedEarly
        self.left -= 1
        self.asked.append(len(sentences))
        return self._generate(engine, sentences, search)


MUCH = spoken(" हाँ। | नमस्ते। | मुझे घर जाना है। | ट्रेन 12:30 बजे आएगी। | वह कल नहीं आएगा। | क्या तुम ठीक हो? | चलो चलते हैं।")


def test_interrupted_again_and_again_it_comes_to_the_same_to_the_byte(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = CountedBatches(monkeypatch)
    for name in ("whole", "in parts"):
        (tmp_path / name).mkdir()
    undisturbed, _, whole = run(tmp_path / "whole", toy, MUCH, TARGET_LANGUAGES="ta,mr")
    asked, batches.asked = batches.asked, []
    interruptions = 0
    for _ in asked:
        batches.left = 3
        with contextlib.suppress(StoppedEarly):
            outcome, _, parts = run(tmp_path / "in parts", toy, MUCH, TARGET_LANGUAGES="ta,mr")
            break
        interruptions += 1
    else:
        pytest.fail("it does not come to its end")
    assert interruptions >= 4
    assert batches.asked == asked  # the retries of what the guards refuse too, and nothing twice
    name = "translate/transcripts.json"
    assert (parts.scratch / name).read_bytes() == (whole.scratch / name).read_bytes()
    assert outcome == undisturbed


def test_what_was_translated_before_is_told_and_counts_in_the_progress(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    batches = CountedBatches(monkeypatch)
    batches.left = 2
    with pytest.raises(StoppedEarly):
        run(tmp_path, toy, MUCH)
    batches.left = -1
    caplog.set_level(logging.INFO)
    _, _, stage = run(tmp_path, toy, MUCH)
    assert "Going on: 4 of 7 sentences to en are there already" in caplog.messages
    assert {round(progress.already, 3) for progress in stage.told} == {342.857}  # four sevenths
    assert stage.progress[-1] == (600.0, 600.0)
    assert [progress.kept for progress in stage.told][0::3] == ["4 of 7 sentences to en", "6 of 7 sentences to en"]
    assert stage.told[-1].kept == "7 of 7 sentences to en"


def test_an_attempt_of_which_nothing_was_kept_is_told_once(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    batches = CountedBatches(monkeypatch)
    batches.left = 0
    with pytest.raises(StoppedEarly):
        run(tmp_path, toy, MUCH, TARGET_LANGUAGES="ta,mr")
    assert NOTHING_KEPT not in caplog.messages
    batches.left = -1
    run(tmp_path, toy, MUCH, TARGET_LANGUAGES="ta,mr")
    assert caplog.messages.count(NOTHING_KEPT) == 1


def test_when_all_was_translated_before_no_model_is_loaded(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, before, stage = run(tmp_path, toy)
    monkeypatch.setattr(film, "open_translator", lambda settings, model: pytest.fail("it was loaded"))
    assert run(tmp_path, toy)[1] == before
    assert stage.progress[-1] == (600.0, 600.0)
