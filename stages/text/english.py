"""Tell whether Whisper's translation into English is one: now and then it writes down what it hears instead."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from sutradhar.stages.text.attractors import attractors
from sutradhar.stages.text.loops import stutters
from sutradhar.stages.text.roman import language_of
from sutradhar.stages.transcript import Segment

FEW_WORDS = 3  # so many may be the same in both languages: names, hotel, okay
SAME = 0.6  # of the words, and it is the source again: spelled a little differently, 9 of 12 were (Spanish, base)


def is_translation(segment: Segment, source: Sequence[Segment]) -> bool:
    """Return whether a segment has words in Latin script that are no copy of the speech at its time, no Hindi and no
    endless syllables."""
    letters = [character for character in segment.text if character.isalpha()]
    latin = sum("LATIN" in unicodedata.name(letter, "") for letter in letters)
    said = set(_words(said_during(segment, source)))
    words = _words(segment.text)
    copied = sum(word in said for word in words)
    if not letters or language_of(segment.text) == "hindi" or stutters(segment.text):
        return False
    return 2 * latin >= len(letters) and not (len(words) > FEW_WORDS and copied >= SAME * len(words))


def shared_by_several(segments: Sequence[Segment], source: Sequence[Segment]) -> set[int]:
    """Return the places of segments that share their text with others while different things are said at each."""
    return attractors((said_during(segment, source), segment.text) for segment in segments)


def said_during(segment: Segment, source: Sequence[Segment]) -> str:
    return " ".join(
        other.text for other in source if other.start_ms < segment.end_ms and segment.start_ms < other.end_ms
    )


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())
