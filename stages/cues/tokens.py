"""The way from the words of a transcript to the tokens that make cues and lines.

A token is the least that may stand alone on a line: a word with the punctuation that clings to it, or one character
cluster of a language written without spaces. Every token fits one line, and times never run backwards.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from sutradhar.stages.cues.rules import Rules
from sutradhar.stages.text import typography
from sutradhar.stages.text.numbers import one_number
from sutradhar.stages.text.scripts import needs_no_space
from sutradhar.stages.text.words import in_words
from sutradhar.stages.transcript import Segment, Span, Transcript, Word

_USUAL_WORD_MS = 400
_TORN_NUMBER_MS = 1500  # a pause that parts even a number


@dataclass(frozen=True)
class Token:
    text: str
    spaced: bool  # a space parts it from the token before
    opens_segment: bool
    start_ms: int
    end_ms: int
    begins_word: bool = True
    is_sung: bool = False

    @property
    def last_word(self) -> str:
        return self.text.rpartition(" ")[2]

    @property
    def first_word(self) -> str:
        return self.text.partition(" ")[0]


def tokens_of(transcript: Transcript, rules: Rules) -> list[Token]:
    return [part for token in spoken_tokens(transcript) for part in _cut_to_fit(token, rules)]


def spoken_tokens(transcript: Transcript) -> list[Token]:
    """Return the tokens of a transcript, however wide."""
    pieces = [
        replace(piece, is_sung=transcript.is_lyrics(segment))
        for segment in transcript.segments
        for piece in _pieces(segment, segment.language or transcript.language)
    ]
    spans = without_overlap([Span(piece.start_ms, piece.end_ms) for piece in pieces], clip_of(transcript))
    timed = (
        replace(piece, start_ms=span.start_ms, end_ms=span.end_ms) for piece, span in zip(pieces, spans, strict=True)
    )
    return list(_glued(timed))


def clip_of(transcript: Transcript) -> Span:
    """Return the audio's place on the film's clock, where all cues lie."""
    return Span(transcript.start_ms, transcript.start_ms + transcript.duration_ms)


def without_overlap(spans: Sequence[Span], clip: Span) -> list[Span]:
    """Make the spans follow each other inside `clip`, without overlap. The most start times that are in order already
    stay (a longest non-decreasing subsequence); the others are outvoted and put behind the one that they follow."""
    starts = [min(max(span.start_ms, clip.start_ms), clip.end_ms) for span in spans]
    ends = [min(max(span.end_ms, start), clip.end_ms) for span, start in zip(spans, starts, strict=True)]
    kept = _longest_ordered(starts)
    for left, right in zip([-1, *kept], [*kept, len(starts)], strict=True):
        outvoted = right - left - 1
        high = starts[right] if right < len(starts) else clip.end_ms
        low = min(ends[left], high) if left >= 0 else high
        step = min((high - low) // max(1, outvoted), _USUAL_WORD_MS)
        for number in range(outvoted):
            starts[left + 1 + number] = low + step * number
            ends[left + 1 + number] = low + step * (number + 1)
    limits = [*starts, clip.end_ms][1:]
    return [Span(start, min(end, limit)) for start, end, limit in zip(starts, ends, limits, strict=True)]


def _longest_ordered(values: Sequence[int]) -> list[int]:
    """Return the indices of a longest non-decreasing subsequence (patience sorting, O(n log n))."""
    # the smallest value that a subsequence of each length can end in, and its index
    tails: list[int] = []
    tail_at: list[int] = []
    before: list[int] = []
    for index, value in enumerate(values):
        place = bisect_right(tails, value)
        before.append(tail_at[place - 1] if place else -1)
        if place == len(tails):
            tails.append(value)
            tail_at.append(index)
        else:
            tails[place], tail_at[place] = value, index
    chain: list[int] = []
    index = tail_at[-1] if tail_at else -1
    while index >= 0:
        chain.append(index)
        index = before[index]
    return chain[::-1]


def _pieces(segment: Segment, language: str) -> Iterator[Token]:
    """Yield the smallest pieces that have times: words, or parts of one."""
    blocks = list(_blocks(segment))
    for block, parts in zip(
        blocks, in_words([" " * block.spaced + block.text for block in blocks], language), strict=True
    ):
        if len(parts) == 1:
            yield block if parts[0][1] else replace(block, begins_word=False)
            continue
        texts = [text.strip(" ") for text, _ in parts]
        spans = shares(texts, block.start_ms, block.end_ms)
        for number, (text, (_, begins), span) in enumerate(zip(texts, parts, spans, strict=True)):
            first = number == 0
            yield Token(text, first and block.spaced, first and block.opens_segment, span.start_ms, span.end_ms, begins)


def _blocks(segment: Segment) -> Iterator[Token]:
    """Yield the words as the recogniser gives them, but cut at blanks."""
    opens, blank = True, False
    for word in segment.words or _untimed(segment):
        parts = typography.split_blanks(word.text)
        for number, (text, span) in enumerate(zip(parts, shares(parts, word.start_ms, word.end_ms), strict=True)):
            spaced = opens or number > 0 or blank or typography.is_blank(word.text[0])
            yield Token(text, spaced, opens, span.start_ms, span.end_ms)
            opens, blank = False, False
        blank = word.text != "" and typography.is_blank(word.text[-1])


def _untimed(segment: Segment) -> tuple[Word, ...]:
    """Return the text of a segment without word times, shared over the segment's span."""
    parts = (
        typography.clusters(segment.text)
        if _is_spaceless(segment.text)
        else [f" {word}" for word in typography.split_blanks(segment.text)]
    )
    spans = shares(parts, segment.start_ms, segment.end_ms)
    return tuple(Word(part, span.start_ms, span.end_ms, 0.0) for part, span in zip(parts, spans, strict=True))


def _is_spaceless(text: str) -> bool:
    return 2 * sum(needs_no_space(character) for character in text) > len(text)


def shares(parts: Sequence[str], start_ms: int, end_ms: int) -> list[Span]:
    """Divide the span in proportion to the parts' lengths."""
    total = max(1, sum(map(len, parts)))
    marks, done = [start_ms], 0
    for part in parts:
        done += len(part)
        marks.append(start_ms + (end_ms - start_ms) * done // total)
    return [Span(left, right) for left, right in pairwise(marks)]


def _glued(tokens: Iterable[Token]) -> Iterator[Token]:
    """Join tokens that no line may part: "don" + "'t", "है" + "।", "«" + "oui", "ส" + "วัสดี", "2.5" + "crore"."""
    held: Token | None = None
    for token in tokens:
        if held is None:
            held = token
        elif _may_part(held, token):
            yield held
            wide = token.opens_segment and typography.ends_wide(held.text)
            held = replace(token, spaced=False) if wide else token
        else:
            held = replace(held, text=held.text + " " * token.spaced + token.text, end_ms=token.end_ms)
    if held is not None:
        yield held


def _may_part(held: Token, token: Token) -> bool:
    if token.opens_segment:
        return True
    if one_number(held.last_word, token.text):
        return token.start_ms - held.end_ms >= _TORN_NUMBER_MS
    return token.begins_word and typography.may_part(held.text, token.text, token.spaced)


def _cut_to_fit(token: Token, rules: Rules) -> list[Token]:
    """Cut a token wider than a line at its blanks, then between characters (inside one only if that alone is wider
    than a line)."""
    room = rules.max_chars - rules.signs_chars(token.is_sung)
    if typography.measure(token.text, rules.language) <= room:
        return [token]
    words = token.text.split(" ")
    if len(words) > 1:
        timed = zip(words, shares(words, token.start_ms, token.end_ms), strict=True)
        whole = [
            _part(token, word, token.spaced or number > 0, span, first=number == 0)
            for number, (word, span) in enumerate(timed)
            if word
        ]
        return [part for word in whole for part in _cut_to_fit(word, rules)]
    parts = [""]
    for cluster in typography.clusters(token.text):
        for atom in [cluster] if typography.measure(cluster, rules.language) <= room else cluster:
            if typography.measure(parts[-1] + atom, rules.language) > room:
                parts.append("")
            parts[-1] += atom
    return [
        _part(token, part, token.spaced and number == 0, span, first=number == 0)
        for number, (part, span) in enumerate(zip(parts, shares(parts, token.start_ms, token.end_ms), strict=True))
    ]


def _part(token: Token, text: str, spaced: bool, span: Span, *, first: bool) -> Token:
    opens = token.opens_segment and first
    return Token(text, spaced, opens, span.start_ms, span.end_ms, is_sung=token.is_sung)
