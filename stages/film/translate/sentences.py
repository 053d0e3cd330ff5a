"""The way from the words of a transcript to the sentences that a translator wants: each whole, and one at a time.

IndicTrans2 knows single sentences: of a fragment it makes one, of several it may drop all but the first. Segments are
neither, so sentences are put together across them, by punctuation, and by pauses where the recogniser wrote none, as
it often does in Hindi.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from sutradhar.stages.film.translate.markup import NOTES, OPENS_LABEL, Lifted, is_label, lift
from sutradhar.stages.text.characters import CLOSING, COMMAS, DASHES, ELLIPSES, STOPS, bare, clean, word_set
from sutradhar.stages.text.numbers import one_number
from sutradhar.stages.text.scripts import is_spaceless
from sutradhar.stages.text.sentences import ends_clause, ends_sentence
from sutradhar.stages.transcript import Segment, Transcript, Word

LONG_PAUSE_MS = 1000  # always ends a sentence
PAUSE_MS = 600  # ends one after a clause, or where a segment ends too
CLAUSE_WORDS = 4
LONGEST_WORDS = 30
LONGEST_MS = 12_000
SHORTEST_CUT_WORDS = 3  # a sentence that is too long is not cut so near to its ends
LABEL_WORDS = 8

# Words that a clause does not end in, and words that go on with one, by language: a pause there is for breath.
_UNFINISHED = {
    "en": word_set("""a an the my your his her its our their and or but so because if when that than to of in on at by
        for with from as i he she we they is are was were am will not very"""),
    "hi": word_set("""ने को का के की में से पर और या लेकिन मगर कि जो जब अगर तो ये यह वो वह मैं हम तुम आप एक मेरा मेरी
        मेरे तेरा उसका इस उस बहुत नहीं"""),
}
_GOES_ON = {
    "en": word_set("and or but because that which who than to of"),
    "hi": word_set("कि ने को का के की में से है हैं था थी थे हूँ तो भी ही और या क्योंकि जो"),
}
_NO_WORDS: frozenset[str] = frozenset()

# Reasons for a cut in a sentence that is too long, as ms of pause.
_COMMA_WORTH, _CONJUNCTION_WORTH, _SEGMENT_WORTH, _MIDDLE_WORTH, _UNFINISHED_WORTH = 500, 250, 250, 300, -400


@dataclass(frozen=True)
class Sentence:
    """A sentence to translate. `words` are the source's, with their times: in segments without word times, shares of
    the segment's span."""

    words: tuple[Word, ...]
    language: str
    lifted: Lifted

    @property
    def text(self) -> str:
        """Return the text for the translator; "" where there is nothing to translate."""
        return self.lifted.text

    @property
    def said(self) -> str:
        """Return the text as it was recognised, loops and all."""
        return "".join(word.text for word in self.words)

    @property
    def start_ms(self) -> int:
        return self.words[0].start_ms

    @property
    def end_ms(self) -> int:
        return max(self.start_ms, self.words[-1].end_ms)


@dataclass(frozen=True)
class _Spoken:
    word: Word
    spaced: bool
    opens_segment: bool
    language: str
    label: int  # the number of the [sound label] that it stands in, 0 for none

    @property
    def text(self) -> str:
        return self.word.text.strip()


def assemble(transcript: Transcript) -> list[Sentence]:
    """Return every word of the transcript, once and in order, in sentences. A sound label between two sentences is
    one by itself."""
    return [_sentence(part) for run in _runs(_spoken(transcript)) for part in _cut(run)]


def distinct(texts: Iterable[str]) -> tuple[list[str], list[int]]:
    """Return each text once, clean, and for each of `texts` its index there: repeated texts are translated once."""
    places: dict[str, int] = {}
    indices = [places.setdefault(clean(text), len(places)) for text in texts]
    return list(places), indices


def _sentence(spoken: Sequence[_Spoken]) -> Sentence:
    text = "".join(" " * item.spaced + item.text for item in spoken)
    return Sentence(tuple(item.word for item in spoken), spoken[0].language, lift(text))


def _spoken(transcript: Transcript) -> Iterator[_Spoken]:
    labels = 0
    for segment in transcript.segments:
        words = [word for word in segment.words or _untimed(segment) if word.text.strip()]
        groups = _labels(words)
        for number, (word, group) in enumerate(zip(words, groups, strict=True)):
            spaced = word.text[0].isspace() or (number > 0 and words[number - 1].text[-1].isspace())
            spaced = spaced or (number == 0 and not is_spaceless(word.text[0]))
            yield _Spoken(word, spaced, number == 0, segment.language or transcript.language, group and labels + group)
        labels += max(groups, default=0)


def _untimed(segment: Segment) -> list[Word]:
    """Return the text of a segment without word times, shared over its span by length."""
    texts = [f" {text}" for text in segment.text.split()]
    total = max(1, sum(map(len, texts)))
    words, done = [], 0
    for text in texts:
        marks = [
            segment.start_ms + (segment.end_ms - segment.start_ms) * length // total
            for length in (done, done + len(text))
        ]
        words.append(Word(text, marks[0], marks[1], 0.0))
        done += len(text)
    return words


def _labels(words: Sequence[Word]) -> list[int]:
    """Return for each word of a segment the number of the sound label that it stands in, 0 for none."""
    numbers = [0] * len(words)
    for first, word in enumerate(words):
        if numbers[first] or not word.text.strip().startswith(OPENS_LABEL):
            continue
        for end in range(first + 1, min(first + LABEL_WORDS, len(words)) + 1):
            if is_label("".join(word.text for word in words[first:end]), alone=end - first == len(words)):
                numbers[first:end] = [max(numbers) + 1] * (end - first)
                break
    return numbers


def _runs(spoken: Iterable[_Spoken]) -> Iterator[list[_Spoken]]:
    """Yield sentences, however long. Labels inside one stay; those around it are parted from it and from each other."""
    run: list[_Spoken] = []
    labels: list[_Spoken] = []
    for item in spoken:
        if item.label:
            labels.append(item)
        elif run and not _ends(run, item) and not (labels and item.opens_segment):
            run += [*labels, item]
            labels = []
        else:
            yield from [run] if run else []
            yield from _apart(labels)
            run, labels = [item], []
    yield from [run] if run else []
    yield from _apart(labels)


def _apart(labels: Sequence[_Spoken]) -> Iterator[list[_Spoken]]:
    for _, group in groupby(labels, key=lambda item: item.label):
        yield list(group)


def _ends(run: Sequence[_Spoken], following: _Spoken) -> bool:
    last = run[-1]
    pause = _pause(last, following)
    if following.language != last.language:
        return True
    if pause >= LONG_PAUSE_MS:
        return not one_number(last.text, following.text)
    if not following.spaced and not following.opens_segment and not is_spaceless(following.text[0]):
        return False  # the second half of a word: "3" and ".5"
    if all(character in CLOSING + STOPS + COMMAS for character in following.text):
        return False
    tail = last.text if len(run) == 1 or last.text.strip(CLOSING) else run[-2].text
    if _begins_turn(run, following) or ends_sentence(tail, following.text, last.language):
        return True
    if last.text.endswith(ELLIPSES) and (following.opens_segment or pause >= PAUSE_MS):
        return True
    return pause >= PAUSE_MS and (following.opens_segment or _is_clause(run)) and not _is_torn(last, following)


def _begins_turn(run: Sequence[_Spoken], following: _Spoken) -> bool:
    """Return whether somebody else speaks, or a song begins or ends."""
    last, text = run[-1].text, following.text
    if text[0] in DASHES and not text[1:2].isdigit():
        return following.opens_segment or text[1:2].isalpha() or last[-1:] in STOPS
    sung = any(character in NOTES for character in run[0].text)
    has_words = any(character.isalnum() for item in run for character in item.text)
    if has_words and sung and last[-1] in NOTES:
        return True
    return has_words and text[0] in NOTES and (not sung or following.opens_segment)


def _is_clause(run: Sequence[_Spoken]) -> bool:
    return _count(run) >= CLAUSE_WORDS or ends_clause(run[-1].text)


def _is_torn(last: _Spoken, following: _Spoken) -> bool:
    """Return whether an end here would part words that belong together."""
    if one_number(last.text, following.text):
        return True
    return bare(last.text) in _UNFINISHED.get(last.language, _NO_WORDS) or bare(following.text) in _GOES_ON.get(
        last.language, _NO_WORDS
    )


def _pause(left: _Spoken, right: _Spoken) -> int:
    return right.word.start_ms - left.word.end_ms


def _count(run: Sequence[_Spoken]) -> int:
    return sum(item.spaced or item.opens_segment for item in run)


def _cut(run: Sequence[_Spoken]) -> list[Sequence[_Spoken]]:
    """Return the sentence, or its parts where it is longer than the model reads well."""
    is_long = _count(run) > LONGEST_WORDS or run[-1].word.end_ms - run[0].word.start_ms > LONGEST_MS
    places = [
        place
        for place in range(SHORTEST_CUT_WORDS, len(run) - SHORTEST_CUT_WORDS + 1)
        if _may_cut(run[place - 1], run[place])
    ]
    if not is_long or not places:
        return [run]
    best = max(places, key=lambda place: _worth(run, place))
    return [*_cut(run[:best]), *_cut(run[best:])]


def _may_cut(left: _Spoken, right: _Spoken) -> bool:
    return (
        (right.spaced or is_spaceless(right.text[0]))
        and not (left.label and left.label == right.label)
        and not one_number(left.text, right.text)
    )


def _worth(run: Sequence[_Spoken], place: int) -> float:
    left, right = run[place - 1], run[place]
    return (
        _pause(left, right)
        + _COMMA_WORTH * ends_clause(left.text)
        + _SEGMENT_WORTH * right.opens_segment
        + _CONJUNCTION_WORTH * (bare(right.text) in _GOES_ON.get(right.language, _NO_WORDS))
        + _UNFINISHED_WORTH * (bare(left.text) in _UNFINISHED.get(left.language, _NO_WORDS))
        + _MIDDLE_WORTH * (1 - abs(2 * place / len(run) - 1))
    )
