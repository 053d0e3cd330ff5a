"""From encoder output to recognitions: what Whisper is, whatever computes it.

Texts with further temperatures for windows that fail, skipped speech, word times, a translation. All that an engine brings is a `Model`.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from pipeline.settings import Settings
from stages.asr.fallback import Attempt, Thresholds
from stages.asr.omissions import cut_out, fill, find_gaps, join
from stages.asr.phrases import split_phrases
from stages.asr.recogniser import AudioWindow, Phrase, Recognition
from stages.asr.timestamps import timestamped_phrases
from stages.asr.words import Timing, from_alignment, spread, time_words
from stages.transcript import Span

if TYPE_CHECKING:
    import numpy as np
    from faster_whisper.tokenizer import Tokenizer
    from numpy.typing import NDArray

MAX_LENGTH = 448  # tokens of prompt and text together

Encoded = Any  # encoder output of some windows, in whatever form the model has it
Text = tuple[Attempt, list[Timing]]


@dataclass(frozen=True)
class Decoded:
    tokens: list[int]
    avg_logprob: float
    no_speech_prob: float


@dataclass(frozen=True)
class Alignment:
    pairs: Sequence[tuple[int, int]]  # token and the frame of 20 ms in which it begins; none where the window is too short
    probabilities: Sequence[float]  # of each token


class Model(Protocol):
    """Whisper's network in memory. To bring it to another library, implement this."""

    def tokenizer(self, task: str, language: str) -> Tokenizer: ...

    def encode(self, windows: Sequence[NDArray[np.float32]]) -> Encoded:
        """Windows of up to 480,000 samples, filled up with silence."""

    def rows(self, encoded: Encoded, rows: Sequence[int]) -> Encoded: ...

    def languages(self, encoded: Encoded) -> list[dict[str, float]]:
        """For each window, the probability of each language."""

    def generate(self, encoded: Encoded, prompt: Sequence[int], temperature: float, settings: Settings) -> list[Decoded]:
        """The best text of each window: of a beam search at temperature 0, else of `BEST_OF` samples."""

    def align(self, encoded: Encoded, tokenizer: Tokenizer, texts: Sequence[Sequence[int]], samples: Sequence[int]) -> list[Alignment]: ...

    def freshly_seeded(self) -> Model:
        """The same model with random numbers that begin anew."""


class Decoder:
    """For several threads at once."""

    def __init__(self, model: Model, settings: Settings, *, translate: bool) -> None:
        self._whisper, self._settings, self._translate = model, settings, translate
        self._thresholds = Thresholds.of(settings)
        self._sampling = threading.Lock()
        self._tokenizer = lru_cache(model.tokenizer)

    def recognise(self, group: Sequence[AudioWindow], encoded: Encoded) -> list[Recognition]:
        """Windows of one language and prompt go together: the engine wants one start sequence for all."""
        if all(window.language for window in group):
            heard = [(str(window.language), 1.0) for window in group]
        else:
            likeliest = [max(languages.items(), key=lambda item: item[1]) for languages in self._whisper.languages(encoded)]
            heard = [(window.language, 1.0) if window.language else best for window, best in zip(group, likeliest, strict=True)]
        alike: dict[tuple[str, str], list[int]] = {}
        for row, window in enumerate(group):
            alike.setdefault((heard[row][0], window.prompt), []).append(row)
        recognised: dict[int, Recognition] = {}
        for (language, prompt), rows in alike.items():
            windows = [group[row] for row in rows]
            texts = self._recognise_alike(windows, self._whisper.rows(encoded, rows), language, prompt)
            recognised.update((row, replace(text, language_probability=heard[row][1])) for row, text in zip(rows, texts, strict=True))
        return [recognised[row] for row in range(len(group))]

    def _recognise_alike(self, windows: Sequence[AudioWindow], encoded: Encoded, language: str, prompt: str) -> list[Recognition]:
        tokenizer = self._tokenizer("transcribe", language)
        texts = self._transcribe(windows, encoded, tokenizer, prompt, self._settings.temperatures)
        texts = self._look_again(windows, texts, tokenizer, prompt)
        recognitions = [
            _recognition(window, attempt, split_phrases(time_words(timings, window.offset_ms, window.end_ms, window.speech)), language)
            for window, (attempt, timings) in zip(windows, texts, strict=True)
        ]
        if not self._translate or language == "en":
            return recognitions
        translations = self._translate_alike(windows, encoded, language, prompt)
        return [replace(recognition, translation=translation) for recognition, translation in zip(recognitions, translations, strict=True)]

    def _translate_alike(self, windows: Sequence[AudioWindow], encoded: Encoded, language: str, prompt: str) -> list[Recognition]:
        """English phrases with Whisper's own times: cross-attention follows the words of a translation badly."""
        tokenizer = self._tokenizer("translate", language)
        start = [*self._previous(tokenizer, prompt), *tokenizer.sot_sequence]
        attempts = self._decode(encoded, start, tokenizer, self._settings.temperatures)
        phrases = [
            timestamped_phrases(attempt.tokens, tokenizer.timestamp_begin, tokenizer.decode, window, math.exp(attempt.avg_logprob))
            for window, attempt in zip(windows, attempts, strict=True)
        ]
        return [_recognition(*parts, "en") for parts in zip(windows, attempts, phrases, strict=True)]

    def _transcribe(
        self, windows: Sequence[AudioWindow], encoded: Encoded, tokenizer: Tokenizer, prompt: str, temperatures: Sequence[float]
    ) -> list[Text]:
        start = [*self._previous(tokenizer, prompt), *tokenizer.sot_sequence, tokenizer.no_timestamps]
        attempts = self._decode(encoded, start, tokenizer, temperatures)
        return list(zip(attempts, self._time(windows, encoded, tokenizer, attempts), strict=True))

    def _look_again(self, windows: Sequence[AudioWindow], texts: list[Text], tokenizer: Tokenizer, prompt: str) -> list[Text]:
        """Decode speech that was skipped by itself, and fill it in where that gives a text to be believed."""
        gaps = [
            (row, gap)
            for row, (window, (attempt, timings)) in enumerate(zip(windows, texts, strict=True))
            if timings and self._thresholds.accept(attempt)
            for gap in find_gaps(timings, window)
        ]
        gaps.reverse()  # the last of a window first, so that the places of the others stay right
        for begin in range(0, len(gaps), len(windows)):
            some = gaps[begin : begin + len(windows)]
            parts = [cut_out(windows[row], gap) for row, gap in some]
            encoded = self._whisper.encode([part.audio for part in parts])
            found = self._transcribe(parts, encoded, tokenizer, prompt, self._settings.temperatures[:1])
            for (row, gap), part, (again, words) in zip(some, parts, found, strict=True):
                attempt, timings = texts[row]
                if len(words) > gap.end - gap.first and self._thresholds.trust(again):
                    texts[row] = join(attempt, again), fill(timings, gap, words, part.offset_ms - windows[row].offset_ms)
        return texts

    # --- Text

    def _previous(self, tokenizer: Tokenizer, prompt: str) -> list[int]:
        tokens = tokenizer.encode(" " + prompt.strip()) if prompt.strip() else []
        return [tokenizer.sot_prev, *tokens[-(MAX_LENGTH // 2 - 1) :]] if tokens else []

    def _decode(self, encoded: Encoded, start: Sequence[int], tokenizer: Tokenizer, temperatures: Sequence[float]) -> list[Attempt]:
        """All windows at once at the first temperature, then those that fail one by one; silent ones end without text."""
        first, *further = temperatures
        if first > 0:
            attempts = [self._sample(encoded, row, start, tokenizer, (first, *further), []) for row in range(encoded.shape[0])]
        else:
            decoded = self._whisper.generate(encoded, start, first, self._settings)
            attempts = [_attempt(text, first, tokenizer) for text in decoded]
            for row, attempt in enumerate(attempts):
                if further and not self._thresholds.accept(attempt):
                    attempts[row] = self._sample(encoded, row, start, tokenizer, further, [attempt])
        return [replace(attempt, tokens=(), text="") if self._thresholds.silent(attempt) else attempt for attempt in attempts]

    def _sample(
        self, encoded: Encoded, row: int, start: Sequence[int], tokenizer: Tokenizer, temperatures: Sequence[float], attempts: list[Attempt]
    ) -> Attempt:
        """Try further temperatures for one window. It is alone with a fresh generator, so that its text depends on nothing else."""
        with self._sampling:
            whisper = self._whisper.freshly_seeded()
            window = whisper.rows(encoded, [row])
            for temperature in temperatures:
                decoded = whisper.generate(window, start, temperature, self._settings)[0]
                attempts.append(_attempt(decoded, temperature, tokenizer))
                if self._thresholds.accept(attempts[-1]):
                    break
        return self._thresholds.best(attempts)

    # --- Times

    def _time(self, windows: Sequence[AudioWindow], encoded: Encoded, tokenizer: Tokenizer, attempts: Sequence[Attempt]) -> list[list[Timing]]:
        texts = [attempt.tokens for attempt in attempts]
        aligned = self._whisper.align(encoded, tokenizer, texts, [len(window.audio) for window in windows])
        timings = []
        for window, attempt, alignment in zip(windows, attempts, aligned, strict=True):
            if alignment.pairs:
                words, tokens = tokenizer.split_to_word_tokens([*attempt.tokens, tokenizer.eot])
                timings.append(from_alignment(words, tokens, alignment.pairs, alignment.probabilities))
            else:  # shorter than one step of the encoder
                whole = Span(0, window.end_ms - window.offset_ms)
                timings.append([Timing(*msgspec.structs.astuple(word)) for word in spread(attempt.text, (whole,), math.exp(attempt.avg_logprob))])
        return timings


def _attempt(decoded: Decoded, temperature: float, tokenizer: Tokenizer) -> Attempt:
    text = tokenizer.decode(decoded.tokens).strip()
    return Attempt(tuple(decoded.tokens), text, decoded.avg_logprob, decoded.no_speech_prob, temperature)


def _recognition(window: AudioWindow, attempt: Attempt, phrases: tuple[Phrase, ...], language: str) -> Recognition:
    return Recognition(
        window=window.id,
        text="".join(word.text for phrase in phrases for word in phrase).strip(),
        tokens=attempt.tokens,
        avg_logprob=attempt.avg_logprob,
        no_speech_prob=attempt.no_speech_prob,
        compression_ratio=attempt.compression_ratio,
        temperature=attempt.temperature,
        language=language,
        language_probability=1.0,
        phrases=phrases,
    )
