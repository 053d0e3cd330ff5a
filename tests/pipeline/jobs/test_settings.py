from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from sutradhar.pipeline.jobs.settings import SECTIONS, Settings, declared_settings, describe, reference


def test_the_reference_in_docs_is_the_schemas(root: Path) -> None:
    assert (root / "docs" / "settings.md").read_text() == reference() + "\n"


def test_every_section_starts_at_a_setting_and_every_setting_is_described() -> None:
    assert set(SECTIONS.values()) <= set(Settings.__struct_fields__)
    assert all(len(describe(key)) > 10 for key in Settings.__struct_fields__)


def test_lists_come_apart() -> None:
    settings = Settings(WHISPER_TEMPERATURE="0.0,0.4", TARGET_LANGUAGES="en,ta")
    assert settings.temperatures == (0.0, 0.4)
    assert settings.targets == ("en", "ta")
    assert Settings().targets == ()


def test_a_stage_sees_the_settings_that_it_declares_and_no_others() -> None:
    settings = declared_settings("asr", {"BATCH_SIZE": 4, "WHISPER_TEMPERATURE": "0.0,0.4"})
    assert (settings.BATCH_SIZE, settings.temperatures) == (4, (0.0, 0.4))
    with pytest.raises(LookupError, match="stage asr does not declare that it uses TITLE"):
        _ = settings.TITLE
    with pytest.raises(LookupError, match="stage asr does not declare that it uses TARGET_LANGUAGES"):
        _ = settings.targets


def test_declared_settings_go_to_another_process() -> None:
    settings = pickle.loads(pickle.dumps(declared_settings("asr", {"BATCH_SIZE": 4})))
    assert settings.BATCH_SIZE == 4
