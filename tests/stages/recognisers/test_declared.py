from __future__ import annotations

import pytest

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.jobs.stage import EngineNeed
from sutradhar.stages.recognisers import declared


def test_a_language_that_whisper_does_not_know_is_refused_before_the_run() -> None:
    with pytest.raises(UsageError, match="Whisper does not know"):
        declared.check(Settings(SOURCE_LANGUAGE="brx"))


def test_needs_a_machine_that_can_run_its_recogniser_on_its_device() -> None:
    assert declared.engines_of(Settings(WHISPER_BACKEND="mlx", WHISPERX_DEVICE="mps")) == (EngineNeed("mlx", "mps"),)
    assert declared.engines_of(Settings(WHISPER_BACKEND="whisperx", WHISPERX_DEVICE="mps")) == ()  # runs on the CPU then, and says so


def test_needs_the_model_of_the_settings() -> None:
    (need,) = declared.models_of(Settings(WHISPER_MODEL="large-v3"))
    assert (need.name, need.form) == ("large-v3", "ct2")
