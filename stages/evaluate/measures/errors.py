"""Word and character error rates, and the errors they are made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sutradhar.stages.evaluate.alignment import Edit
from sutradhar.stages.evaluate.comparing import Comparison, compare
from sutradhar.stages.evaluate.figures import Addend, Figure, ratio
from sutradhar.stages.evaluate.measures import Conditions, Measure, lacks_text
from sutradhar.stages.evaluate.normalise import NORMALISERS, folds_spelling
from sutradhar.stages.evaluate.scored import text_of
from sutradhar.stages.evaluate.units import parts_of
from sutradhar.stages.text.loops import repeated
from sutradhar.stages.text.scripts import is_spaceless

_NAMES = {"substitution": "substitutions", "deletion": "deletions", "insertion": "insertions"}


def lacks(comparison: Comparison, conditions: Conditions) -> str:
    if conditions.is_translation:
        return "a translation has other words than its reference"
    return lacks_text(comparison)


def measure(comparisons: Sequence[Comparison], conditions: Conditions) -> Iterator[Figure]:
    yield ratio("wer", "WER", parts_of(comparisons, error_of))
    if folds_spelling(conditions.language):
        folded = [_again(comparison) for comparison in comparisons]
        yield ratio("wer_spelling", "WER, spelling folded", parts_of(folded, error_of))
    yield ratio("cer", "CER", [_characters(comparison) for comparison in comparisons])
    counted = [edit for comparison in comparisons for edit in comparison.counted]
    yield Figure("words", "words", sum(edit.kind != "insertion" for edit in counted), digits=0)
    for kind, name in _NAMES.items():
        yield Figure(name, name, sum(edit.kind == kind for edit in counted), digits=0)
    yield Figure("loops", "insertions in loops", sum(map(_looped, comparisons)), digits=0)


def error_of(_: Comparison, edit: Edit) -> Addend:
    return Addend(edit.is_error, edit.kind != "insertion")


def _again(comparison: Comparison) -> Comparison:
    return compare(comparison.name, comparison.reference, comparison.hypothesis, NORMALISERS["spelling"])


def _characters(comparison: Comparison) -> Addend:
    """Return the errors, and the characters of the reference, spaces among them, without what is free."""
    import jiwer

    free = {edit.heard for edit in comparison.edits if edit.is_free and edit.kind != "deletion"}
    said = text_of(word for word in comparison.said if not word.is_optional)
    heard = text_of(word for place, word in enumerate(comparison.heard) if place not in free)
    counts = jiwer.process_characters(_unspaced(said), _unspaced(heard))
    return Addend(
        counts.substitutions + counts.deletions + counts.insertions,
        counts.hits + counts.substitutions + counts.deletions,
    )


def _unspaced(text: str) -> str:
    """Return the text without the spaces that stand behind characters which need none."""
    return "".join(
        character
        for before, character in zip(["", *text], text, strict=False)
        if not (character == " " and before and is_spaceless(before))
    )


def _looped(comparison: Comparison) -> int:
    again = repeated([word.text for word in comparison.heard])
    return sum(edit.kind == "insertion" and edit.heard in again for edit in comparison.counted)


MEASURE = Measure("errors", lacks, measure)
