"""Numbers of a sentence that its translation lacks."""

from __future__ import annotations

from collections.abc import Sequence

from stages.text.characters import words_of
from stages.text.numbers import NUMBER_WORDS, Quantity, numbers, quantities


def lost(source: str, target: str, target_language: str) -> bool:
    """Is there a number in digits that the target has neither in digits, of any script, nor up to twelve as a word?

    2 crore, 20 million and 2,00,00,000 are one; 15 crore is not 15 million. For target languages whose words are not known here, numbers up
    to twelve are passed."""
    written, words = numbers(target), set(words_of(target))
    names = NUMBER_WORDS.get(target_language)
    said, translated = quantities(source), quantities(target)
    kept = {number for one in said if any(one.value == other.value for other in translated) for number in one.numbers}
    return any(_is_multiplied_otherwise(one, translated) for one in said) or any(
        number not in written and (number > 12 or (names is not None and words.isdisjoint(names[number].split())))
        for number in numbers(source) - kept
    )


def _is_multiplied_otherwise(quantity: Quantity, translated: Sequence[Quantity]) -> bool:
    """Does the same number stand there with another factor, and nowhere with its own?"""
    same = [other for other in translated if other.multiplied and other.numbers == quantity.numbers]
    return quantity.multiplied and bool(same) and all(other.value != quantity.value for other in translated)
