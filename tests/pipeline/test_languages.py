from __future__ import annotations

import subprocess
import sys

import pytest

from sutradhar.pipeline import languages
from sutradhar.pipeline.errors import UsageError
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("hi", "hi"),
        ("hin", "hi"),
        ("Hindi", "hi"),
        ("हिन्दी", "hi"),
        ("HI", "hi"),
        ("Deutsch", "de"),
        ("ger", "de"),
        ("deu", "de"),
        ("zh", "zh"),
        ("cmn", "zh"),
        ("Mandarin", "zh"),
        ("中文", "zh"),
        ("yue", "yue"),
        ("Cantonese", "yue"),
        ("nan", "nan"),  # a Chinese language that is not what Whisper calls zh
        ("haw", "haw"),
        ("jv", "jw"),
        ("Javanese", "jw"),
        ("iw", "he"),
        ("fil", "tl"),
        ("nob", "no"),
        ("arb", "ar"),
        ("pt-BR", "pt"),
        ("en_US", "en"),
        ("Odia", "or"),
        ("brx", "brx"),
    ],
)
def test_knows_a_language_by_any_of_its_names(text: str, code: str) -> None:
    assert languages.parse(text) == code


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("Englsh", "did you mean English"),
        ("xx", "such as Hindi or hi"),
        ("und", ""),
        ("", ""),
        ("auto", ""),
        ("q" * 500, ""),
    ],
)
def test_refuses_what_is_no_language(text: str, hint: str) -> None:
    with pytest.raises(UsageError, match="Unknown language") as refusal:
        languages.parse(text)
    assert hint in str(refusal.value)


def test_whispers_languages_are_found_by_code_and_by_name() -> None:
    assert len(languages.WHISPER_LANGUAGES) == 100
    for code in languages.WHISPER_LANGUAGES:
        assert languages.parse(languages.name(code)) == code


@pytest.mark.parametrize(
    ("code", "bibliographic", "terminologic", "name"),
    [
        ("de", "ger", "deu", "German"),
        ("fr", "fre", "fra", "French"),
        ("zh", "chi", "zho", "Chinese"),
        ("hi", "hin", "hin", "Hindi"),
        ("jw", "jav", "jav", "Javanese"),
        ("yue", "yue", "yue", "Cantonese"),
    ],
)
def test_codes_and_names_for_containers(code: str, bibliographic: str, terminologic: str, name: str) -> None:
    assert (languages.alpha3_bibliographic(code), languages.alpha3_terminologic(code), languages.name(code)) == (
        bibliographic,
        terminologic,
        name,
    )


def test_same_compares_tags_of_any_form() -> None:
    assert languages.same("hin", "hi")
    assert not languages.same("hin", "en")
    assert not languages.same("gibberish", "gibberish")


@pytest.mark.parametrize("text", ["hi", "hin", "Hindi", "हिन्दी", "klingonese"])
def test_the_names_in_all_languages_of_the_world_stay_unloaded(text: str) -> None:
    """They take a second and 300 MB, which prepare-job would need for a code and its English name."""
    code = (
        "import sys; from sutradhar.pipeline import languages as l; code = l.parse(sys.argv[1]); l.same('ger', code); "
        "print(l.name(code), l.alpha3_terminologic(code), 'language_data.name_data' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, text], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == ("Klingon tlh False\n" if text == "klingonese" else "Hindi hin False\n")


@pytest.mark.parametrize("tag", ["eh`", "a", "en-1", "हि", "eng-", "\x1b[31m"])
def test_a_tag_of_a_damaged_file_is_an_unknown_language(tag: str) -> None:
    assert languages.name(tag) == f"Unknown language [{tag}]".replace("\x1b", "\\x1b")
    assert not languages.same(tag, "en")
