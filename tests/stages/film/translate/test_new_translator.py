"""A translator is one package and one name: `echo` is added to a copy of the tree, and translates a film."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.scratch_tree import add_line, copy_of_the_tree, settings_reference, shell

pytestmark = pytest.mark.skipif(not (ROOT / "models" / "base").is_dir(), reason="needs models/base")

SAMPLE = str(ROOT / "samples" / "dialogue.mp4")
ABOUT = """
from sutradhar.stages.film.translate.about import TranslatorAbout

ABOUT = TranslatorAbout(
    name="echo",
    title="Echo",
    scope="English and German",
    languages=("en", "de"),
    settings=("ECHO_WORD",),
    own_settings="sutradhar.stages.film.translate.echo.settings",
    packages=("msgspec",),
)
"""
SETTINGS = """
from typing import Annotated

import msgspec
from msgspec import Meta


class Own(msgspec.Struct):
    ECHO_WORD: Annotated[str, Meta(description="What an echo begins with.")] = "Ja,"
"""
ENGINE = """
from sutradhar.stages.film.translate.translator import Translation


def open_engine(settings, model):
    return Echo(settings.ECHO_WORD)


class Echo:
    def __init__(self, word):
        self._word = word

    def translate(self, sentences, source, target, search, report, known, keep):
        found = [[Translation(f"{self._word} {sentence}", -0.1)] for sentence in sentences]
        keep(dict(enumerate(found)))
        report(len(sentences), len(sentences))
        return found
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = copy_of_the_tree(tmp_path_factory.mktemp("tree"))
    translators = tree / "stages" / "film" / "translate"
    (translators / "echo").mkdir()
    for name, text in (("about.py", ABOUT), ("settings.py", SETTINGS), ("engine.py", ENGINE)):
        (translators / "echo" / name).write_text(text)
    add_line(translators / "registry.py", after="indictrans2", name="echo")
    return tree


@pytest.fixture(scope="module")
def job(tree: Path) -> Path:
    """A job that was prepared and run."""
    options = ("--translate", "-s", "en", "-t", "de", "--translation-engine", "echo", "--end", "4")
    shell(tree, "prepare-job.sh", SAMPLE, *options, "--job-id", "loud", "--run")
    return tree / "jobs" / "loud"


def test_a_film_is_translated_by_it(tree: Path, job: Path) -> None:
    out = tree / "out" / "loud"
    assert (out / "dialogue.de.txt").read_text().split()[:4] == ["Ja,", "Good", "morning,", "Daniel."]
    assert (out / "dialogue.de.vtt").read_text().startswith("WEBVTT\n\nNOTE translated by Echo\n")


def test_its_marker_names_it(job: Path) -> None:
    marker = json.loads((job / "stages" / "translate" / "stage.json").read_text())
    assert marker["engine"] == {"backend": "echo"}
    assert marker["settings"] == {
        "TRANSLATION_ENGINE": "echo",
        "SOURCE_LANGUAGE": "en",
        "TARGET_LANGUAGES": "de",
        "ECHO_WORD": "Ja,",
        "GLOSSARY": "",
    }
    assert "msgspec" in marker["packages"]


def test_settings_help_and_reference_name_it(tree: Path, job: Path) -> None:
    lines = (job / ".loud.env").read_text().splitlines()
    assert {"TRANSLATION_ENGINE=echo", "ECHO_WORD=Ja,", "# What an echo begins with."} <= set(lines)
    told = settings_reference(tree)
    assert "echo: English and German. One of echo, indictrans2, whisper." in told
    assert "| `ECHO_WORD` | `Ja,` | What an echo begins with. |" in told
    assert "{auto,indictrans2,echo,whisper}" in shell(tree, "prepare-job.sh", "--help")


def test_it_is_taken_by_itself_where_it_knows_the_languages(tree: Path) -> None:
    shell(tree, "prepare-job.sh", SAMPLE, "--translate", "-s", "de", "-t", "en", "--job-id", "auto")
    told = (tree / "jobs" / "auto" / ".auto.env").read_text()
    assert "# Chosen: it knows de to en\nTRANSLATION_ENGINE=echo\n" in told


def test_a_change_of_its_setting_repeats_the_translation_and_what_follows(tree: Path, job: Path) -> None:
    told = shell(tree, "run-pipeline.sh", "-j", "loud", "--set", "ECHO_WORD=Nein,")
    done = [line.split()[3] for line in told.splitlines() if "COMPLETED (" in line]
    assert done == ["translate:", "rescue:", "subtitles:", "mux:"]
    assert (tree / "out" / "loud" / "dialogue.de.txt").read_text().startswith("Nein, Good morning")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("-s", "fr", "-t", "de", "--translation-engine", "echo"),
            "Echo does not translate fr to de; it knows en, de.",
        ),
        (
            ("-s", "en", "-t", "de", "--translation-engine", "ecko"),
            "--translation-engine ecko: there is no such translator; choose from auto, indictrans2, echo, whisper;"
            " did you mean echo?",
        ),
        (
            ("-s", "en", "-t", "de", "--set", "TRANSLATION_ENGINE=nonsense"),
            "--translation-engine nonsense: there is no such translator; choose from auto, indictrans2, echo, whisper",
        ),
    ],
)
def test_what_it_cannot_do_and_names_that_there_are_not_are_refused(
    options: tuple[str, ...], message: str, tree: Path
) -> None:
    refused = shell(tree, "prepare-job.sh", SAMPLE, "--translate", *options, code=2)
    assert message in refused.splitlines()[-1]


def test_a_job_refuses_a_name_that_there_is_not(tree: Path, job: Path) -> None:
    refused = shell(tree, "run-pipeline.sh", "-j", "loud", "--set", "TRANSLATION_ENGINE=indictrans", code=2)
    told = "TRANSLATION_ENGINE='indictrans' does not fit: it must be one of echo, indictrans2, whisper;"
    assert f"{told} did you mean indictrans2?" in refused
