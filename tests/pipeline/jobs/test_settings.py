from __future__ import annotations

import pickle
from pathlib import Path
from typing import Annotated

import msgspec
import pytest
from msgspec import Meta

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.jobs import settings
from sutradhar.pipeline.jobs.settings import (
    SECTIONS,
    Settings,
    declared_settings,
    describe,
    listing,
    reference,
    schema,
)


def test_the_reference_in_docs_is_the_schemas(root: Path) -> None:
    assert (root / "docs" / "settings.md").read_text() == reference() + "\n"


def test_every_section_starts_at_a_setting_and_every_setting_is_described() -> None:
    assert set(SECTIONS.values()) <= set(Settings.__struct_fields__)
    assert all(len(describe(key)) > 10 for key in Settings.__struct_fields__)


def test_lists_come_apart() -> None:
    given = Settings(WHISPER_TEMPERATURE="0.0,0.4", TARGET_LANGUAGES="en,ta")
    assert given.temperatures == (0.0, 0.4)
    assert given.targets == ("en", "ta")
    assert Settings().targets == ()


def test_a_translator_is_not_whispers_own_translation() -> None:
    by_indictrans2 = Settings(WORKFLOW="translate", TRANSLATION_ENGINE="indictrans2")
    assert (by_indictrans2.translator, by_indictrans2.has_translator) == ("indictrans2", True)
    assert not Settings(WORKFLOW="translate").has_translator
    assert not Settings(TRANSLATION_ENGINE="indictrans2").has_translator


def test_a_stage_sees_the_settings_that_it_declares_and_no_others() -> None:
    seen = declared_settings("asr", {"BATCH_SIZE": 4, "WHISPER_TEMPERATURE": "0.0,0.4"})
    assert (seen.BATCH_SIZE, seen.temperatures) == (4, (0.0, 0.4))
    with pytest.raises(LookupError, match="stage asr does not declare that it uses TITLE"):
        _ = seen.TITLE
    with pytest.raises(LookupError, match="stage asr does not declare that it uses TARGET_LANGUAGES"):
        _ = seen.targets


def test_declared_settings_go_to_another_process() -> None:
    seen = pickle.loads(pickle.dumps(declared_settings("asr", {"BATCH_SIZE": 4})))
    assert seen.BATCH_SIZE == 4


class Louder(msgspec.Struct):
    LOUDNESS: Annotated[int, Meta(description="How loud.")] = 3


class Untold(msgspec.Struct):
    LOUDNESS: int = 3


class Without(msgspec.Struct):
    LOUDNESS: Annotated[int, Meta(description="How loud.")]


class AsJobsHave(msgspec.Struct):
    TITLE: Annotated[str, Meta(description="Another title.")] = ""


@pytest.mark.parametrize(
    ("structs", "message"),
    [
        (
            {"shout": AsJobsHave},
            "Stage shout declares the setting TITLE, which every job has already; give it another name",
        ),
        (
            {"shout": Louder, "cry": Louder},
            "Stage cry declares the setting LOUDNESS, which stage shout has already; give it another name",
        ),
        ({"shout": Untold}, "Stage shout declares LOUDNESS without default or description; write LOUDNESS: Annotated"),
        ({"shout": Without}, "Stage shout declares LOUDNESS without default or description; write LOUDNESS: Annotated"),
    ],
)
def test_settings_of_stages_have_names_of_their_own_a_default_and_a_description(
    structs: dict[str, type[msgspec.Struct]], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "_own_settings", lambda: structs)
    with pytest.raises(UsageError, match=message):
        schema.__wrapped__()


def test_a_terminal_is_told_every_setting_with_its_default() -> None:
    told = listing()
    assert told.startswith("--- Job ---\nWORKFLOW=transcribe\n    Which list of stages runs;")
    assert "\n\n--- Subtitles ---\nSUBTITLE_PROFILE=netflix\n    Rules that cues are built by;" in told
    assert all(f"\n{key}=" in told for key in schema().__struct_fields__)
