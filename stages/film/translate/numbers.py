"""The numbers of a sentence that its translation lacks."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from sutradhar.stages.text.characters import words_of
from sutradhar.stages.text.number_words import NUMBER_WORDS, VALUES
from sutradhar.stages.text.numbers import digits_of, numbers
from sutradhar.stages.text.quantities import Quantity, quantities

_SMALL = 12  # up to this a number may be a word of many forms: once, both, a dozen
_GROUPED = 10_000  # from here on digits are a telephone number more often than not, and parted in many ways
_LONG = 4  # digits, without the zeros behind them: nobody writes such a number in words
_SHARES = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))  # 50 % is a half


def lost(source: str, target: str, source_language: str, target_language: str) -> bool:
    """Return whether there is a number that the target has neither in digits, of any script, nor in words.

    2 crore, 20 million and two crore are one; 15 crore is not 15 million. A number in words counts as lost only where
    the target has another in its place: "सौ बार" may be "a thousand times". So does any number where the target's
    words are not known here, but for long ones."""
    said, translated = quantities(source, source_language), quantities(target, target_language)
    missing = [one for one in said if not _is_kept(one, translated, target, target_language)]
    if not missing:
        return False
    strange = [other for other in translated if other.is_exact and not any(_is_same(one, other) for one in said)]
    if target_language in VALUES:
        return any(
            one.numbers or (strange and one.is_exact and one.value > _SMALL and _has_large(strange)) for one in missing
        )
    return any(one.numbers and (strange or _is_long(one)) for one in missing)


def _is_kept(one: Quantity, translated: Sequence[Quantity], target: str, language: str) -> bool:
    if any(_is_same(one, other) for other in translated):
        return True
    if one.multiplied and (
        language in VALUES or any(other.multiplied and other.parts == one.parts for other in translated)
    ):
        return False
    read, digits = numbers(target) | {part for other in translated for part in other.parts}, digits_of(target)
    return bool(one.numbers) and all(
        number in read or (number >= _GROUPED and str(number) in digits) or _is_small_word(number, target, language)
        for number in one.numbers
    )


def _is_same(one: Quantity, other: Quantity) -> bool:
    if other.value in _SHARES and one.value == 100 * other.value:
        return True
    return not ({one.value} | one.otherwise).isdisjoint({other.value} | other.otherwise)


def _is_small_word(number: int, target: str, language: str) -> bool:
    """Return whether the number is so small that it may be one of many words, or stand there as one of them."""
    names = NUMBER_WORDS.get(language)
    return number <= _SMALL and (names is None or not set(words_of(target)).isdisjoint(names[number].split()))


def _has_large(translated: Sequence[Quantity]) -> bool:
    return any(one.numbers or one.value > _SMALL for one in translated)


def _is_long(one: Quantity) -> bool:
    return any(len(str(number).rstrip("0")) >= _LONG for number in one.numbers)
