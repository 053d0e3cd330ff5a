"""The units that are drawn when figures are resampled: recordings where there are enough, else utterances of the
reference. Errors inside one go together, so larger units give the more honest intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sutradhar.stages.evaluate.alignment import Edit
from sutradhar.stages.evaluate.comparing import Comparison
from sutradhar.stages.evaluate.figures import MIN_PARTS, Addend


def units_of(comparisons: Sequence[Comparison]) -> str:
    return "recordings" if len(comparisons) >= MIN_PARTS else "utterances"


def parts_of(comparisons: Sequence[Comparison], part: Callable[[Comparison, Edit], Addend]) -> list[Addend]:
    """Return what the steps of the alignments that count add up to in each unit."""
    by_recording = units_of(comparisons) == "recordings"
    found: list[Addend] = []
    for comparison in comparisons:
        sums = [Addend(0, 0)] * (1 if by_recording else max(1, len(comparison.reference.utterances)))
        for edit in comparison.counted:
            unit = 0 if by_recording else comparison.utterance_of(edit)
            added = part(comparison, edit)
            sums[unit] = Addend(sums[unit].above + added.above, sums[unit].below + added.below)
        found += sums
    return found
