"""The language of a film, by a vote of windows.

WhisperX asks its first 30 s, which may be a song or a logo; asking every window anew turns single windows of a
film into other languages. So several windows, spread over the film, vote together: the mean of their
log-probabilities, weighted by the length of their speech. For a film in one language that is the evidence of all
of them; a mixed one gets its commonest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sutradhar.stages.recognisers.contract import AudioWindow, LanguageGuess
from sutradhar.stages.transcript import Window

VOTERS = 8
FLOOR = 1e-6  # no window alone rules a language out


@dataclass(frozen=True)
class FilmLanguage:
    language: str
    probability: float  # its certainty


@dataclass(frozen=True)
class Verdict:
    found: FilmLanguage
    prepared: dict[int, Any]  # the windows that voted, as the engine has prepared them, by their ids
    voters: int


def language_of(
    windows: Sequence[Window],
    cut_out: Callable[[Window], AudioWindow],
    detect: Callable[[Sequence[AudioWindow]], list[LanguageGuess]],
) -> Verdict:
    """Let windows from all over a film vote on its language. There must be at least one."""
    speech_ms = [sum(span.end_ms - span.start_ms for span in window.speech) for window in windows]
    voters = choose_voters(speech_ms)
    heard = detect([cut_out(windows[index]) for index in voters])
    language, probability = vote([one.languages for one in heard], [speech_ms[index] for index in voters])
    prepared = {windows[index].id: one.prepared for index, one in zip(voters, heard, strict=True)}
    return Verdict(FilmLanguage(language, probability), prepared, len(voters))


def choose_voters(speech_ms: Sequence[int]) -> list[int]:
    """Choose the window that speaks most in each of `VOTERS` equal parts of the film, from the speech of each
    window."""
    parts = min(VOTERS, len(speech_ms))
    bounds = [len(speech_ms) * part // parts for part in range(parts + 1)] if parts else []
    return [max(range(begin, end), key=lambda index: speech_ms[index]) for begin, end in pairwise(bounds)]


def vote(votes: Sequence[dict[str, float]], weights: Sequence[float]) -> tuple[str, float]:
    """Return the likeliest language and its probability, from the probabilities that each window gives to every
    language."""
    total = sum(weights)
    scores = {
        language: sum(
            weight * math.log(max(heard[language], FLOOR)) for heard, weight in zip(votes, weights, strict=True)
        )
        / total
        for language in votes[0]
    }
    language = max(scores, key=lambda name: scores[name])
    return language, 1 / sum(math.exp(score - scores[language]) for score in scores.values())
