from __future__ import annotations

import pytest

from sutradhar.stages.alignment.bias import early_ms, family


@pytest.mark.parametrize(
    ("model", "found"),
    [
        ("base", "base"),
        ("models/faster-whisper-tiny.en", "tiny.en"),
        ("openai/whisper-large-v3-turbo", "large-v3-turbo"),
        ("database", "base"),
        ("/home/small/mine", ""),
    ],
)
def test_the_family_is_the_size_in_a_models_name(model: str, found: str) -> None:
    assert family(model) == found


def test_a_family_that_was_not_measured_takes_the_engines_figure_and_an_unknown_engine_none() -> None:
    assert early_ms("whisperx", "base") == 45
    assert early_ms("whisperx", "large-v3") == 45
    assert early_ms("telepathy", "base") == 0
