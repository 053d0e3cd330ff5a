"""The tokens that may come next, on the device: the logit filters of OpenAI's Whisper (decoding.py: SuppressBlank,
SuppressTokens, ApplyTimestampRules). Shapes: B rows, L beams, V tokens of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import mlx.core as mx
import numpy as np

MAX_INITIAL_TIMESTAMP = 50  # frames of 20 ms: the first segment begins within a second


@dataclass(frozen=True)
class Vocabulary:
    """Numbers of the tokens that mean something to the decoder."""

    size: int
    eot: int
    sot: int
    no_speech: int
    no_timestamps: int
    timestamp_begin: int
    suppressed: tuple[int, ...]  # never chosen
    blank: tuple[int, ...]  # never chosen first


class Timestamps(NamedTuple):
    """The facts that the rules need of each text so far; all (B, L)."""

    last: mx.array  # true where the last token is a timestamp, or there is none
    before_last: mx.array  # the same of the one before it
    latest: mx.array  # the latest timestamp token, 0 for none

    @classmethod
    def none(cls, rows: int, beams: int) -> Timestamps:
        yes = mx.ones((rows, beams), dtype=mx.bool_)
        return cls(yes, yes, mx.zeros((rows, beams), dtype=mx.int32))

    def after(self, tokens: mx.array, vocabulary: Vocabulary) -> Timestamps:
        is_timestamp = tokens >= vocabulary.timestamp_begin
        return Timestamps(is_timestamp, self.last, mx.where(is_timestamp, tokens, self.latest))


class LogitFilters:
    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._suppressed = _forbidden(vocabulary.suppressed, vocabulary.size)
        self._blank = _forbidden(vocabulary.blank, vocabulary.size)
        self._tokens = mx.arange(vocabulary.size)

    def suppress(self, logits: mx.array) -> mx.array:
        return logits + self._suppressed

    def suppress_blank(self, logits: mx.array, first: mx.array) -> mx.array:
        """Suppress blanks at the start; `first` (B,) is true where the row's first token is to be chosen."""
        return mx.where(first[:, None, None], logits + self._blank, logits)

    def time(self, logits: mx.array, first: mx.array, timestamps: Timestamps) -> mx.array:
        """Apply the rules of timestamps: these come in pairs, do not decrease, and win where they are likelier
        together than any text token."""
        vocabulary, token = self._vocabulary, self._tokens
        is_timestamp, is_text = token >= vocabulary.timestamp_begin, token < vocabulary.eot
        begin = first[:, None, None]
        opens = timestamps.last & timestamps.before_last & ~first[:, None]  # a pair is complete: text must come
        closes = timestamps.last & ~timestamps.before_last  # the second of a pair, or the end
        earliest = mx.where(closes, timestamps.latest, timestamps.latest + 1)
        too_early = is_timestamp & (timestamps.latest > 0)[..., None] & (token < earliest[..., None])
        too_late = token > vocabulary.timestamp_begin + MAX_INITIAL_TIMESTAMP
        forbidden = (
            (token == vocabulary.no_timestamps)
            | (opens[..., None] & is_timestamp)
            | (closes[..., None] & is_text)
            | too_early
            | (begin & (~is_timestamp | too_late))
        )
        logits = mx.where(forbidden, -mx.inf, logits)
        times = mx.logsumexp(mx.where(is_timestamp, logits, -mx.inf), axis=-1, keepdims=True)
        texts = mx.max(mx.where(is_timestamp, -mx.inf, logits), axis=-1, keepdims=True)
        return mx.where((times > texts) & ~is_timestamp, -mx.inf, logits)


def _forbidden(tokens: Sequence[int], size: int) -> mx.array:
    mask = np.zeros(size, np.float32)
    mask[list(tokens)] = -np.inf
    return mx.array(mask)
