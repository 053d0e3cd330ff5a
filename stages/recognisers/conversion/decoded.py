"""Decode a fixed input to compare a copy of a model with its original: the encoded sound, and the logits after
some tokens."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sutradhar.pipeline.errors import SutradharError, UsageError

TEXT_TOKENS = 8
FRAMES = 100  # length of the fixed input: a second


@dataclass(frozen=True)
class Decoded:
    """The results of a model for a fixed input: the yardstick for its copy."""

    encoded: NDArray[np.float32]  # (frames // 2, width)
    tokens: list[int]  # the tokens that the decoder was given
    logits: NDArray[np.float32]  # (count, vocabulary), after each of the last `count` of the tokens


def noise(mels: int) -> NDArray[np.float32]:
    """Return a second of sound, the same at every call: (1, mels, frames)."""
    return np.random.default_rng(0).normal(0, 0.5, (1, mels, FRAMES)).astype(np.float32)


def text_tokens(end: int) -> list[int]:
    """Return some tokens from all over the vocabulary before `end`."""
    return [end * number // (TEXT_TOKENS + 1) for number in range(1, TEXT_TOKENS + 1)]


def difference(found: NDArray[np.float32], expected: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return for each row the root mean square of the difference over the standard deviation of the expected
    values."""
    if found.shape != expected.shape:
        return np.array([np.inf], np.float32)
    apart: NDArray[np.float32] = np.sqrt(np.square(found - expected).mean(-1)) / expected.std(-1)
    return apart


def refuse_beyond(allowed: float, what: str, apart: float) -> None:
    """Check a difference. Raises SutradharError."""
    if not apart <= allowed:  # true for NaN too
        raise SutradharError(
            "What was written does not compute what the original does:"
            f" {what} is {apart:.2g} apart, where {allowed:g} is allowed"
        )


def by_ctranslate(folder: Path, mel: NDArray[np.float32]) -> Decoded:
    """Decode with CTranslate2, in float32 on the CPU."""
    import ctranslate2

    vocabulary = _vocabulary(folder)
    try:
        start, end_of_prompt = vocabulary.index("<|startoftranscript|>"), vocabulary.index("<|notimestamps|>")
    except ValueError:
        raise UsageError("its vocabulary is not Whisper's") from None
    text = text_tokens(start)
    model = ctranslate2.models.Whisper(str(folder), device="cpu", compute_type="float32")
    encoded = model.encode(ctranslate2.StorageView.from_array(mel), to_cpu=True)
    (result,) = model.generate(
        encoded,
        [[start, end_of_prompt, *text]],
        beam_size=1,
        max_length=2 * len(text) + 2,
        suppress_blank=False,
        suppress_tokens=[],
        return_logits_vocab=True,
    )
    logits = np.stack([np.array(row, np.float32) for row in result.logits[0][: len(text)]])
    return Decoded(np.array(encoded, np.float32)[0], [start, end_of_prompt, *text[:-1]], logits)


def _vocabulary(folder: Path) -> list[str]:
    if (folder / "vocabulary.json").is_file():
        tokens: list[str] = json.loads((folder / "vocabulary.json").read_bytes())
        return tokens
    if not (folder / "vocabulary.txt").is_file():
        raise UsageError("vocabulary.json or vocabulary.txt is missing")
    return (folder / "vocabulary.txt").read_text("utf-8").split("\n")


def by_transformers(folder: Path, mel: NDArray[np.float32], tokens: list[int] | None = None) -> Decoded:
    """Decode with transformers, in float32 on the CPU, but not with its class for generation, which looks for code
    in the folder and complains of its name."""
    import torch
    from transformers import WhisperModel

    model = WhisperModel.from_pretrained(
        folder, local_files_only=True, use_safetensors=True, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    encoder, positions = model.encoder, mel.shape[2] // 2
    encoder.embed_positions.weight = torch.nn.Parameter(encoder.embed_positions.weight[:positions])
    encoder.embed_positions.num_embeddings = positions
    encoder.config.max_source_positions = positions
    tokens = tokens or text_tokens(model.config.vocab_size)
    with torch.inference_mode():
        encoded = encoder(torch.from_numpy(mel))
        decoded = model.decoder(
            input_ids=torch.tensor([tokens]), encoder_hidden_states=encoded.last_hidden_state
        ).last_hidden_state
        logits = decoded[:, -TEXT_TOKENS:] @ model.decoder.embed_tokens.weight.T
    return Decoded(encoded.last_hidden_state[0].numpy(), tokens, logits[0].numpy())
