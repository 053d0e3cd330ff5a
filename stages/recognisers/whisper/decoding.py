"""The way from a window of sound to a recognition: the parts of Whisper that no engine changes.

Text with further temperatures for windows that fail, skipped speech, word times, a translation. Work for the
network is asked for by requests (see `requests.py`), which an engine answers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import msgspec

from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.stages.recognisers.contract import AudioWindow, LanguageGuess, Phrase, Recognition, WhisperScores
from sutradhar.stages.recognisers.phrases import split_phrases
from sutradhar.stages.recognisers.whisper.belief import is_believed, is_found, stands
from sutradhar.stages.recognisers.whisper.echoes import confirmed, repeats
from sutradhar.stages.recognisers.whisper.fallback import Attempt, Thresholds
from sutradhar.stages.recognisers.whisper.omissions import Gap, cuts, explains, fill, find_gaps, join
from sutradhar.stages.recognisers.whisper.requests import (
    MAX_TEXT,
    Align,
    Alignment,
    Decoded,
    DetectLanguage,
    Encode,
    Encoded,
    Generate,
    Heard,
    LogMel,
    Steps,
    Tokenizer,
)
from sutradhar.stages.recognisers.whisper.timestamps import timestamped_phrases
from sutradhar.stages.recognisers.whisper.words import Timing, from_alignment, spread, time_words
from sutradhar.stages.transcript import Span

ENCODED = 0.6  # share of a window's work that is done after encoding (base, int8, two cores)
TRANSCRIBED = 0.8  # and after the text, where it is translated too


@dataclass(frozen=True)
class TimedText:
    """A text with its times, and the sound whose text stands by its scores alone, or was not believed."""

    attempt: Attempt
    timings: Sequence[Timing]
    doubtful: tuple[Span, ...] = ()
    dropped: tuple[Span, ...] = ()
    again_ms: int = 0  # of sound that was decoded by second looks

    def filled(self, gap: Gap, found: TimedText, delay_ms: int) -> TimedText:
        """Return the text with another, of a gap, in its place."""
        looked = replace(self, dropped=found.dropped + self.dropped, again_ms=self.again_ms + found.again_ms)
        if not found.timings:
            return looked
        timings = fill(self.timings, gap, found.timings, delay_ms)
        attempt, doubtful = join(self.attempt, found.attempt), found.doubtful + self.doubtful
        return replace(looked, attempt=attempt, timings=timings, doubtful=doubtful)


class Decoder:
    """A decoder without state: its generators may run at the same time, in several threads."""

    def __init__(
        self, tokenizer: Callable[[str, str], Tokenizer], settings: Settings, *, translate: bool, times: bool = True
    ) -> None:
        """Take a `tokenizer`, which makes one for a task and a language. Without `times` words are spread over the
        speech, and skipped speech is not noticed."""
        self._settings, self._translate, self._times = settings, translate, times
        self._thresholds = Thresholds.of(settings)
        self._tokenizer = lru_cache(tokenizer)

    def hear(self, window: AudioWindow) -> Steps[LanguageGuess]:
        encoded = yield from _encoded(window)
        return LanguageGuess((yield DetectLanguage(encoded)), Heard(encoded))

    def recognise(self, window: AudioWindow) -> Steps[Recognition]:
        encoded = yield from _encoded(window)
        window.tell(ENCODED)
        language, probability = window.language, 1.0
        if language is None:
            heard = yield DetectLanguage(encoded)
            language, probability = max(heard.items(), key=lambda item: item[1])
        tokenizer = self._tokenizer("transcribe", language)
        judge = (
            partial(stands, accepted=self._thresholds.logprob)
            if window.sure
            else partial(is_believed, language=language)
        )
        text = yield from self._transcribe(window, encoded, tokenizer, judge)
        if window.sure:
            text = yield from self._look_again(window, text, tokenizer, partial(is_found, language=language))
        words = time_words(text.timings, window.offset_ms, window.end_ms, window.speech)
        recognition = _recognition(window, text, split_phrases(words, language), language, probability)
        if not (self._translate and window.translated) or language == "en":
            return recognition
        if not words:
            return replace(recognition, translation=replace(recognition, language="en", language_probability=1.0))
        window.tell(TRANSCRIBED)
        return replace(recognition, translation=(yield from self._translated(window, encoded, language)))

    def _translated(self, window: AudioWindow, encoded: Encoded, language: str) -> Steps[Recognition]:
        """Return English phrases with Whisper's own times: cross-attention follows the words of a translation
        badly."""
        tokenizer = self._tokenizer("translate", language)
        attempt = yield from self._hear_text(window, encoded, tuple(tokenizer.sot_sequence), tokenizer)
        probability = math.exp(attempt.avg_logprob)
        phrases = timestamped_phrases(
            attempt.tokens,
            tokenizer.timestamp_begin,
            lambda tokens: tokenizer.decode(list(tokens)),
            window,
            probability,
        )
        return _recognition(window, TimedText(attempt, ()), phrases, "en", 1.0)

    def _transcribe(
        self, window: AudioWindow, encoded: Encoded, tokenizer: Tokenizer, judge: Callable[[Attempt], bool]
    ) -> Steps[TimedText]:
        """Return the text with its times; none where it does not stand before the `judge`."""
        start = (*tokenizer.sot_sequence, tokenizer.no_timestamps)
        attempt = yield from self._hear_text(window, encoded, start, tokenizer)
        whole = (Span(window.offset_ms, window.end_ms),)
        if not attempt.text:
            return TimedText(attempt, ())
        if not judge(attempt):
            return TimedText(replace(attempt, tokens=(), text=""), (), dropped=whole)
        doubtful = () if window.sure else whole
        if not self._times:
            return TimedText(attempt, _spread(window, attempt, window.speech), doubtful)
        alignment = yield Align(encoded, tokenizer, attempt.tokens, len(window.audio))
        return TimedText(attempt, _timings(window, attempt, alignment, tokenizer), doubtful)

    def _look_again(
        self, window: AudioWindow, text: TimedText, tokenizer: Tokenizer, judge: Callable[[Attempt], bool]
    ) -> Steps[TimedText]:
        """Decode likely speech without words by itself, in two ways at most, and fill it in where that gives a text
        to be believed. A text that just stands stays as it is; where there is none, all is looked at."""
        if not self._times or (text.timings and not self._thresholds.accept(text.attempt)):
            return text
        # The last first, so that the places of the others stay right.
        for gap in reversed(find_gaps(text.timings, window)):
            found, delay_ms = yield from self._look_at(window, gap, tokenizer, judge)
            text = text.filled(gap, found, delay_ms)
        return text

    def _look_at(
        self, window: AudioWindow, gap: Gap, tokenizer: Tokenizer, judge: Callable[[Attempt], bool]
    ) -> Steps[tuple[TimedText, int]]:
        """Return the longest text of a gap, with the start of its sound in the window."""
        looks: list[tuple[TimedText, int]] = []
        again_ms = 0
        for part, delay_ms in cuts(window, gap):
            encoded = yield Encode(part.audio)
            again_ms += part.end_ms - part.offset_ms
            looks.append(((yield from self._transcribe(part, encoded, tokenizer, judge)), delay_ms))
            if explains(looks[-1][0].timings, gap, delay_ms):
                break
        found, delay_ms = max(looks, key=lambda look: len(look[0].attempt.text))
        return replace(found, again_ms=again_ms), delay_ms

    def _previous(self, tokenizer: Tokenizer, prompt: str) -> list[int]:
        tokens = tokenizer.encode(" " + prompt.strip()) if prompt.strip() else []
        return [tokenizer.sot_prev, *tokens[-(MAX_TEXT - 1) :]] if tokens else []

    def _hear_text(
        self,
        window: AudioWindow,
        encoded: Encoded,
        start: tuple[int, ...],
        tokenizer: Tokenizer,
    ) -> Steps[Attempt]:
        """Return the text with the window's prompt; without it where the prompt comes back as the text, and
        nothing else confirms that. Doubtful sound has one temperature: at higher ones noise becomes words."""
        temperatures = self._settings.temperatures[: None if window.sure else 1]
        attempt = yield from self._decode(
            window, encoded, (*self._previous(tokenizer, window.prompt), *start), tokenizer, temperatures
        )
        echo = repeats(attempt.text, window.prompt)
        if echo is None:
            return attempt
        plain = yield from self._decode(window, encoded, start, tokenizer, temperatures)
        return attempt if confirmed(echo, plain.text) else replace(plain, echoed=True)

    def _decode(
        self,
        window: AudioWindow,
        encoded: Encoded,
        prompt: tuple[int, ...],
        tokenizer: Tokenizer,
        temperatures: Sequence[float],
    ) -> Steps[Attempt]:
        """Try one temperature after another until a text is accepted; a silent window ends without text."""
        attempts: list[Attempt] = []
        for temperature in temperatures:
            decoded = yield Generate(encoded, prompt, temperature)
            attempts.append(_attempt(window, decoded, temperature, tokenizer))
            if self._thresholds.accept(attempts[-1]):
                break
        best = self._thresholds.best(attempts)
        return replace(best, tokens=(), text="") if self._thresholds.silent(best) else best


def _encoded(window: AudioWindow) -> Steps[Encoded]:
    prepared = window.prepared
    if isinstance(prepared, Heard):
        return prepared.encoded
    return (yield Encode(window.audio, prepared.mel if isinstance(prepared, LogMel) else None))


def _attempt(window: AudioWindow, decoded: Decoded, temperature: float, tokenizer: Tokenizer) -> Attempt:
    text = tokenizer.decode(decoded.tokens).strip()
    return Attempt(
        tuple(decoded.tokens),
        text,
        decoded.avg_logprob,
        decoded.no_speech_prob,
        temperature,
        len(window.audio) / 16_000,
    )


def _timings(window: AudioWindow, attempt: Attempt, alignment: Alignment, tokenizer: Tokenizer) -> list[Timing]:
    if alignment.pairs:
        words, tokens = tokenizer.split_to_word_tokens([*attempt.tokens, tokenizer.eot])
        return from_alignment(words, tokens, alignment.pairs, alignment.probabilities)
    return _spread(window, attempt, (Span(window.offset_ms, window.end_ms),))  # shorter than one step of the encoder


def _spread(window: AudioWindow, attempt: Attempt, speech: Sequence[Span]) -> list[Timing]:
    spans = [Span(span.start_ms - window.offset_ms, span.end_ms - window.offset_ms) for span in speech]
    return [
        Timing(*msgspec.structs.astuple(word)) for word in spread(attempt.text, spans, math.exp(attempt.avg_logprob))
    ]


def _recognition(
    window: AudioWindow, text: TimedText, phrases: tuple[Phrase, ...], language: str, probability: float
) -> Recognition:
    attempt = text.attempt
    return Recognition(
        window=window.id,
        text="".join(word.text for phrase in phrases for word in phrase).strip(),
        language=language,
        language_probability=probability,
        phrases=phrases,
        confidence=attempt.probability,
        echoed=attempt.echoed,
        doubtful=text.doubtful,
        dropped=text.dropped,
        again_ms=text.again_ms,
        whisper=WhisperScores(
            attempt.tokens, attempt.avg_logprob, attempt.no_speech_prob, attempt.compression_ratio, attempt.temperature
        ),
    )
