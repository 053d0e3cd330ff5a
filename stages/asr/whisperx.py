"""WhisperX's recogniser, one layer below its wrapper.

WhisperX decodes with faster-whisper's model on CTranslate2. Its own wrapper (whisperx/asr.py) drops tokens and no-speech
probabilities, knows one temperature only, and takes 8 s and 1.1 GB to import (PyTorch, transformers, pyannote). So this
calls the same engine with the same options: whole windows, a prompt without timestamps, the same search. On the same
windows the text is WhisperX's, and the first is decoded within a second. What comes on top, all from one encoder pass:
further temperatures for windows that fail, the language, word times, and a translation.
"""

from __future__ import annotations

import logging
import math
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache
from itertools import islice

import ctranslate2
import msgspec
from faster_whisper.tokenizer import Tokenizer

from pipeline.errors import SutradharError, UsageError
from pipeline.models import ResolvedModel
from pipeline.settings import Settings
from stages.asr.ctranslate import MAX_LENGTH, Decoded, Encoded, Whisper, usable_cores
from stages.asr.cuda import is_out_of_memory, preload_libraries
from stages.asr.fallback import Attempt, Thresholds
from stages.asr.omissions import cut_out, fill, find_gaps, join
from stages.asr.phrases import split_phrases
from stages.asr.recogniser import AudioWindow, Phrase, Recognition
from stages.asr.timestamps import timestamped_phrases
from stages.asr.words import Timing, from_alignment, spread, time_words
from stages.transcript import Span

MPS_WARNINGS = ("MPS device detected but MLX backend not configured", "Falling back to CPU (slower performance)")


def open_engine(settings: Settings, model: ResolvedModel, translate: bool, log: logging.Logger) -> WhisperX:
    """Raises UsageError where the device, its number formats or the model will not do."""
    device, degraded = settings.WHISPERX_DEVICE, []
    if device == "mps":
        for warning in MPS_WARNINGS:
            log.warning(warning)
        device, degraded = "cpu", ["Recognition ran on the CPU: WhisperX cannot use MPS; set WHISPER_BACKEND=mlx"]
    if device == "cuda":
        preload_libraries()
        if not ctranslate2.get_cuda_device_count():
            raise UsageError("WHISPERX_DEVICE=cuda, but no NVIDIA GPU can be used here: look at nvidia-smi, or set WHISPERX_DEVICE=cpu")
    compute_type, supported = settings.WHISPER_COMPUTE_TYPE, ctranslate2.get_supported_compute_types(device)
    if compute_type not in supported:
        raise UsageError(f"WHISPER_COMPUTE_TYPE={compute_type} does not go with {device} here; {', '.join(sorted(supported))} do")
    cores = usable_cores()
    workers = min(cores, settings.BATCH_SIZE) if device == "cpu" else 1
    whisper = Whisper(model.path, device, compute_type, workers, max(1, cores // workers))
    if settings.SOURCE_LANGUAGE != "auto" and not whisper.knows(settings.SOURCE_LANGUAGE):
        raise UsageError(f"WHISPER_MODEL={model.name} does not know SOURCE_LANGUAGE={settings.SOURCE_LANGUAGE}; large-v3 knows most")
    if translate and (whisper.cut_decoder or not whisper.multilingual):
        raise UsageError(f"WHISPER_MODEL={model.name} was not trained to translate: use large-v3, medium, small or base, or the workflow transcribe")
    return WhisperX(whisper, model, settings, translate, log, degraded)


Text = tuple[Attempt, list[Timing]]


class WhisperX:
    """Implements `recogniser.Recogniser`. Results come in the order of the windows."""

    packages = ("faster-whisper", "ctranslate2")

    def __init__(self, whisper: Whisper, model: ResolvedModel, settings: Settings, translate: bool, log: logging.Logger, degraded: list[str]) -> None:
        self.degraded = degraded
        self.engine = {
            "backend": "whisperx",
            "device": whisper.device,
            "model": model.name,
            "model_revision": model.revision,
            "compute_type": whisper.compute_type,
            "threads": f"{whisper.workers}x{whisper.threads}",
        }
        self._whisper, self._settings, self._translate, self._log = whisper, settings, translate, log
        self._thresholds = Thresholds.of(settings)
        self._group_limit = settings.BATCH_SIZE
        self._sampling = threading.Lock()
        self._tokenizer = lru_cache(whisper.tokenizer)
        self._kept: dict[int, Encoded] = {}  # by window: encoder output that is still to be decoded

    # --- Windows in, recognitions out

    def hear_languages(self, windows: Sequence[AudioWindow]) -> list[dict[str, float]]:
        with ThreadPoolExecutor(self._whisper.workers) as pool:
            encoded = list(pool.map(lambda window: self._whisper.encode([window.audio]), windows))
        if self._whisper.device == "cpu":  # a GPU is faster to encode them again, in batches
            self._kept = {window.id: one for window, one in zip(windows, encoded, strict=True)}
        return [self._whisper.languages(one)[0] for one in encoded]

    def recognise(self, windows: Iterable[AudioWindow]) -> Iterator[Recognition]:
        """Keeps every worker busy, and the next group ready while a GPU works."""
        ahead = self._whisper.workers
        pending: deque[Future[list[Recognition]]] = deque()
        pool = ThreadPoolExecutor(ahead + 1 if self._whisper.device == "cuda" else ahead)
        try:
            for group in self._groups(iter(windows)):
                pending.append(pool.submit(self._recognise_group, group))
                if len(pending) > ahead:
                    yield from pending.popleft().result()
            while pending:
                yield from pending.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _groups(self, windows: Iterator[AudioWindow]) -> Iterator[list[AudioWindow]]:
        """Batches of the stream, shared out evenly to the workers."""
        while batch := list(islice(windows, self._settings.BATCH_SIZE)):
            share = math.ceil(len(batch) / self._whisper.workers)
            yield from (batch[begin : begin + share] for begin in range(0, len(batch), share))

    # --- One group

    def _recognise_group(self, group: Sequence[AudioWindow]) -> list[Recognition]:
        """Halves what is decoded at once when a GPU runs out of memory. Raises SutradharError when one window is too much."""
        limit = self._group_limit
        if len(group) > limit:
            return [recognition for begin in range(0, len(group), limit) for recognition in self._recognise_group(group[begin : begin + limit])]
        try:
            return self._recognise_encoded(group, self._encode(group))
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            if len(group) == 1:
                model, compute_type = self.engine["model"], self.engine["compute_type"]
                raise SutradharError(
                    f"Out of GPU memory with {model} in {compute_type}, one window at a time: choose a smaller model or int8_float16"
                ) from None
        self._lower_limit(len(group) // 2)
        return self._recognise_group(group)

    def _lower_limit(self, limit: int) -> None:
        if limit < self._group_limit:
            self._group_limit = limit
            self.degraded.append(f"Out of GPU memory: decoded {limit} windows at once instead of BATCH_SIZE={self._settings.BATCH_SIZE}")
            self._log.warning(self.degraded[-1])

    def _encode(self, group: Sequence[AudioWindow]) -> Encoded:
        kept = [self._kept.pop(window.id, None) for window in group]
        if not any(kept):
            return self._whisper.encode([window.audio for window in group])
        return self._whisper.join([encoded or self._whisper.encode([window.audio]) for encoded, window in zip(kept, group, strict=True)])

    def _recognise_encoded(self, group: Sequence[AudioWindow], encoded: Encoded) -> list[Recognition]:
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
            if alignment.alignments:
                words, tokens = tokenizer.split_to_word_tokens([*attempt.tokens, tokenizer.eot])
                timings.append(from_alignment(words, tokens, alignment.alignments, alignment.text_token_probs))
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
