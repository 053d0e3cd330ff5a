"""Bounds between words that touch, weighed against the time that each word is likely to take.

Cross-attention turns to a short word while the long one before it is still being said. The bounds that lie nearest
both to the recogniser's and to durations in proportion to the letters (least squares) are nearer to the truth.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from sutradhar.stages.text.characters import bare
from sutradhar.stages.text.word_times import moved
from sutradhar.stages.transcript import Word

# Chosen on one voice of three, judged on the others: `python -m bench.word_times`
WEIGHT = 0.5  # of the duration of a mean word; the bound that the recogniser gives has 1
FURTHEST_MS = 80  # that a bound is moved


def weighed(words: Sequence[Word]) -> list[Word]:
    """Return the words with the bounds between those that touch moved towards likely durations."""
    found: list[Word] = []
    for first, end in _touching(words):
        chain = words[first:end]
        bounds = [chain[0].start_ms, *_bounds(chain), chain[-1].end_ms]
        found += [moved(word, *between) for word, between in zip(chain, pairwise(bounds), strict=True)]
    return found


def _touching(words: Sequence[Word]) -> Iterator[tuple[int, int]]:
    first = 0
    for end in range(1, len(words) + 1):
        if end == len(words) or words[end - 1].end_ms != words[end].start_ms:
            yield first, end
            first = end


def _bounds(chain: Sequence[Word]) -> list[int]:
    """Return the bounds between the words of a chain."""
    letters = [1 + len(bare(word.text)) for word in chain]
    span_ms = chain[-1].end_ms - chain[0].start_ms
    durations = [span_ms * count / sum(letters) for count in letters]
    weights = [WEIGHT * span_ms / len(chain) / duration for duration in durations]
    given = [word.end_ms for word in chain[:-1]]
    pulls = [weight * duration for weight, duration in zip(weights, durations, strict=True)]
    wanted = [bound + before - after for bound, (before, after) in zip(given, pairwise(pulls), strict=True)]
    if wanted:
        wanted[0] += weights[0] * chain[0].start_ms
        wanted[-1] += weights[-1] * chain[-1].end_ms
    solved = _solve([1 + before + after for before, after in pairwise(weights)], weights[1:-1], wanted)
    return [
        round(min(max(bound, own - FURTHEST_MS), own + FURTHEST_MS)) for bound, own in zip(solved, given, strict=True)
    ]


def _solve(diagonal: list[float], beside: Sequence[float], wanted: list[float]) -> list[float]:
    """Solve a symmetric system with three diagonals, those beside the middle one negative (Thomas algorithm)."""
    for row, one in enumerate(beside, start=1):
        factor = one / diagonal[row - 1]
        diagonal[row] -= factor * one
        wanted[row] += factor * wanted[row - 1]
    solved = list[float]()
    for row in reversed(range(len(diagonal))):
        following = beside[row] * solved[-1] if solved else 0.0
        solved.append((wanted[row] + following) / diagonal[row])
    return solved[::-1]
