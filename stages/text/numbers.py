"""Numbers as they are written: the digits of any script, and the words that belong to one number."""

from __future__ import annotations

import re
import unicodedata

from sutradhar.stages.text.characters import bare, clean, word_set
from sutradhar.stages.text.number_words import ADDED, MAGNITUDES, NUMBER_WORDS, VALUES

_CURRENCIES = word_set("rs re inr usd रु रू रुपये ரூ రూ ರೂ രൂ રૂ ਰੁ টাকা")
_UNITS = word_set(
    """% percent rupee rupees dollar dollars euro euros km kms kg kgs cm mm ml gb mb metres meters litres
    रुपये रुपए रुपया रूपये पैसे किमी किलो किलोमीटर प्रतिशत फ़ीसदी फीसदी टका टक्के ரூபாய் రూపాయలు ರೂಪಾಯಿ രൂപ રૂપિયા
    ਰੁਪਏ টাকা روپے"""
)
_WORDS = {word: value for values in VALUES.values() for word, value in values.items()}
_TENS = frozenset(word for word in _WORDS if word.endswith("ty"))
_SPOKEN = {name.split()[0] for names in NUMBER_WORDS.values() for name in names[:11]}
MAX_DIGITS = 100  # of a number; a longer run is not a number, and takes Python long
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[ \u00a0-](?=\d)")


def is_number(word: str) -> bool:
    """Return whether the word is in digits, or one of the words up to ten."""
    return word in _SPOKEN or any(character.isdigit() for character in word)


def numbers(text: str) -> set[int]:
    """Return the numbers in digits of any script: 1,500 and 1500 are one, 12:30 and 3.5 two each."""
    return {
        int(part[-MAX_DIGITS:])
        for number in _NUMBER.findall(text)
        for part in re.split("[.:]", number.replace(",", ""))
    }


def digits_of(text: str) -> str:
    """Return the digits of the text, of any script, as Latin ones; digits that only spaces or dashes part stand
    together."""
    return "".join(str(unicodedata.digit(mark)) if mark.isdigit() else mark for mark in _BETWEEN_DIGITS.sub("", text))


def one_number(left: str, right: str) -> bool:
    """Return whether the two neighbouring words belong to one number: "₹" "1,50,000", "2.5" "crore", "crore" "20",
    "साढ़े" "तीन", "10" "000", "5" "km"."""
    if left[-1:] in ",;:!?।":
        return False
    before, after = clean(bare(left)), clean(bare(right))
    if before in ADDED:
        return after != ""
    if after in MAGNITUDES and any(character.isalnum() for character in before):
        return True
    if before in _CURRENCIES or _is_currency(left[-1:]):
        return after[:1].isdigit()
    if left[-1:] == ".":
        return False
    if before in MAGNITUDES:
        return after[:1].isdigit() or after in _WORDS or _is_unit(right)
    if before in _TENS and after in _WORDS:
        return _WORDS[after] < 10
    if not before[-1:].isdigit():
        return before in _WORDS and _is_unit(right)
    return _is_unit(right) or (len(before) <= 3 and re.fullmatch(r"\d{3}", after) is not None)


def _is_unit(word: str) -> bool:
    return bool(not {word, clean(bare(word))}.isdisjoint(_UNITS | _CURRENCIES)) or _is_currency(word)


def _is_currency(text: str) -> bool:
    return len(text) == 1 and unicodedata.category(text) == "Sc"
