"""Transcripts out of a few words."""

from __future__ import annotations

import re

from sutradhar.stages.cues.cutting import build_cues
from sutradhar.stages.cues.rules import Rules, rules_for
from sutradhar.stages.transcript import Segment, Transcript, Word


def spoken(text: str, language: str = "en", duration_ms: int = 60_000, character_ms: int = 60) -> Transcript:
    """`text` as words of so many ms a character. "[700]" is a pause of 700 ms, " |" the end of a segment."""
    segments: list[list[Word]] = [[]]
    now = 0
    for part in re.findall(r"\[\d+\]|\|| *[^ \[|]+", text):
        if part == "|":
            segments.append([])
        elif part.startswith("["):
            now += int(part[1:-1])
        else:
            segments[-1].append(Word(part, now, now + character_ms * len(part), 0.9))
            now += character_ms * len(part)
    return transcript(segments, language, duration_ms)


def transcript(segments: list[list[Word]], language: str = "en", duration_ms: int = 60_000) -> Transcript:
    return Transcript(
        language, 0, duration_ms, tuple(segment(number, words, language) for number, words in enumerate(segments))
    )


def segment(number: int, words: list[Word], language: str) -> Segment:
    text = "".join(word.text for word in words)
    return Segment(number, words[0].start_ms, words[-1].end_ms, text, tuple(words), language, 1.0, -0.2, 0.0, 1.5, 0.0)


def netflix(language: str = "en") -> Rules:
    return rules_for("netflix", language, 24.0)


def shown(spoken_words: Transcript, rules: Rules | None = None) -> list[str]:
    """The cues as text, their lines parted by " / "."""
    return [" / ".join(cue.lines) for cue in build_cues(spoken_words, rules or netflix(spoken_words.language))]
