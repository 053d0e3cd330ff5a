"""Parts the words of a window into sentences and what pauses part, and makes the segments of a transcript of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from stages.transcript import Segment, Word
from stages.whisper import Phrase, Recognition
from stages.whisper.words import SENTENCE_ENDS

PAUSE_MS = 1000
QUOTES = "\"'”’»)]}"
TITLES = frozenset({"mr.", "mrs.", "ms.", "dr.", "st.", "prof.", "rev.", "gen.", "col.", "capt.", "sgt.", "lt."})


def split_phrases(words: Sequence[Word]) -> tuple[Phrase, ...]:
    cuts = [index for index, (before, after) in enumerate(pairwise(words), start=1) if _parts(before, after)]
    return tuple(tuple(words[begin:end]) for begin, end in pairwise([0, *cuts, len(words)]) if begin < end)


def _parts(before: Word, after: Word) -> bool:
    return after.start_ms - before.end_ms > PAUSE_MS or (_ends_sentence(before.text) and not after.text.strip()[:1].islower())


def _ends_sentence(word: str) -> bool:
    text = word.strip().rstrip(QUOTES)
    initial = len(text) == 2 and text[0].isupper() and text != "I."  # J. R. Hartley
    return text.endswith(tuple(SENTENCE_ENDS + "…")) and not initial and text.lower() not in TITLES


def segments_of(recognitions: Iterable[Recognition]) -> Iterator[Segment]:
    """One segment for each phrase, numbered as they come."""
    phrases = ((phrase, recognition) for recognition in recognitions for phrase in recognition.phrases)
    for number, (phrase, recognition) in enumerate(phrases):
        yield Segment(
            id=number,
            start_ms=phrase[0].start_ms,
            end_ms=phrase[-1].end_ms,
            text="".join(word.text for word in phrase).strip(),
            words=phrase,
            language=recognition.language,
            language_probability=recognition.language_probability,
            avg_logprob=recognition.avg_logprob,
            no_speech_prob=recognition.no_speech_prob,
            compression_ratio=recognition.compression_ratio,
            temperature=recognition.temperature,
        )
