"""Numbers of a sentence that its translation lacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stages.text.characters import words_of
from stages.text.numbers import Quantity, numbers, quantities

# Numbers that are often written as words, and what else they may have become, by language.
_WORDS: Mapping[str, tuple[str, ...]] = {
    "en": (
        "zero no",
        "one first once single a an",
        "two second twice half both double couple",
        "three third thrice",
        "four fourth quarter",
        "five fifth",
        "six sixth",
        "seven seventh",
        "eight eighth",
        "nine ninth",
        "ten tenth",
        "eleven eleventh",
        "twelve twelfth dozen noon midnight",
    ),
    "hi": (
        "शून्य ज़ीरो जीरो",
        "एक पहला पहली पहले प्रथम इक",
        "दो दूसरा दूसरी दूसरे दोनों द्वितीय आधा",
        "तीन तीसरा तीसरी तीसरे तृतीय",
        "चार चौथा चौथी चौथे चौथाई",
        "पाँच पांच पाँचवाँ पांचवां पाँचवीं पाँचवें",
        "छह छः छे छ: छठा छठी छठे",
        "सात सातवाँ सातवां सातवीं सातवें",
        "आठ आठवाँ आठवां आठवीं आठवें",
        "नौ नौवाँ नौवां नौवीं नौवें",
        "दस दसवाँ दसवां दसवीं दसवें",
        "ग्यारह ग्यारहवाँ ग्यारहवीं ग्यारहवें",
        "बारह बारहवाँ बारहवीं बारहवें दर्जन",
    ),
}


_SPOKEN = {name.split()[0] for names in _WORDS.values() for name in names[:11]}


def lost(source: str, target: str, target_language: str) -> bool:
    """Is there a number in digits that the target has neither in digits, of any script, nor up to twelve as a word?

    2 crore, 20 million and 2,00,00,000 are one; 15 crore is not 15 million. For target languages whose words are not known here, numbers up
    to twelve are passed."""
    written, words = numbers(target), set(words_of(target))
    names = _WORDS.get(target_language)
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


def is_number(word: str) -> bool:
    """In digits, or one of the words up to ten."""
    return word in _SPOKEN or any(character.isdigit() for character in word)
