from __future__ import annotations

from pathlib import Path

from pipeline.settings import SECTIONS, Settings, describe, reference


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
