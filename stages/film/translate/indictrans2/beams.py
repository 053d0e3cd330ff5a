"""The translations that a beam search goes on with: CTranslate2's rules (src/decoding.cc), on the host. N sentences,
L beams, T tokens so far."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sutradhar.stages.film.translate.indictrans2.generator import BeamSearch

Array = NDArray[Any]


class Beams:
    """The beams of a batch, whose sentences start together. A sentence is done when enough translations have ended."""

    def __init__(self, count: int, search: BeamSearch, end: int) -> None:
        self.done = np.zeros(count, np.bool_)
        self._search, self._end = search, end
        self._numbers = np.arange(count)  # in the batch as it was at first
        self._scores = np.full((count, search.beams), -np.inf, np.float32)
        self._scores[:, 0] = 0  # the beams are alike until the first choice
        self._texts = np.zeros((count, search.beams, 0), np.int32)
        self._writers = np.arange(search.beams, dtype=np.int32)[None, :, None].repeat(count, 0)
        self._ended: list[list[tuple[float, list[int]]]] = [[] for _ in range(count)]

    @property
    def found(self) -> list[list[tuple[float, list[int]]]]:
        """Return scores and tokens of the best translations of each sentence, in the order of the batch as it was."""
        return [sorted(ended, key=lambda one: -one[0])[: self._search.hypotheses] for ended in self._ended]

    @property
    def texts(self) -> Array:
        """Return the texts of the beams (N, L, T)."""
        return self._texts

    def ancestors(self) -> Array:
        """Return (N, 1, L, (T + 1) * L): whether a beam follows what a beam wrote at a place, its next place
        included."""
        count, beams, columns = self._writers.shape
        return np.equal(self._writers[..., None], np.arange(beams)).reshape(count, 1, beams, columns * beams)

    def advance(self, log_probs: Array, tokens: Array) -> Array:
        """Choose, from the likeliest L + 1 tokens that each beam may take (N, L, L + 1), in order, those that the
        beams go on with (N, L).

        The candidates are twice as many as the beams. Those among the first half that end are translations, and the
        next that do not end go on in their places."""
        count, beams, likely = tokens.shape
        totals = (self._scores[:, :, None] + log_probs).reshape(count, -1)
        order = np.argsort(-totals, axis=-1, kind="stable")[:, : 2 * beams]
        totals, chosen = np.take_along_axis(totals, order, -1), np.take_along_axis(tokens.reshape(count, -1), order, -1)
        parents = order // likely
        ends, last = chosen == self._end, self._texts.shape[-1] + 1 >= self._search.limit
        for row, place in np.argwhere((ends[:, :beams] | last) & ~self.done[:, None] & np.isfinite(totals[:, :beams])):
            text = self._texts[row, parents[row, place]].tolist()
            if not ends[row, place]:
                text.append(int(chosen[row, place]))
            score = float(totals[row, place]) / (len(text) + bool(ends[row, place])) ** self._search.length_penalty
            self._ended[self._numbers[row]].append((score, text))
        self.done |= last | np.array([len(self._ended[number]) >= self._search.enough for number in self._numbers])
        going_on = np.argsort(ends, axis=-1, kind="stable")[:, :beams]
        self._scores, parents, chosen = (
            np.take_along_axis(values, going_on, -1) for values in (totals, parents, chosen)
        )
        self._texts = _followed(self._texts, parents, chosen)
        self._writers = _followed(
            self._writers, parents, np.broadcast_to(np.arange(beams, dtype=np.int32), (count, beams))
        )
        return chosen

    def keep(self, rows: Array) -> None:
        """Go on with these sentences of the batch alone."""
        self.done, self._numbers, self._scores = self.done[rows], self._numbers[rows], self._scores[rows]
        self._texts, self._writers = self._texts[rows], self._writers[rows]


def _followed(past: Array, parents: Array, last: Array) -> Array:
    """Return the past of each beam's parent (N, L, T), followed by `last` (N, L)."""
    return np.concatenate([np.take_along_axis(past, parents[:, :, None], 1), last[:, :, None]], -1)


def repeated(texts: Array, length: int) -> tuple[list[int], list[int]]:
    """Return rows and tokens of texts (R, T) that must not follow, so that no run of `length` tokens comes twice."""
    rows, tokens = [], []
    for row, text in enumerate(texts.tolist()):
        last = text[len(text) - length + 1 :]
        for first in range(len(text) - length + 1):
            if text[first : first + length - 1] == last:
                rows.append(row)
                tokens.append(text[first + length - 1])
    return rows, tokens
