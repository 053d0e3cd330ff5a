"""Notice a text that is the prompt again: where nothing can be understood, Whisper writes down what it was told
before.

Names of the prompt are meant to be heard, so likeness alone proves nothing. A text that `repeats` the prompt is
decoded once more without it, and words that are `confirmed` so, in any spelling, were said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from sutradhar.stages.text.characters import clean, words_of
from sutradhar.stages.text.scripts import is_spaceless

_ALIKE = 0.75  # likeness of two words: one is copied with another ending
_HEARD_ALIKE = 0.5  # likeness of two words: one is heard otherwise without the prompt
_SHARE = 0.5  # share of a text, by its words or its letters, in runs of the prompt
_LONG_RUN = 16  # letters: so many in a row are no coincidence in a text of any length
_CHARACTER_WORTH = 3  # letters that a character of a script without spaces counts for


@dataclass(frozen=True)
class Echo:
    words: tuple[str, ...]  # the words that stand in the prompt


def repeats(text: str, prompt: str) -> Echo | None:
    """Return the words that a text has from the prompt, where they are most of it, or a long run; else None."""
    said, told = _units(text), _units(prompt)
    if not said or not told:
        return None
    known = [_likest(unit, told) for unit in said]
    if all(known):
        return Echo(tuple(said))
    runs = [said[begin:end] for begin, end in _runs(known, told) if end - begin > 1]
    copied = tuple(unit for run in runs for unit in run)
    long = any(_weight(run) >= _LONG_RUN for run in runs)
    most = len(copied) > _SHARE * len(said) or _weight(copied) > _SHARE * _weight(said)
    return Echo(copied) if long or most else None


def confirmed(echo: Echo, text: str) -> bool:
    """Tell whether a text that was decoded without the prompt has the words too, or most of them, in its own
    spelling and script."""
    from anyascii import anyascii

    heard = [anyascii(unit).lower() for unit in _units(text)]
    found = [unit for unit in echo.words if _likest(anyascii(unit).lower(), heard, _HEARD_ALIKE)]
    return _weight(found) > _SHARE * _weight(echo.words)


def _runs(known: Sequence[str], told: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield begin and end of each stretch that stands so in the prompt, which may be written down more than once."""
    begin = 0
    while begin < len(known):
        lengths = (_common(known[begin:], told[place:]) for place in range(len(told)))
        length = max(1, *lengths)
        yield begin, begin + length
        begin += length


def _common(left: Sequence[str], right: Sequence[str]) -> int:
    """Count the units that both begin with."""
    return next(
        (place for place, (one, other) in enumerate(zip(left, right, strict=False)) if one != other),
        min(len(left), len(right)),
    )


def _units(text: str) -> list[str]:
    """Return the words of a text; the characters in a script without spaces."""
    return [unit for word in words_of(clean(text)) for unit in (word if any(map(is_spaceless, word)) else [word])]


def _likest(unit: str, others: Sequence[str], alike: float = _ALIKE) -> str:
    """Return the other word that is most like a word, "" where none is."""
    if unit in others or is_spaceless(unit[:1]):
        return unit if unit in others else ""
    scores = {other: SequenceMatcher(None, unit, other, autojunk=False).ratio() for other in set(others)}
    best = max(sorted(scores), key=lambda other: scores[other], default="")
    return best if scores.get(best, 0.0) >= alike else ""


def _weight(units: Sequence[str]) -> int:
    return sum(_CHARACTER_WORTH if is_spaceless(unit[:1]) else len(unit) for unit in units)
