"""A translated sentence as a segment whose words have times, from which the subtitles stage cuts cues by its rules.

The order of words differs between languages, so no target word has a time. Only the times of speech are known: the
words share them by their lengths, and pauses of the speaker become pauses of the target, so that a cue can end there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from statistics import fmean

from sutradhar.stages.film.translate.sentences import Sentence
from sutradhar.stages.text.compression import compression_ratio
from sutradhar.stages.text.scripts import is_spaceless
from sutradhar.stages.text.sentences import ends_clause
from sutradhar.stages.transcript import Segment, Span, Word

PAUSE_MS = 250  # shorter ones are no pauses: recognisers' times are not better than that
_LEAST = 1e-3  # of words without a probability
_CLAUSE_WORTH = 0.15  # of the length, by which the target may be shifted, for a pause to fall on the end of a clause


def segment_of(sentence: Sentence, text: str, language: str, number: int, score: float) -> Segment:
    """Return the translation `text` of a sentence, in its time: it begins and ends with it, and pauses with it.

    `score` is the translator's mean log-probability of a token. It is known of the sentence only, so each word
    carries the same."""
    pieces = pieces_of(text)
    spans = _times(pieces, spoken(sentence.words))
    probability = round(math.exp(min(0.0, score)), 3)
    words = tuple(
        Word(piece, span.start_ms, span.end_ms, probability) for piece, span in zip(pieces, spans, strict=True)
    )
    return _segment(sentence, text, words, language, number, score)


def as_spoken(sentence: Sentence, language: str, number: int) -> Segment:
    """Return a sentence that stays in its spoken language: its words, in their times."""
    text = "".join(word.text for word in sentence.words).strip()
    score = fmean(math.log(max(word.probability, _LEAST)) for word in sentence.words)
    return _segment(sentence, text, sentence.words, language, number, score)


def _segment(
    sentence: Sentence, text: str, words: tuple[Word, ...], language: str, number: int, score: float
) -> Segment:
    return Segment(
        id=number,
        start_ms=sentence.start_ms,
        end_ms=sentence.end_ms,
        text=text,
        words=words,
        language=language,
        language_probability=1.0,
        avg_logprob=score,
        no_speech_prob=0.0,
        compression_ratio=round(compression_ratio(text), 3),
        temperature=0.0,
    )


def pieces_of(text: str) -> list[str]:
    """Return words with the space before them; characters, with their marks, in scripts that write no spaces."""
    return [piece for word in text.split() for piece in _parts(f" {word}")]


def _parts(word: str) -> Iterator[str]:
    held = ""
    for character in word:
        if is_spaceless(character) and character.isalpha() and held.strip():
            yield held
            held = ""
        held += character
    yield held


def spoken(words: Sequence[Word]) -> list[Span]:
    """Return the times at which somebody speaks: the words' time without the pauses between them, in order, and not
    after the last word."""
    begin = words[0].start_ms
    latest = max(begin, words[-1].end_ms)
    spans = [Span(begin, begin)]
    for word in words:
        last = spans[-1]
        start = min(max(word.start_ms, last.end_ms), latest)
        end = min(max(word.end_ms, start), latest)
        if start - last.end_ms < PAUSE_MS:
            spans[-1] = Span(last.start_ms, end)
        else:
            spans.append(Span(start, end))
    return spans


def _times(pieces: Sequence[str], islands: Sequence[Span]) -> list[Span]:
    if not pieces:
        return []
    islands = _joined(islands, len(pieces))
    bounds = _bounds(pieces, islands)
    return [
        span
        for island, (first, end) in zip(islands, pairwise(bounds), strict=True)
        for span in _shares(pieces[first:end], island)
    ]


def _joined(islands: Sequence[Span], most: int) -> list[Span]:
    """Return at most so many: those are joined first that the shortest pause parts."""
    islands = list(islands)
    while len(islands) > most:
        place = min(range(1, len(islands)), key=lambda place: islands[place].start_ms - islands[place - 1].end_ms)
        islands[place - 1 : place + 1] = [Span(islands[place - 1].start_ms, islands[place].end_ms)]
    return islands


def _bounds(pieces: Sequence[str], islands: Sequence[Span]) -> list[int]:
    """Return the bounds of the pieces on each island: by its share of the time spoken, and rather at the end of a
    clause."""
    reached = list(accumulate((len(piece) for piece in pieces), initial=0))
    lengths = [island.end_ms - island.start_ms for island in islands]
    total = max(1, sum(lengths))
    clause_worth = _CLAUSE_WORTH * reached[-1]
    bounds = [0]
    for number, done in enumerate(list(accumulate(lengths))[:-1], start=1):
        wanted = reached[-1] * done / total
        places = range(bounds[-1] + 1, len(pieces) - (len(islands) - number) + 1)
        bounds.append(
            min(places, key=lambda place: abs(reached[place] - wanted) - clause_worth * ends_clause(pieces[place - 1]))
        )
    return [*bounds, len(pieces)]


def _shares(pieces: Sequence[str], island: Span) -> list[Span]:
    reached = list(accumulate((len(piece) for piece in pieces), initial=0))
    marks = [island.start_ms + (island.end_ms - island.start_ms) * length // reached[-1] for length in reached]
    return [Span(left, right) for left, right in pairwise(marks)]
