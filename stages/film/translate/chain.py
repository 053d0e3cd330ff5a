"""The way from sentences to translations that pass the guards: in one go, then by other ways for those that do not.

The chain: the search as set; other hypotheses of it, without repeated runs of tokens; greedy; in halves. A sentence
that no way brings through the guards has no translation, and is told of as such: the source text never stands in for
one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Literal

from sutradhar.stages.film.translate.guards import Fault, faults
from sutradhar.stages.film.translate.sentences import Sentence, distinct
from sutradhar.stages.film.translate.translator import BeamSearch, Translation, Translator
from sutradhar.stages.film.translate.unreadable import Unreadable, digits, in_another_script, why_unreadable
from sutradhar.stages.text import roman
from sutradhar.stages.text.attractors import attractors
from sutradhar.stages.text.characters import FULL_STOPS
from sutradhar.stages.text.glossary import Glossary
from sutradhar.stages.text.numbers import one_number
from sutradhar.stages.text.sentences import ends_clause

UNREPEATED = 4  # tokens: a loop repeats such a run, and other sentences hardly do
HALF_WORDS = 3  # the fewest that a half may have


class Way(Enum):
    """The way that rendered a sentence, in the words of notes and reports."""

    SEARCH = "search"
    OTHER_HYPOTHESES = "other hypotheses"
    GREEDY = "greedy"
    HALVES = "halves"
    GLOSSARY = "glossary"
    AS_SPOKEN = "as spoken"
    ENGLISH = "English"
    LABEL = "label"
    NONE = "none"


USUAL_WAYS = (Way.SEARCH, Way.LABEL)
RETRIES = (Way.OTHER_HYPOTHESES, Way.GREEDY, Way.HALVES, Way.GLOSSARY)


@dataclass(frozen=True)
class Rendering:
    """A result: `text` is without its markup. `faults` are those of the first try where no way was found."""

    text: str
    score: float
    way: Way
    faults: tuple[Fault | Unreadable | Literal["same for several"], ...] = ()
    missing_terms: int = 0


class Chain:
    """A chain that translates between two languages."""

    def __init__(
        self, translator: Translator, source: str, target: str, search: BeamSearch, glossary: Glossary
    ) -> None:
        self._translator, self._source, self._target = translator, source, target
        self._search, self._glossary = search, glossary

    def render(
        self, sentences: Sequence[Sentence], report: Callable[[int, int], None] = lambda done, total: None
    ) -> list[Rendering]:
        """Return the rendering of each sentence, in their order. Repeated sentences are translated once."""
        settled = [self._without_translator(sentence) for sentence in sentences]
        texts, places = distinct(
            sentence.text for sentence, done in zip(sentences, settled, strict=True) if done is None
        )
        renderings = self._translate(texts, report) if texts else []
        rendered = iter(renderings[place] for place in places)
        return [done or next(rendered) for done in settled]

    def _without_translator(self, sentence: Sentence) -> Rendering | None:
        """Return labels, numbers, speech that is in the target language already or in English, and speech that no
        translator here reads; None for the rest."""
        text = sentence.text
        if not any(character.isalpha() for character in text):
            return Rendering(digits(text, self._target), 0.0, Way.LABEL)
        if sentence.language == self._target and not in_another_script(text, self._target):
            return Rendering(text, 0.0, Way.AS_SPOKEN)
        why = why_unreadable(text, sentence.said, self._source)
        if why in ("garbage", "roman script") or self._source == "en" or not roman.is_latin(text):
            return Rendering("", 0.0, Way.NONE, (why,)) if why else None
        if roman.language_of(text) == "english" or roman.is_names(text):
            return Rendering(text, 0.0, Way.AS_SPOKEN if self._target == "en" else Way.ENGLISH)
        return Rendering("", 0.0, Way.NONE, ("roman script",))

    def _translate(self, texts: Sequence[str], report: Callable[[int, int], None]) -> list[Rendering]:
        found = self._translator.translate(texts, self._source, self._target, self._search, report)
        renderings = [self._judge(text, one, Way.SEARCH) for text, one in zip(texts, found, strict=True)]
        for place in _attractors(texts, renderings):
            renderings[place] = replace(renderings[place], faults=("same for several",))
        attempts: dict[Way, Callable[[Sequence[str]], list[list[Translation]]]] = {
            Way.OTHER_HYPOTHESES: self._others,
            Way.GREEDY: self._greedy,
            Way.HALVES: self._halves,
        }
        if self._search.beams == 1:
            del attempts[Way.GREEDY]  # the search as set was greedy already
        for way, attempt in attempts.items():
            failed = [number for number, rendering in enumerate(renderings) if rendering.faults]
            tried = attempt([texts[number] for number in failed]) if failed else []
            for number, hypotheses in zip(failed, tried, strict=True):
                better = self._judge(texts[number], hypotheses, way)
                if not better.faults:
                    renderings[number] = better
        for place in _attractors(texts, renderings):
            renderings[place] = replace(renderings[place], faults=renderings[place].faults or ("same for several",))
        renderings = [replace(one, text="", way=Way.NONE) if one.faults else one for one in renderings]
        return self._with_terms(texts, renderings)

    def _judge(self, text: str, hypotheses: Sequence[Translation], way: Way) -> Rendering:
        """Return the first hypothesis without faults; else the first, with its faults."""
        judged = [
            (one, faults(text, one.text, self._source, self._target)) for one in hypotheses or [Translation("", 0.0)]
        ]
        best, found = next(((one, wrong) for one, wrong in judged if not wrong), judged[0])
        return Rendering(best.text, best.score, way, found)

    def _others(self, texts: Sequence[str]) -> list[list[Translation]]:
        beams = max(5, self._search.beams)
        return self._translator.translate(
            texts,
            self._source,
            self._target,
            replace(self._search, beams=beams, hypotheses=beams, unrepeated=UNREPEATED),
        )

    def _greedy(self, texts: Sequence[str]) -> list[list[Translation]]:
        return self._translator.translate(texts, self._source, self._target, replace(self._search, beams=1))

    def _halves(self, texts: Sequence[str]) -> list[list[Translation]]:
        """Return both halves of each text, put together; nothing for one too short to be cut."""
        halves = [halve(text) for text in texts]
        found = iter(
            self._translator.translate(
                [half for pair in halves for half in pair], self._source, self._target, self._search
            )
        )
        parts = [[next(found) for _ in pair] for pair in halves]
        return [[_joined(pair[0][0], pair[1][0])] if pair and all(pair) else [] for pair in parts]

    def _with_terms(self, texts: Sequence[str], renderings: list[Rendering]) -> list[Rendering]:
        """Render those in which a term of the glossary is missing once more, with the terms protected."""
        missing = [
            (number, terms)
            for number, one in enumerate(renderings)
            if one.way is not Way.NONE and (terms := self._glossary.missing(texts[number], one.text))
        ]
        protected = [self._glossary.protect(texts[number]) for number, _ in missing]
        found = (
            self._translator.translate([one.text for one in protected], self._source, self._target, self._search)
            if missing
            else []
        )
        for (number, terms), one, hypotheses in zip(missing, protected, found, strict=True):
            restored = [replace(hypothesis, text=one.restore(hypothesis.text)) for hypothesis in hypotheses]
            kept = [hypothesis for hypothesis in restored if self._glossary.kept(texts[number], hypothesis.text)]
            better = self._judge(texts[number], kept, Way.GLOSSARY)
            renderings[number] = replace(renderings[number], missing_terms=len(terms)) if better.faults else better
        return renderings


def _attractors(texts: Sequence[str], renderings: Sequence[Rendering]) -> set[int]:
    return attractors((text, "" if one.faults else one.text) for text, one in zip(texts, renderings, strict=True))


def halve(text: str) -> tuple[str, ...]:
    """Return two parts, cut rather after a comma than in the middle; none where a half would be a few words."""
    words = text.split()
    places = [
        place
        for place in range(HALF_WORDS, len(words) - HALF_WORDS + 1)
        if not one_number(words[place - 1], words[place])
    ]
    if not places:
        return ()
    best = min(places, key=lambda place: abs(2 * place - len(words)) - len(words) * ends_clause(words[place - 1]) / 2)
    return " ".join(words[:best]), " ".join(words[best:])


def _joined(left: Translation, right: Translation) -> Translation:
    """Return one sentence again: the first half's full stop goes."""
    return Translation(f"{left.text.rstrip(FULL_STOPS)} {right.text}", (left.score + right.score) / 2)


def ways(renderings: Sequence[Rendering]) -> Iterator[tuple[Way, int]]:
    """Yield the number of sentences that went each way, but for the usual ones."""
    for way in RETRIES:
        if count := sum(one.way is way for one in renderings):
            yield way, count
