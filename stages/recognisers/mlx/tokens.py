"""mlx-whisper's tokenizer, and the facts that the decoder needs of it."""

from __future__ import annotations

from typing import Any

from mlx_whisper.tokenizer import LANGUAGES, get_tokenizer
from mlx_whisper.tokenizer import Tokenizer as MlxTokenizer

from sutradhar.stages.recognisers.mlx.network import Network
from sutradhar.stages.recognisers.mlx.rules import Vocabulary


class Tokenizer(MlxTokenizer):  # type: ignore[misc]
    def encode(self, text: str, **options: Any) -> list[int]:
        """Encode text; text that looks like a special token is text."""
        tokens: list[int] = self.encoding.encode(text, disallowed_special=(), **options)
        return tokens


def make_tokenizer(network: Network, task: str, language: str) -> Tokenizer:
    """Make a tokenizer. Raises ValueError for a language that the model does not know."""
    count = language_count(network)
    if language not in languages(network):
        raise ValueError(f"no such language: {language}")
    plain = get_tokenizer(is_multilingual(network), num_languages=count, language=language, task=task)
    return Tokenizer(encoding=plain.encoding, num_languages=count, language=plain.language, task=plain.task)


def is_multilingual(network: Network) -> bool:
    return bool(network.dims.n_vocab >= 51_865)


def language_count(network: Network) -> int:
    """Return 99, and with Cantonese, which came with large-v3, 100."""
    return int(network.dims.n_vocab) - 51_765 - is_multilingual(network)


def languages(network: Network) -> list[str]:
    return list(LANGUAGES)[: language_count(network)] if is_multilingual(network) else ["en"]


def language_tokens(network: Network) -> dict[str, int]:
    if not is_multilingual(network):
        return {}
    tokenizer = make_tokenizer(network, "transcribe", "en")
    return {language: tokenizer.to_language_token(language) for language in languages(network)}


def vocabulary_of(network: Network) -> Vocabulary:
    """Return the vocabulary, which suppresses what OpenAI's Whisper suppresses by default, and CTranslate2 and
    mlx-whisper do."""
    tokenizer = make_tokenizer(network, "transcribe", "en")
    special = (
        tokenizer.transcribe,
        tokenizer.translate,
        tokenizer.sot,
        tokenizer.sot_prev,
        tokenizer.sot_lm,
        tokenizer.no_speech,
    )
    return Vocabulary(
        size=network.dims.n_vocab,
        eot=tokenizer.eot,
        sot=tokenizer.sot,
        no_speech=tokenizer.no_speech,
        no_timestamps=tokenizer.no_timestamps,
        timestamp_begin=tokenizer.timestamp_begin,
        suppressed=tuple(sorted({*tokenizer.non_speech_tokens, *special})),
        blank=(*tokenizer.encode(" "), tokenizer.eot),
    )
