from __future__ import annotations

import pytest

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.machine import engines


def test_number_formats_that_a_recogniser_has_not_are_refused_with_those_to_set() -> None:
    engines.check("mlx", "float16")
    engines.check("whisperx", "int8")
    with pytest.raises(
        UsageError,
        match=r"^WHISPER_COMPUTE_TYPE=int8 does not go with WHISPER_BACKEND=mlx; set float16, or float32 on a CPU; for 8-bit",
    ):
        engines.check("mlx", "int8")
    with pytest.raises(
        UsageError, match="WHISPER_BACKEND=kaldi: this version has no such recogniser; choose from whisperx, mlx"
    ):
        engines.check("kaldi", "int8")


def test_the_number_formats_of_mlx_are_those_that_its_network_loads() -> None:
    pytest.importorskip("mlx_whisper", reason="MLX is not installed: ./install-mlx.sh")
    from sutradhar.stages.recognisers.mlx.network import DTYPES

    assert engines.ENGINES["mlx"].compute_types == tuple(DTYPES)


def test_a_language_that_the_models_do_not_know_is_refused_in_the_name_of_their_family() -> None:
    assert engines.language_of("whisperx", "Hindi") == "hi"
    with pytest.raises(
        UsageError,
        match=r"^Whisper does not know Odia \(or\); use auto, or the language closest to it that is on Whisper's list$",
    ):
        engines.language_of("mlx", "Odia")
