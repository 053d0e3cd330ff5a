from __future__ import annotations

from dataclasses import replace

import pytest

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.jobs.stage import EngineNeed, ModelNeed
from sutradhar.stages.film.translate import needs
from sutradhar.stages.film.translate.about import TranslatorAbout
from sutradhar.stages.film.translate.registry import TRANSLATORS

INDICTRANS2 = TRANSLATORS["indictrans2"]
ECHO = TranslatorAbout("echo", "Echo", "English and Hindi", languages=("en", "hi"), packages=("msgspec",))


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
        needs.check(INDICTRANS2, Settings(**{"SOURCE_LANGUAGE": "hi", "TARGET_LANGUAGES": "en"} | settings))
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
    needs.check(INDICTRANS2, Settings(**settings))


def test_what_indictrans2_needs() -> None:
    settings = Settings(SOURCE_LANGUAGE="hi", TARGET_LANGUAGES="en,ta,mr,hi", INDICTRANS2_DEVICE="mps")
    assert needs.models_of(INDICTRANS2, settings) == (
        ModelNeed("indictrans2-indic-en-1B", "indictrans2"),
        ModelNeed("indictrans2-indic-indic-1B", "indictrans2"),
    )
    assert needs.engines_of(INDICTRANS2, settings) == (
        EngineNeed("mlx", "mps", "INDICTRANS2_DEVICE", "INDICTRANS2_DEVICE=cpu INDICTRANS2_COMPUTE_TYPE=int8"),
    )
    assert needs.packages_of(INDICTRANS2, settings) == ("mlx", "indictranstoolkit", "sentencepiece")
    assert needs.packages_of(INDICTRANS2, Settings())[0] == "ctranslate2"


def test_a_translator_without_models_needs_none_and_no_engine() -> None:
    settings = Settings(SOURCE_LANGUAGE="hi", TARGET_LANGUAGES="en", INDICTRANS2_COMPUTE_TYPE="float16")
    needs.check(ECHO, settings)
    assert needs.models_of(ECHO, settings) == ()
    assert needs.engines_of(ECHO, settings) == ()
    assert needs.packages_of(ECHO, settings) == ("msgspec",)


def test_a_translator_refuses_settings_of_its_own() -> None:
    def refuse(settings: Settings) -> None:
        raise UsageError(f"no echo of {settings.TITLE}")

    settings = Settings(SOURCE_LANGUAGE="hi", TARGET_LANGUAGES="en", TITLE="Silence")
    with pytest.raises(UsageError, match="no echo of Silence"):
        needs.check(replace(ECHO, check=refuse), settings)
