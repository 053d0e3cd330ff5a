"""Descriptions agree with the engines that they describe."""

from __future__ import annotations

from importlib import import_module

from sutradhar.pipeline.machine.engines import ENGINES
from sutradhar.stages.film.translate import NAMES, TRANSLATORS


def test_each_names_what_there_is() -> None:
    assert tuple(about.name for about in TRANSLATORS) == NAMES
    for about in TRANSLATORS:
        assert set(about.backends.values()) <= set(ENGINES)
        assert set(about.backends) == set(about.compute_types)
        assert {about.form(device, kind) for device, kinds in about.compute_types.items() for kind in kinds} == set(
            about.forms
        )


def test_indictrans2_has_a_tag_for_every_language_that_it_says_it_knows() -> None:
    (about,) = TRANSLATORS
    tags = import_module("sutradhar.stages.film.translate.indictrans2.languages").TAGS
    assert set(tags) == {about.pivot, *about.languages}


def test_there_are_models_for_every_direction() -> None:
    (about,) = TRANSLATORS
    assert about.sizes["1B"]["indic-en"] == "indictrans2-indic-en-1B"
    assert about.sizes["distilled"]["indic-indic"] == "indictrans2-indic-indic-dist-320M"
    assert {name for ways in about.sizes.values() for name in ways.values()} == set(about.forms["indictrans2"].releases)
