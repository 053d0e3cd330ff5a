"""Numbers of a sentence that its translation lacks."""

from __future__ import annotations

import re
from collections.abc import Mapping

from stages.characters import words_of

_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
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
MOST_DIGITS = 100  # of a number; what is longer is none, and takes Python long


def lost(source: str, target: str, target_language: str) -> bool:
    """Is there a number in digits that the target has neither in digits, of any script, nor up to twelve as a word?

    For target languages whose words are not known here, numbers up to twelve are passed."""
    written, words = numbers(target), set(words_of(target))
    names = _WORDS.get(target_language)
    return any(
        number not in written and (number > 12 or (names is not None and words.isdisjoint(names[number].split()))) for number in numbers(source)
    )


def is_number(word: str) -> bool:
    """In digits, or one of the words up to ten."""
    return word in _SPOKEN or any(character.isdigit() for character in word)


def numbers(text: str) -> set[int]:
    """The numbers in digits of any script: 1,500 and 1500 are one, 12:30 and 3.5 two each."""
    return {int(part[-MOST_DIGITS:]) for number in _NUMBER.findall(text) for part in re.split("[.:]", number.replace(",", ""))}
