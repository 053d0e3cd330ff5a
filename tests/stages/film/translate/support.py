"""Transcripts out of a few words."""

from __future__ import annotations

import re

from sutradhar.stages.transcript import Segment, Transcript, Word

CHARACTER_MS = 60


def spoken(text: str, language: str = "hi", untimed: bool = False) -> Transcript:
    """`text` as words of 60 ms a character. "~700" is a pause of 700 ms, " |" the end of a segment."""
    segments: list[list[Word]] = [[]]
    now = 0
    for part in re.findall(r"~\d+|\|| *[^ ~|]+", text):
        if part == "|":
            segments.append([])
        elif part.startswith("~"):
            now += int(part[1:])
        else:
            segments[-1].append(Word(part, now, now + CHARACTER_MS * len(part), 0.9))
            now += CHARACTER_MS * len(part)
    return transcript([segment(words, language, untimed) for words in segments], language)


def segment(words: list[Word], language: str, untimed: bool = False) -> Segment:
    text = "".join(word.text for word in words).strip()
    return Segment(
        0,
        words[0].start_ms,
        words[-1].end_ms,
        text,
        () if untimed else tuple(words),
        language,
        1.0,
        -0.2,
        0.0,
        1.5,
        0.0,
    )


def transcript(segments: list[Segment], language: str = "hi") -> Transcript:
    return Transcript(language, 0, 600_000, tuple(segments))
