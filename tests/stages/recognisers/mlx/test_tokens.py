from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("mlx_whisper", reason="MLX is not installed: ./install-mlx.sh")

from mlx_whisper.decoding import DecodingOptions, DecodingTask

from sutradhar.stages.recognisers.mlx import tokens
from tests.stages.recognisers.mlx.tiny import multilingual


def model(size: int) -> Any:
    return SimpleNamespace(dims=SimpleNamespace(n_vocab=size))


ENGLISH, BASE, LARGE = model(51_864), model(51_865), model(51_866)


def test_a_model_knows_the_languages_of_its_vocabulary() -> None:
    assert tokens.languages(ENGLISH) == ["en"]
    assert tokens.language_tokens(ENGLISH) == {}
    assert (len(tokens.languages(BASE)), "yue" in tokens.languages(BASE)) == (99, False)
    assert (len(tokens.languages(LARGE)), "yue" in tokens.languages(LARGE)) == (100, True)
    for name in (BASE, LARGE):
        assert list(tokens.language_tokens(name).values()) == list(range(50_259, 50_259 + tokens.language_count(name)))
    with pytest.raises(ValueError, match="no such language: yue"):
        tokens.make_tokenizer(BASE, "transcribe", "yue")


@pytest.mark.parametrize(("network", "first_special"), [(ENGLISH, 50_256), (BASE, 50_257), (LARGE, 50_257)])
def test_special_tokens_are_where_the_model_has_them(network: Any, first_special: int) -> None:
    vocabulary = tokens.vocabulary_of(network)
    assert (vocabulary.eot, vocabulary.sot) == (first_special, first_special + 1)
    assert vocabulary.timestamp_begin == vocabulary.no_timestamps + 1
    assert vocabulary.size == vocabulary.timestamp_begin + 1501  # 0.00 to 30.00 s
    assert vocabulary.blank == (220, vocabulary.eot)
    assert vocabulary.no_speech in vocabulary.suppressed
    assert vocabulary.eot not in vocabulary.suppressed


def test_the_start_of_text_names_language_and_task() -> None:
    assert tokens.make_tokenizer(BASE, "transcribe", "hi").sot_sequence == (50_258, 50_276, 50_359)
    assert tokens.make_tokenizer(BASE, "translate", "hi").sot_sequence == (50_258, 50_276, 50_358)
    assert tokens.make_tokenizer(ENGLISH, "transcribe", "en").sot_sequence == (50_257,)


def test_what_is_suppressed_is_what_mlx_whisper_suppresses() -> None:
    task = DecodingTask(multilingual()[0], DecodingOptions())
    assert tokens.vocabulary_of(BASE).suppressed == task._get_suppress_tokens()


def test_text_that_looks_like_a_special_token_is_text() -> None:
    tokenizer = tokens.make_tokenizer(BASE, "transcribe", "en")
    written = tokenizer.encode(" <|endoftext|>")
    assert max(written) < tokenizer.eot
    assert tokenizer.decode(written) == " <|endoftext|>"
