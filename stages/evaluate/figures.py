"""Figures, and how sure they are: bootstrap over utterances or recordings.

Efron 1979; paired as in Bisani and Ney, "Bootstrap estimates for confidence intervals in ASR performance
evaluation", ICASSP 2004."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ROUNDS = 2000
SEED = 0
BOUNDS = (2.5, 97.5)  # percentiles: a confidence interval of 95 %
MIN_PARTS = 5  # fewer say nothing of how far others would differ


@dataclass(frozen=True)
class Addend:
    """The addition of one unit of resampling to both sums of a ratio."""

    above: float
    below: float


@dataclass(frozen=True)
class Figure:
    """A number for the table. Where it is the ratio of two sums, `parts` are their terms, `scale` times which it is;
    the same units stand at the same places for every system."""

    key: str
    title: str
    value: float | None
    unit: str = ""
    digits: int = 1
    parts: tuple[Addend, ...] = ()
    scale: float = 1.0

    @property
    def interval(self) -> tuple[float, float] | None:
        """Return the bounds between which the value lies with 95 % confidence; None where they cannot be told."""
        return _bounds(_ratios(self)) if _is_resampled(self) else None

    def difference(self, first: Figure) -> tuple[float, float, float] | None:
        """Return by how much it is above `first`, and the bounds of that, both resampled alike."""
        if self.value is None or first.value is None or len(self.parts) != len(first.parts):
            return None
        if not _is_resampled(self) or not _is_resampled(first):
            return None
        low, high = _bounds([one - other for one, other in zip(_ratios(self), _ratios(first), strict=True)])
        return self.value - first.value, low, high


def ratio(
    key: str, title: str, parts: Sequence[Addend], unit: str = "%", scale: float = 100.0, digits: int = 1
) -> Figure:
    """Return the figure of a ratio; its value is None where there is nothing to divide by."""
    below = sum(part.below for part in parts)
    value = scale * sum(part.above for part in parts) / below if below else None
    return Figure(key, title, value, unit, digits, tuple(parts), scale)


def _is_resampled(figure: Figure) -> bool:
    return sum(part.below > 0 for part in figure.parts) >= MIN_PARTS


def _ratios(figure: Figure) -> list[float]:
    """Return the ratio in every round of drawing as many parts, with replacement."""
    import numpy as np

    count = len(figure.parts)
    random = np.random.default_rng(SEED)
    above = np.array([part.above for part in figure.parts])
    below = np.array([part.below for part in figure.parts])
    found = list[float]()
    for _ in range(ROUNDS):
        drawn = random.integers(0, count, count)
        total = below[drawn].sum()
        found.append(figure.scale * above[drawn].sum() / total if total else 0.0)
    return found


def _bounds(values: Sequence[float]) -> tuple[float, float]:
    import numpy as np

    low, high = np.percentile(values, BOUNDS)
    return float(low), float(high)
