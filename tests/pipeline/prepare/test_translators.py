from __future__ import annotations

from pathlib import Path

import pytest

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.models import library
from sutradhar.pipeline.models.folder import FORMS
from sutradhar.pipeline.prepare import translators
from sutradhar.pipeline.prepare.translators import Choice, choose

INT8 = "indictrans2-int8"


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


@pytest.mark.parametrize(
    ("source", "target", "known"),
    [
        ("hi", "en", True),
        ("en", "ta", True),
        ("sat", "mni", True),
        ("hi", "hi", False),
        ("fr", "en", False),
        ("en", "fr", False),
        ("auto", "en", False),
    ],
)
def test_knows_english_and_the_languages_of_india(source: str, target: str, known: bool) -> None:
    assert translators.knows(source, target) is known


@pytest.mark.parametrize(
    ("source", "targets", "ways"),
    [
        ("hi", ["en"], ["indic-en"]),
        ("en", ["hi", "ta"], ["en-indic"]),
        ("hi", ["ta", "en", "mr"], ["indic-indic", "indic-en"]),
        ("hi", ["hi", "en"], ["indic-en"]),
        ("hi", ["hi"], []),
    ],
)
def test_a_checkpoint_goes_one_way(source: str, targets: list[str], ways: list[str]) -> None:
    assert translators.directions(source, targets) == ways


def test_a_size_has_a_model_for_each_direction_and_every_other_name_is_its_own() -> None:
    assert translators.model_name("1B", "indic-en") == "indictrans2-indic-en-1B"
    assert translators.model_name("distilled", "en-indic") == "indictrans2-en-indic-dist-200M"
    assert translators.model_name("distilled", "indic-indic") == "indictrans2-indic-indic-dist-320M"
    assert translators.model_name("./mine", "indic-en") == "./mine"


def test_every_size_can_be_had_in_every_direction() -> None:
    names = {translators.model_name(size, way) for size, ways in translators.SIZES.items() for way in ways}
    assert names == set(FORMS["indictrans2"].releases)


@pytest.mark.parametrize(
    ("device", "compute_type", "form"),
    [
        ("cpu", "int8", INT8),
        ("cpu", "float32", "indictrans2-float32"),
        ("cuda", "float16", "indictrans2-float16"),
        ("cuda", "bfloat16", "indictrans2-float16"),
        ("mps", "float16", "indictrans2"),
        ("mps", "float32", "indictrans2"),
    ],
)
def test_the_form_that_is_loaded(device: str, compute_type: str, form: str) -> None:
    assert translators.form(device, compute_type) == form


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"SOURCE_LANGUAGE": "auto"}, "needs to know the language spoken: set SOURCE_LANGUAGE"),
        ({"SOURCE_LANGUAGE": "fr"}, "does not translate fr to en; it knows en, as, bn,"),
        ({"TARGET_LANGUAGES": "en,fr"}, "does not translate hi to fr"),
        (
            {"INDICTRANS2_MODEL": "./mine", "TARGET_LANGUAGES": "en,ta"},
            "INDICTRANS2_MODEL=./mine goes one way, but to en,ta it takes indic-en and indic-indic: set it to 1B or distilled",
        ),
        (
            {"INDICTRANS2_DEVICE": "mps"},
            "INDICTRANS2_COMPUTE_TYPE=int8 does not go with INDICTRANS2_DEVICE=mps; float16, bfloat16, float32 do",
        ),
        (
            {"INDICTRANS2_COMPUTE_TYPE": "float16"},
            "INDICTRANS2_COMPUTE_TYPE=float16 does not go with INDICTRANS2_DEVICE=cpu; int8, float32 do",
        ),
    ],
)
def test_what_cannot_work_is_refused(settings: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        translators.check(Settings(**{"SOURCE_LANGUAGE": "hi", "TARGET_LANGUAGES": "en"} | settings))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"SOURCE_LANGUAGE": "hi", "TARGET_LANGUAGES": "hi"},
        {"SOURCE_LANGUAGE": "hi", "TARGET_LANGUAGES": "en,ta"},
        {"SOURCE_LANGUAGE": "en", "TARGET_LANGUAGES": "hi,ta", "INDICTRANS2_MODEL": "./mine"},
        {
            "SOURCE_LANGUAGE": "hi",
            "TARGET_LANGUAGES": "en",
            "INDICTRANS2_DEVICE": "mps",
            "INDICTRANS2_COMPUTE_TYPE": "float16",
        },
    ],
)
def test_what_can_work_is_not(settings: dict[str, str]) -> None:
    translators.check(Settings(**settings))


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
    assert choose("hi", ["en"], "auto", "", INT8, tmp_path) == Choice("whisper", "1B", reason)


@pytest.mark.parametrize(
    ("source", "reason"),
    [("auto", "IndicTrans2 has to be told the language"), ("fr", "IndicTrans2 does not know fr to en")],
)
def test_what_only_whisper_can_do_is_whispers(source: str, reason: str, tmp_path: Path) -> None:
    put(tmp_path, "indictrans2-indic-en-1B")
    assert choose(source, ["en"], "auto", "", INT8, tmp_path) == Choice("whisper", "1B", reason)


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
    assert choose("hi", ["en"], "whisper", "", INT8, tmp_path) == Choice("whisper", "1B", "as asked for")
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
