"""The words that are scored: normalised, each with its place in the version and in time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from sutradhar.stages.evaluate.marks import MarkedWord, marked
from sutradhar.stages.evaluate.normalise import Normaliser
from sutradhar.stages.evaluate.version import IGNORE, Utterance, Version
from sutradhar.stages.transcript import Span


@dataclass(frozen=True)
class ScoredWord:
    """A normalised word, or IGNORE, which no normalised word is. `span` is its own time (`is_exact`), its share of the
    utterance's, or None."""

    text: str
    utterance: int
    span: Span | None = None
    is_exact: bool = False
    is_optional: bool = False


def scored_words(version: Version, normalise: Normaliser) -> tuple[ScoredWord, ...]:
    """Return the words of a version. They are normalised together, since numbers and the like are of several words.
    Utterances with times in which anything may be heard have none: what is heard then is known by its time."""
    spoken = ((number, one) for number, one in enumerate(version.utterances) if not (one.is_ignored and one.span))
    raw = [word for number, one in spoken for word in _raw(number, one)]
    found: list[ScoredWord] = []
    for is_unknown, group in groupby(raw, key=lambda word: word.text == IGNORE):
        words = list(group)
        found += words if is_unknown else _normalised(words, normalise)
    return tuple(found)


def _raw(number: int, utterance: Utterance) -> Iterator[ScoredWord]:
    words = list(marked(utterance))
    for word, share in zip(words, _shares(words, utterance.span), strict=True):
        yield ScoredWord(word.text or IGNORE, number, word.span or share, word.span is not None, word.is_optional)


def _shares(words: Sequence[MarkedWord], span: Span | None) -> list[Span | None]:
    """Divide the time of an utterance among its words by their letters."""
    if span is None:
        return [None] * len(words)
    lengths = [len(word.text) + 1 for word in words]
    ends = [sum(lengths[: count + 1]) for count in range(len(lengths))]
    scale = (span.end_ms - span.start_ms) / max(1, sum(lengths))
    return [
        Span(span.start_ms + round((end - length) * scale), span.start_ms + round(end * scale))
        for end, length in zip(ends, lengths, strict=True)
    ]


def _normalised(words: Sequence[ScoredWord], normalise: Normaliser) -> Iterator[ScoredWord]:
    """Yield the normalised words, each with all that the words which it was made of have."""
    known: dict[str, list[str]] = {}
    single, owners = list[str](), list[int]()
    for number, word in enumerate(words):
        if word.text not in known:
            known[word.text] = normalise(word.text).split()
        single += known[word.text]
        owners += [number] * len(known[word.text])
    whole = normalise(" ".join(word.text for word in words)).split()
    for begin, end, first, last in _blocks(single, whole):
        made_of = [words[owner] for owner in dict.fromkeys(owners[begin:end] or owners[max(0, begin - 1) :][:1])]
        yield from (_made(text, made_of) for text in whole[first:last] if made_of)


def _blocks(single: Sequence[str], whole: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """Yield the bounds of what belongs together in both: word for word where they are the same."""
    import jiwer

    (chunks,) = jiwer.process_words(" ".join(single), " ".join(whole)).alignments
    for is_equal, group in groupby(chunks, key=lambda chunk: chunk.type == "equal"):
        several = list(group)
        first, last = several[0], several[-1]
        if is_equal:
            places = zip(
                range(first.ref_start_idx, last.ref_end_idx), range(first.hyp_start_idx, last.hyp_end_idx), strict=True
            )
            yield from ((place, place + 1, other, other + 1) for place, other in places)
        else:
            yield first.ref_start_idx, last.ref_end_idx, first.hyp_start_idx, last.hyp_end_idx


def _made(text: str, words: Sequence[ScoredWord]) -> ScoredWord:
    spans = [word.span for word in words if word.span]
    whole = Span(spans[0].start_ms, max(span.end_ms for span in spans)) if spans else None
    return ScoredWord(
        text,
        words[0].utterance,
        whole,
        all(word.is_exact for word in words),
        all(word.is_optional for word in words),
    )


def text_of(words: Iterable[ScoredWord]) -> str:
    return " ".join(word.text for word in words)
