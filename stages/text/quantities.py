"""Numbers as values, in digits of any script or in words: 2.5 crore, ढाई करोड़ and twenty-five million are one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import takewhile

from sutradhar.stages.text.characters import IN_WORD, clean
from sutradhar.stages.text.number_words import ADDED, MAGNITUDES, PORTIONS, VALUES
from sutradhar.stages.text.numbers import MAX_DIGITS, numbers

_TOKEN = re.compile(
    r"(?P<time>(?<![:\d])\d{1,2}:\d\d)(?![:\d])"
    r"|(?P<share>(?<![/\d])[1-3]/[2-4](?![/\d]))"
    r"|(?P<number>\d+(?:,\d+)*(?:\.\d+)?)(?![:\d])"
    rf"|(?P<word>[^\W\d_][{IN_WORD}]*)|(?P<mark>\S)"
)
# English for quantities that have a word in Hindi, written as that word.
_ENGLISH_PHRASES: Mapping[re.Pattern[str], str] = {
    re.compile(pattern, re.IGNORECASE): word
    for pattern, word in {
        r"\bhalf past\b": "साढ़े",
        r"\bquarter past\b": "सवा",
        r"\bquarter (?:to|of)(?= \w+\b)": "पौने",
        r"\band (?:a )?half\b": " ½",
        r"\bhalf an? ": "half ",
        r"\ban? (?=(?:hundred|thousand|lakh|lac|million|crore|billion|trillion)\b)": "one ",
    }.items()
}
_JOINED_TENS = re.compile(r"\b(\w+ty)-(?=\w)")
_FACTORS = {**MAGNITUDES, "dozen": 12, "dozens": 12, "दर्जन": 12, "दर्जनों": 12}
_GIVE = "दो"  # two, or "give!"


@dataclass(frozen=True)
class Quantity:
    """A number with all its multipliers: 2.5 crore, 1 crore 20 lakh."""

    value: Fraction
    numbers: frozenset[int]  # its parts in digits, as `numbers` gives them
    multiplied: bool
    is_exact: bool = True  # False for "thousand" with no number before it
    parts: frozenset[Fraction] = frozenset()  # the multiplied numbers, each by itself
    otherwise: frozenset[Fraction] = frozenset()  # other values that it may mean


@dataclass(frozen=True)
class _Part:
    value: Fraction
    times: int = 1
    digits: frozenset[int] = frozenset()
    word: str = ""  # empty for digits
    otherwise: frozenset[Fraction] = frozenset()
    is_share: bool = False  # written as 1/2


def quantities(text: str, language: str = "") -> list[Quantity]:
    """Return the numbers of a text; numbers in words too where the language is English or Hindi."""
    reader = _Reader(VALUES.get(language, {}))
    for match in _TOKEN.finditer(_prepared(text)):
        reader.read(match)
    return [_quantity(parts) for parts in reader.found if parts]


def _quantity(parts: Sequence[_Part]) -> Quantity:
    value = sum((part.value * part.times for part in parts), Fraction(0))
    otherwise = frozenset[Fraction]().union(*(part.otherwise for part in parts))
    if len(parts) > 1 and parts[-1].word == _GIVE and parts[-1].times == 1:
        otherwise |= {value - 2}
    return Quantity(
        value,
        frozenset[int]().union(*(part.digits for part in parts)),
        any(part.times > 1 for part in parts),
        any(part.word not in _FACTORS for part in parts),
        frozenset(part.value for part in parts),
        otherwise,
    )


class _Reader:
    """A reader that puts tokens together to numbers, each of parts of falling size."""

    def __init__(self, values: Mapping[str, Fraction]) -> None:
        self.found: list[list[_Part]] = [[]]
        self._values = values
        self._is_open = False  # nothing else has come since the last part
        self._added = Fraction(0)  # to the number that comes next

    def read(self, match: re.Match[str]) -> None:
        word = match["word"].lower() if match["word"] else ""
        part = _part(match, word, self._values)
        if word in ADDED and self._values:
            self._added = ADDED[word]
        elif self._is_open and (changed := _changed(self.found[-1][-1], word, part)):
            self.found[-1][-1] = changed
        elif part:
            self._take(replace(part, value=part.value + self._added))
        elif word in _FACTORS and self._is_open and not self._added:
            self._multiply(_FACTORS[word])
        elif word in _FACTORS and self._values:
            self.found.append([_Part(1 + self._added, _FACTORS[word], word="" if self._added else word)])
            self._is_open, self._added = True, Fraction(0)
        elif word != "and" or not self._is_open or self.found[-1][-1].times == 1:
            self._is_open = False
            self._added = self._added if match["mark"] == "-" else Fraction(0)

    def _take(self, part: _Part) -> None:
        """Take a number: the next part of the open one, or the first of another."""
        parts = self.found[-1]
        if self._is_open and _is_century(parts[-1], part):
            parts[-1] = replace(parts[-1], times=100)
        if not (self._is_open and 1 < parts[-1].times > part.value):
            parts = []
            self.found.append(parts)
        parts.append(part)
        self._is_open, self._added = True, Fraction(0)

    def _multiply(self, factor: int) -> None:
        """Multiply the last parts, as many as are smaller: two hundred fifty thousand. But "two hundred five hundred"
        are two numbers."""
        parts = self.found[-1]
        smaller = list(takewhile(lambda part: part.times < factor, reversed(parts)))[::-1]
        parts[len(parts) - len(smaller) :] = [replace(part, times=part.times * factor) for part in smaller]
        if len(parts) > 1 and parts[-1].times >= parts[-2].times:
            self.found.append([parts.pop()])


def _prepared(text: str) -> str:
    text = _JOINED_TENS.sub(r"\1 ", clean(text))
    for pattern, word in _ENGLISH_PHRASES.items():
        text = pattern.sub(word, text)
    return clean(text)


def _part(match: re.Match[str], word: str, values: Mapping[str, Fraction]) -> _Part | None:
    if match["number"]:
        return _decimal(match["number"])
    if match["time"]:
        hour, minutes = map(int, match["time"].split(":"))
        return _Part(
            hour + Fraction(minutes, 60), digits=frozenset((hour, minutes)), otherwise=_on_the_clock(hour, minutes)
        )
    if match["share"]:
        above, below = map(int, match["share"].split("/"))
        return _Part(Fraction(above, below), digits=frozenset((above, below)), is_share=True)
    return _Part(values[word], word=word) if word in values else None


def _decimal(number: str) -> _Part:
    whole, _, decimals = number[-MAX_DIGITS:].replace(",", "").partition(".")
    value = Fraction(int(whole)) + (Fraction(int(decimals), 10 ** len(decimals)) if decimals else 0)
    clock = (
        _on_the_clock(int(whole), int(decimals)) if len(decimals) == 2 and int(whole) < 24 else frozenset[Fraction]()
    )
    return _Part(value, digits=frozenset(numbers(number)), otherwise=clock)


def _on_the_clock(hour: int, minutes: int) -> frozenset[Fraction]:
    """Return the hours that a time may be told as: 17:30 is half past five, 12:45 a quarter to one."""
    return frozenset(Fraction(minutes, 60) + hour for hour in (hour, (hour - 1) % 12 + 1, hour % 12))


def _changed(last: _Part, word: str, part: _Part | None) -> _Part | None:
    """Return the last part of a number with the word that changes it: "and a half", the "s" of the 1990s, the five of
    twenty-five."""
    if word == "½":
        return replace(last, value=last.value + Fraction(1, 2))
    if word == "s":
        return replace(last, otherwise=last.otherwise | {last.value % 100})
    if part is None or last.times > 1:
        return None
    if word in PORTIONS:
        return replace(last, value=last.value * part.value)
    return replace(last, value=last.value + part.value) if _is_tail(last, word, part) else None


def _is_tail(last: _Part, word: str, part: _Part) -> bool:
    """Return whether they are twenty and five, words of English, in which tens and units are two; or 2 and 1/2."""
    if word:
        return last.word.endswith("ty") and word.isascii() and part.value in range(1, 10)
    return last.word == "" and last.value.denominator == 1 and part.is_share


def _is_century(left: _Part, right: _Part) -> bool:
    """Return whether they are nineteen and forty-seven: a year as English says it."""
    return (
        left.word.isascii()
        and right.word.isascii()
        and left.times == 1
        and 15 <= left.value <= 20
        and 10 <= right.value < 100
        and "" not in (left.word, right.word)
    )
