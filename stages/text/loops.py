"""Find repetitions: recognisers and translators that lose the thread write the same words without end."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sutradhar.stages.text.characters import bare, word_set
from sutradhar.stages.text.numbers import is_number

TIMES = 3  # twice may be meant
LONGEST = 8  # words
_ONE_LETTER = re.compile(r"([^\W\d_])\1{5,}")  # nooooooo; not 1000000
_SYLLABLES = re.compile(r"([^\W\d_][^\s\d_]{1,11}?)\1{2,}")  # killillillill
_MANY_TIMES = 6
_LAUGHED = word_set(
    "ha ah he eh hi ih ho oh la na da di ta हा हे ही हो खी हि ला ना আহা হা হি லா ஹா హా లా ಹಾ ഹാ હા ਹਾ ہا"
)  # or sung, fewer times than that


def collapse(text: str) -> str:
    """Return the text with the same one to eight words, three times or more, written once. Numbers stay: nine nine
    nine may be dialled."""
    words = _without_stutter(text).split()
    keys = [bare(word) or word for word in words]
    kept: list[str] = []
    place = 0
    while place < len(words):
        length, times = _loop_at(keys, place)
        kept += words[place : place + length]
        if times > 1:
            kept[-1] = _punctuated_as(kept[-1], words[place + length * times - 1])
        place += length * times
    return " ".join(kept)


def _once(match: re.Match[str]) -> str:
    unit = match[1]
    return match[0] if unit.lower() in _LAUGHED and len(match[0]) < _MANY_TIMES * len(unit) else unit


def stutters(text: str) -> bool:
    """Return whether a letter or syllable is said over and over inside a word."""
    return _without_stutter(text) != text


def _without_stutter(text: str) -> str:
    return _SYLLABLES.sub(_once, _ONE_LETTER.sub(r"\1", text))


def loops(text: str) -> bool:
    return len(collapse(text)) < len(" ".join(text.split()))


def repeated(words: Sequence[str]) -> set[int]:
    """Return the places of words that a loop says again."""
    found, place = set[int](), 0
    while place < len(words):
        length, times = _loop_at(words, place)
        found.update(range(place + length, place + length * times))
        place += length * times
    return found


def _loop_at(keys: Sequence[str], place: int) -> tuple[int, int]:
    """Return how many words, and how many times, the shortest loop that begins there has: (1, 1) for none."""
    for length in range(1, min(LONGEST, (len(keys) - place) // TIMES) + 1):
        unit = keys[place : place + length]
        times = 1
        while keys[place + times * length : place + (times + 1) * length] == unit:
            times += 1
        if times >= TIMES and not all(map(is_number, unit)):
            return length, times
    return 1, 1


def _punctuated_as(word: str, last: str) -> str:
    """Return `word` with the punctuation that `last` ends in: "no, no, no!" leaves "no!"."""
    core = bare(word)
    end, last_end = word.lower().rfind(core) + len(core), last.lower().rfind(core) + len(core)
    return word[:end] + last[last_end:]
