from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.models import library
from sutradhar.pipeline.models.folder import FORMS
from sutradhar.pipeline.prepare import translation
from sutradhar.pipeline.prepare.translation import Candidate, Choice
from sutradhar.stages.film.translate.about import TranslatorAbout
from sutradhar.stages.film.translate.registry import TRANSLATORS

INT8 = "indictrans2-int8"
ECHO = Candidate(TranslatorAbout("echo", "Echo", "French and Tamil", languages=("fr", "ta", "en")))


@pytest.fixture(autouse=True)
def no_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
    monkeypatch.setattr(
        library, "can_convert", lambda form: FORMS[form].converter is not None
    )  # also where MLX is not installed


def put(folder: Path, name: str, form: str = "indictrans2") -> None:
    (folder / name).mkdir()
    for names in FORMS[form].files:
        (folder / name / names[0]).touch()


def choose(
    source: str, targets: Sequence[str], wanted: str, model: str, form: str, folder: Path, *others: Candidate
) -> Choice:
    """Choose between IndicTrans2, in one form and perhaps with one model, and others."""
    indictrans2 = Candidate(TRANSLATORS["indictrans2"], "cpu", (form, ""), form, model)
    return translation.choose(source, targets, wanted, [indictrans2, *others], folder)


def test_auto_takes_what_is_here(tmp_path: Path) -> None:
    put(tmp_path, "indictrans2-indic-en-1B")
    assert choose("hi", ["en"], "auto", "", INT8, tmp_path) == Choice(
        "indictrans2", "1B", "it knows hi to en, and its model is here"
    )


def test_auto_takes_the_distilled_model_where_only_that_is_here(tmp_path: Path) -> None:
    put(tmp_path, "indictrans2-indic-en-dist-200M-indictrans2-int8", INT8)
    assert choose("hi", ["en"], "auto", "", INT8, tmp_path).model == "distilled"
    assert (
        choose("hi", ["en"], "auto", "", "indictrans2", tmp_path).engine == "whisper"
    )  # in another form, and from it there is no way back


def test_without_the_model_auto_takes_whisper_and_says_how_to_get_it(tmp_path: Path) -> None:
    reason = "IndicTrans2 translates better, but its model is not here: scripts/get-model.sh indictrans2-indic-en-1B"
    assert choose("hi", ["en"], "auto", "", INT8, tmp_path) == Choice("whisper", "", reason)


@pytest.mark.parametrize(
    ("source", "reason"),
    [("auto", "IndicTrans2 has to be told the language"), ("fr", "IndicTrans2 does not know fr to en")],
)
def test_what_only_whisper_can_do_is_whispers(source: str, reason: str, tmp_path: Path) -> None:
    put(tmp_path, "indictrans2-indic-en-1B")
    assert choose(source, ["en"], "auto", "", INT8, tmp_path) == Choice("whisper", "", reason)


def test_two_directions_take_two_models(tmp_path: Path) -> None:
    put(tmp_path, "indictrans2-indic-en-1B")
    with pytest.raises(UsageError) as caught:
        choose("hi", ["en", "ta"], "auto", "", INT8, tmp_path)
    assert str(caught.value) == (
        "To translate hi to en, ta takes IndicTrans2, whose model is not here;"
        " get it: scripts/get-model.sh indictrans2-indic-en-1B; scripts/get-model.sh indictrans2-indic-indic-1B"
    )
    put(tmp_path, "indictrans2-indic-indic-1B")
    assert choose("hi", ["en", "ta"], "auto", "", INT8, tmp_path).engine == "indictrans2"


def test_an_engine_that_is_asked_for_is_taken(tmp_path: Path) -> None:
    put(tmp_path, "indictrans2-indic-en-1B")
    assert choose("hi", ["en"], "whisper", "", INT8, tmp_path) == Choice("whisper", "", "as asked for")
    assert choose("en", ["hi"], "indictrans2", "", INT8, tmp_path) == Choice("indictrans2", "1B", "as asked for")
    assert choose("hi", ["en"], "indictrans2", "distilled", INT8, tmp_path) == Choice(
        "indictrans2", "distilled", "as asked for"
    )


def test_a_model_that_is_asked_for_is_looked_for_alone(tmp_path: Path) -> None:
    put(tmp_path, "indictrans2-indic-en-1B")
    put(tmp_path, "toy")
    assert choose("hi", ["en"], "auto", "toy", INT8, tmp_path).model == "toy"
    assert choose("hi", ["en"], "auto", "distilled", INT8, tmp_path) == Choice(
        "indictrans2", "distilled", "as asked for"
    )  # and refused later


@pytest.mark.parametrize(
    ("source", "targets", "wanted", "message"),
    [
        ("fr", ["ta"], "auto", "Nothing here translates fr to ta: Whisper translates to en alone"),
        (
            "hi",
            ["ta"],
            "whisper",
            "Whisper translates to en alone: leave --translation-engine whisper away for hi to ta",
        ),
        ("auto", ["en", "hi"], "auto", "To translate to en, hi the language spoken has to be named: -s"),
    ],
)
def test_what_nothing_translates_is_refused(
    source: str, targets: list[str], wanted: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=message):
        choose(source, targets, wanted, "", INT8, tmp_path)


def test_a_translator_without_models_is_at_hand(tmp_path: Path) -> None:
    assert choose("fr", ["ta", "en"], "auto", "", INT8, tmp_path, ECHO) == Choice("echo", "", "it knows fr to ta, en")
    assert choose("ta", ["en"], "auto", "", INT8, tmp_path, ECHO).engine == "echo"
    put(tmp_path, "indictrans2-indic-en-1B")
    assert choose("ta", ["en"], "auto", "", INT8, tmp_path, ECHO).engine == "indictrans2"
    assert choose("ta", ["en"], "echo", "", INT8, tmp_path, ECHO).engine == "echo"


def test_what_none_can_do_is_said_of_each(tmp_path: Path) -> None:
    reason = "IndicTrans2 does not know de to en; Echo does not know de to en"
    assert choose("de", ["en"], "auto", "", INT8, tmp_path, ECHO) == Choice("whisper", "", reason)
    with pytest.raises(UsageError, match=r"IndicTrans2 knows en, as, .*, ur; Echo knows fr, ta, en$"):
        choose("de", ["ta"], "auto", "", INT8, tmp_path, ECHO)


@pytest.mark.parametrize("name", ["auto", "whisper", "indictrans2"])
def test_the_names_that_there_are(name: str) -> None:
    translation.check_name(name)


@pytest.mark.parametrize(("name", "hint"), [("indictrans", "; did you mean indictrans2?"), ("nonsense", "")])
def test_another_name_is_refused_with_those_that_there_are(name: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        translation.check_name(name)
    assert str(caught.value) == (
        f"--translation-engine {name}: there is no such translator; choose from auto, indictrans2, whisper{hint}"
    )
