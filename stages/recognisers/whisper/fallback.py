"""The acceptance of a decoded text, and the choice among several attempts: the rules of OpenAI's Whisper.

(`decode_with_fallback` in openai/whisper transcribe.py; the choice when all attempts fail is faster-whisper's
rule.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.stages.text.compression import compression_ratio

FASTEST = 40  # characters a second: twice what the fastest clips of ten speech sets reach (21; one of 0.4 s, 42)


@dataclass(frozen=True)
class Attempt:
    """One decoding of a window."""

    tokens: tuple[int, ...]
    text: str
    avg_logprob: float
    no_speech_prob: float
    temperature: float
    seconds: float  # of the sound
    echoed: bool = False  # with the prompt, the text was the prompt; this is without it

    @property
    def probability(self) -> float:
        """Return the geometric mean of the probabilities of its tokens."""
        return math.exp(min(self.avg_logprob, 0.0))

    @property
    def compression_ratio(self) -> float:
        return compression_ratio(self.text)


@dataclass(frozen=True)
class Thresholds:
    logprob: float
    compression_ratio: float
    no_speech: float

    @classmethod
    def of(cls, settings: Settings) -> Thresholds:
        return cls(
            settings.WHISPER_LOGPROB_THRESHOLD,
            settings.WHISPER_COMPRESSION_RATIO_THRESHOLD,
            settings.WHISPER_NO_SPEECH_THRESHOLD,
        )

    def silent(self, attempt: Attempt) -> bool:
        return attempt.avg_logprob < self.logprob and attempt.no_speech_prob > self.no_speech

    def accept(self, attempt: Attempt) -> bool:
        """Tell whether no other temperature need be tried."""
        return self.silent(attempt) or (
            attempt.avg_logprob >= self.logprob and not self.loops(attempt)
        )  # NaN is no log-prob

    def loops(self, attempt: Attempt) -> bool:
        """Tell whether a text repeats itself: it compresses well or, with little sound, is longer than could be
        said in the time.

        The ratio alone misses loops that vary, which sampling makes of the shortest windows: 224 tokens for one
        second."""
        return attempt.compression_ratio > self.compression_ratio or len(attempt.text) > FASTEST * attempt.seconds

    def trust(self, attempt: Attempt) -> bool:
        """Tell whether a text is good enough to be added to another."""
        return self.accept(attempt) and attempt.no_speech_prob <= self.no_speech

    def best(self, attempts: Sequence[Attempt]) -> Attempt:
        """Return the accepted attempt, which is the last if there is one, else the likeliest, of those that do not
        repeat themselves if there are any."""
        if self.accept(attempts[-1]):
            return attempts[-1]
        varied = [attempt for attempt in attempts if not self.loops(attempt)]
        return max(varied or attempts, key=lambda attempt: attempt.avg_logprob)
