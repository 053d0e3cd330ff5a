"""Descriptions agree with the engines that they describe."""

from __future__ import annotations

from importlib import import_module

import pytest

from sutradhar.pipeline.jobs.settings import schema
from sutradhar.pipeline.machine.engines import ENGINES
from sutradhar.stages.film.translate.about import TranslatorAbout
from sutradhar.stages.film.translate.indictrans2.about import ABOUT as INDICTRANS2
from sutradhar.stages.film.translate.indictrans2.about import MODELS
from sutradhar.stages.film.translate.registry import TRANSLATORS


@pytest.mark.parametrize("about", TRANSLATORS.values(), ids=list(TRANSLATORS))
def test_each_names_what_there_is(about: TranslatorAbout) -> None:
    assert TRANSLATORS[about.name] is about
    assert set(about.settings) <= set(schema().__struct_fields__)
    if models := about.models:
        assert {models.model, models.device, models.compute_type} <= set(about.settings)
        assert set(models.backends.values()) <= set(ENGINES)
        assert set(models.backends) == set(models.compute_types) == set(models.libraries)
        assert {models.form(device, kind) for device, kinds in models.compute_types.items() for kind in kinds} == set(
            models.forms
        )


def test_indictrans2_has_a_tag_for_every_language_that_it_says_it_knows() -> None:
    tags = import_module("sutradhar.stages.film.translate.indictrans2.languages").TAGS
    assert set(tags) == set(INDICTRANS2.languages)


def test_there_are_models_for_every_direction() -> None:
    assert MODELS.sizes["1B"]["indic-en"] == "indictrans2-indic-en-1B"
    assert MODELS.sizes["distilled"]["indic-indic"] == "indictrans2-indic-indic-dist-320M"
    assert {name for ways in MODELS.sizes.values() for name in ways.values()} == set(
        MODELS.forms["indictrans2"].releases
    )


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
    assert INDICTRANS2.knows(source, target) is known


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
    assert INDICTRANS2.directions(source, targets) == ways


def test_a_size_has_a_model_for_each_direction_and_every_other_name_is_its_own() -> None:
    assert MODELS.name("1B", "indic-en") == "indictrans2-indic-en-1B"
    assert MODELS.name("distilled", "en-indic") == "indictrans2-en-indic-dist-200M"
    assert MODELS.name("distilled", "indic-indic") == "indictrans2-indic-indic-dist-320M"
    assert MODELS.name("./mine", "indic-en") == "./mine"


@pytest.mark.parametrize(
    ("device", "compute_type", "form"),
    [
        ("cpu", "int8", "indictrans2-int8"),
        ("cpu", "float32", "indictrans2-float32"),
        ("cuda", "float16", "indictrans2-float16"),
        ("cuda", "bfloat16", "indictrans2-float16"),
        ("mps", "float16", "indictrans2"),
        ("mps", "float32", "indictrans2"),
    ],
)
def test_the_form_that_is_loaded(device: str, compute_type: str, form: str) -> None:
    assert MODELS.form(device, compute_type) == form
