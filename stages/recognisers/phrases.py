"""Part the words of a window into sentences and at pauses, and make the segments of a transcript of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from sutradhar.stages.recognisers.contract import Phrase, Recognition
from sutradhar.stages.text.compression import compression_ratio
from sutradhar.stages.text.numbers import one_number
from sutradhar.stages.text.sentences import ends_sentence
from sutradhar.stages.text.words import begin_words
from sutradhar.stages.transcript import Segment, Word

PAUSE_MS = 1000
DOUBTFUL = "it is not sure that somebody speaks"
LEAST_CONFIDENCE = 1e-6  # below it, the logarithm says no more


def split_phrases(words: Sequence[Word], language: str = "") -> tuple[Phrase, ...]:
    """Part words into sentences; "" is an unknown language."""
    begins = begin_words([word.text for word in words], language)
    cuts = [
        index
        for index, (before, after) in enumerate(pairwise(words), start=1)
        if begins[index] and _parts(before, after, language)
    ]
    return tuple(tuple(words[begin:end]) for begin, end in pairwise([0, *cuts, len(words)]) if begin < end)


def _parts(before: Word, after: Word, language: str) -> bool:
    if after.start_ms - before.end_ms > PAUSE_MS:
        return not one_number(before.text.strip(), after.text.strip())
    return ends_sentence(before.text, after.text, language)


def mean_logprob(recognition: Recognition) -> float:
    """Return the mean log-probability of the pieces of a text: Whisper's own, or what the confidence comes to."""
    if recognition.whisper:
        return recognition.whisper.avg_logprob
    return round(math.log(max(recognition.confidence, LEAST_CONFIDENCE)), 4)


def segments_of(recognitions: Iterable[Recognition]) -> Iterator[Segment]:
    """Yield one segment for each phrase, numbered as they come."""
    phrases = ((phrase, recognition) for recognition in recognitions for phrase in recognition.phrases)
    for number, (phrase, recognition) in enumerate(phrases):
        scores = recognition.whisper
        yield Segment(
            id=number,
            start_ms=phrase[0].start_ms,
            end_ms=phrase[-1].end_ms,
            text="".join(word.text for word in phrase).strip(),
            words=phrase,
            language=recognition.language,
            language_probability=recognition.language_probability,
            avg_logprob=mean_logprob(recognition),
            no_speech_prob=scores.no_speech_prob if scores else None,
            compression_ratio=scores.compression_ratio if scores else compression_ratio(recognition.text),
            temperature=scores.temperature if scores else None,
            doubt=_doubt(phrase, recognition),
        )


def _doubt(phrase: Phrase, recognition: Recognition) -> str:
    start_ms, end_ms = phrase[0].start_ms, phrase[-1].end_ms
    doubtful = any(span.start_ms < end_ms and start_ms < span.end_ms for span in recognition.doubtful)
    return DOUBTFUL if doubtful else ""
