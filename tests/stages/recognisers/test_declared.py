from __future__ import annotations

from dataclasses import replace

import pytest

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.jobs.stage import EngineNeed
from sutradhar.pipeline.machine import engines
from sutradhar.stages.recognisers import declared
from sutradhar.stages.recognisers.opening import without_effect


def test_a_language_that_whisper_does_not_know_is_refused_before_the_run() -> None:
    with pytest.raises(UsageError, match="Whisper does not know"):
        declared.check(Settings(SOURCE_LANGUAGE="brx"))


def test_needs_a_machine_that_can_run_its_recogniser_on_its_device() -> None:
    assert declared.engines_of(Settings(WHISPER_BACKEND="mlx", WHISPERX_DEVICE="mps")) == (EngineNeed("mlx", "mps"),)
    assert (
        declared.engines_of(Settings(WHISPER_BACKEND="whisperx", WHISPERX_DEVICE="mps")) == ()
    )  # runs on the CPU then, and says so


def test_needs_the_model_of_the_settings() -> None:
    (need,) = declared.models_of(Settings(WHISPER_MODEL="large-v3"))
    assert (need.name, need.form) == ("large-v3", "ct2")


def test_options_that_an_engine_does_not_have_are_named_where_they_are_set() -> None:
    deaf = replace(engines.engine_of("whisperx"), options=("WHISPER_BEAM_SIZE",))
    set_so = Settings(WHISPER_BEAM_SIZE=1, WHISPER_PATIENCE=2.0, WHISPER_INITIAL_PROMPT="secret")
    assert without_effect(deaf, set_so) == [
        "WHISPER_PATIENCE and WHISPER_INITIAL_PROMPT without effect: WhisperX has no such option"
    ]
    assert without_effect(deaf, Settings(WHISPER_BEAM_SIZE=1)) == []
    assert without_effect(engines.engine_of("whisperx"), set_so) == []
