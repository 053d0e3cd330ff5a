"""Versions written as a person would say them."""

from __future__ import annotations

from sutradhar.stages.evaluate.comparing import Comparison, compare
from sutradhar.stages.evaluate.figures import Figure
from sutradhar.stages.evaluate.measures import Conditions, measures
from sutradhar.stages.evaluate.normalise import NORMALISERS
from sutradhar.stages.evaluate.placing import with_places
from sutradhar.stages.evaluate.version import SpokenWord, Utterance, Version, words_in
from sutradhar.stages.transcript import Cue, Span

ENGLISH = Conditions("en", "english")


def text(*lines: str) -> Version:
    """A version without times: a line is an utterance."""
    return Version(tuple(Utterance(words_in(line)) for line in lines))


def timed(*utterances: tuple[int, int, str], speaker: str = "") -> Version:
    """A version with times of utterances, in ms."""
    return Version(tuple(Utterance(words_in(said), Span(start, end), speaker) for start, end, said in utterances))


def cues(*shown: tuple[int, int, str]) -> Version:
    """Subtitles; `/` parts the lines of a cue."""
    return Version(
        timed(*((start, end, said.replace("/", " ")) for start, end, said in shown)).utterances,
        tuple(Cue(start, end, tuple(said.split("/"))) for start, end, said in shown),
    )


def spoken(*words: tuple[int, int, str], speaker: str = "") -> Version:
    """One utterance with times of words, in ms."""
    said = tuple(SpokenWord(word, Span(start, end)) for start, end, word in words)
    return Version((Utterance(said, Span(words[0][0], words[-1][1]), speaker),))


def compared(reference: Version, *systems: Version, language: str = "en") -> Comparison:
    """The first system beside the reference; the others help to tell when words are said."""
    normalise = NORMALISERS["english" if language == "en" else "unicode"]
    return with_places([compare("film", reference, system, normalise) for system in systems])[0]


def figures(name: str, *comparisons: Comparison, conditions: Conditions = ENGLISH) -> dict[str, Figure]:
    measure = measures()[name]
    assert [measure.lacks(comparison, conditions) for comparison in comparisons] == [""] * len(comparisons)
    return {figure.key: figure for figure in measure.measure(comparisons, conditions)}


def values(name: str, *comparisons: Comparison, conditions: Conditions = ENGLISH) -> dict[str, float | None]:
    """The values of a measure's figures, rounded."""
    found = figures(name, *comparisons, conditions=conditions)
    return {key: figure.value if figure.value is None else round(figure.value, 1) for key, figure in found.items()}
