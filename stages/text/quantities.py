"""Numbers as values, whether in digits of any script or in words: 2.5 crore, ढाई करोड़ and twenty-five million are one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from stages.text.characters import IN_WORD, clean
from stages.text.number_words import ADDED, MAGNITUDES, PORTIONS, VALUES
from stages.text.numbers import MOST_DIGITS, numbers

_TOKEN = re.compile(
    rf"(?P<time>(?<![:\d])\d{{1,2}}:\d\d)(?![:\d])|(?P<share>(?<![/\d])[1-3]/[2-4](?![/\d]))|(?P<number>\d+(?:,\d+)*(?:\.\d+)?)(?![:\d])"
    rf"|(?P<word>[^\W\d_][{IN_WORD}]*)|(?P<mark>\S)"
)
# English for what Hindi has a word for, put as that.
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
    """A number with all that multiplies it: 2.5 crore, 1 crore 20 lakh."""

    value: Fraction
    numbers: frozenset[int]  # its parts in digits, as `numbers` gives them
    multiplied: bool
    is_exact: bool = True  # False for "thousand" with no number before it
    parts: frozenset[Fraction] = frozenset()  # what is multiplied, each by itself
    otherwise: frozenset[Fraction] = frozenset()  # what it may mean besides


@dataclass(frozen=True)
class _Part:
    value: Fraction
    times: int = 1
    digits: frozenset[int] = frozenset()
    word: str = ""  # empty for digits
    otherwise: frozenset[Fraction] = frozenset()


@dataclass
class _Run:
    """The parts of one number, of falling size."""

    parts: list[_Part] = field(default_factory=list)
    is_open: bool = False  # nothing else has come since the last of them

    def takes(self, part: _Part) -> bool:
        """May the part, a number, follow those that are there?"""
        if not self.parts or not self.is_open:
            return not self.parts
        last = self.parts[-1]
        return last.times > 1 and part.value < last.times

    def multiply(self, factor: int) -> None:
        """Multiply the last parts, as many as are smaller than the factor: two hundred fifty thousand."""
        for place in range(len(self.parts) - 1, -1, -1):
            if self.parts[place].times >= factor:
                break
            self.parts[place] = replace(self.parts[place], times=self.parts[place].times * factor)

    def split(self) -> Iterator[_Run]:
        """Without a last part that is no smaller than the one before it: "two hundred, five hundred" are two numbers."""
        if len(self.parts) > 1 and self.parts[-1].times >= self.parts[-2].times:
            yield _Run(self.parts[:-1])
            self.parts = self.parts[-1:]


def quantities(text: str, language: str = "") -> list[Quantity]:
    """The numbers of a text; those in words too where the language is English or Hindi."""
    return [_quantity(run.parts) for run in _runs(text, VALUES.get(language, {}))]


def _quantity(parts: list[_Part]) -> Quantity:
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


def _runs(text: str, values: Mapping[str, Fraction]) -> Iterator[_Run]:
    run, added = _Run(), Fraction(0)
    for match in _TOKEN.finditer(_prepared(text)):
        word = match["word"].lower() if match["word"] else ""
        part = _part(match, word, values)
        factor = _FACTORS.get(word, 1)
        if word in ADDED and values:
            added = ADDED[word]
        elif word == "½" and run.is_open:
            run.parts[-1] = replace(run.parts[-1], value=run.parts[-1].value + Fraction(1, 2))
        elif word in PORTIONS and part and run.is_open and run.parts[-1].times == 1:
            run.parts[-1] = replace(run.parts[-1], value=run.parts[-1].value * part.value)
        elif word == "s" and run.is_open:
            run.parts[-1] = replace(run.parts[-1], otherwise=frozenset((run.parts[-1].value % 100,)))  # the 1990s are the nineties
        elif part:
            part, added = replace(part, value=part.value + added), Fraction(0)
            if run.is_open and _is_tail(run.parts[-1], part, is_share=match["share"] is not None):
                run.parts[-1] = replace(run.parts[-1], value=run.parts[-1].value + part.value)
                continue
            if run.is_open and _is_century(run.parts[-1], part):
                run.parts[-1] = replace(run.parts[-1], times=100)
            if not run.takes(part):
                yield run
                run = _Run()
            run.parts.append(part)
            run.is_open = True
        elif factor > 1 and run.is_open and not added:
            run.multiply(factor)
            yield from run.split()
        elif factor > 1 and values:
            if run.parts:
                yield run
            run, added = _Run([_Part(1 + added, factor, word="" if added else word)], is_open=True), Fraction(0)
        elif not (word == "and" and run.is_open and run.parts[-1].times > 1):
            run.is_open, added = False, added if match["mark"] == "-" else Fraction(0)
    if run.parts:
        yield run


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
        return _Part(hour + Fraction(minutes, 60), digits=frozenset((hour, minutes)), otherwise=_on_the_clock(hour, minutes))
    if match["share"]:
        above, below = map(int, match["share"].split("/"))
        return _Part(Fraction(above, below), digits=frozenset((above, below)))
    return _Part(values[word], word=word) if word in values else None


def _decimal(number: str) -> _Part:
    whole, _, decimals = number[-MOST_DIGITS:].replace(",", "").partition(".")
    value = Fraction(int(whole)) + (Fraction(int(decimals), 10 ** len(decimals)) if decimals else 0)
    clock = _on_the_clock(int(whole), int(decimals)) if len(decimals) == 2 and int(whole) < 24 else frozenset[Fraction]()
    return _Part(value, digits=frozenset(numbers(number)), otherwise=clock)


def _on_the_clock(hour: int, minutes: int) -> frozenset[Fraction]:
    """The hours that a time may be told as: 17:30 is half past five, 12:45 a quarter to one."""
    return frozenset(Fraction(minutes, 60) + hour for hour in (hour, (hour - 1) % 12 + 1, hour % 12))


def _is_tail(left: _Part, right: _Part, *, is_share: bool) -> bool:
    """Twenty and five, words of English, in which tens and units are two; or 2 and 1/2."""
    if is_share:
        return left.times == 1 and left.word == "" and left.value.denominator == 1
    is_unit = right.word.isascii() and right.word != "" and right.value in range(1, 10)
    return left.word.endswith("ty") and left.times == 1 and is_unit


def _is_century(left: _Part, right: _Part) -> bool:
    """Nineteen and forty-seven: a year as it is said in English."""
    return (
        left.word.isascii()
        and right.word.isascii()
        and left.times == 1
        and 15 <= left.value <= 20
        and 10 <= right.value < 100
        and "" not in (left.word, right.word)
    )
