"""Cues and utterances as the package `suber` (subtitle-edit-rate) takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sutradhar.stages.evaluate.version import Version
from sutradhar.stages.transcript import Cue


def subtitles_of(cues: Sequence[Cue]) -> list[Any]:
    from suber.data_types import Subtitle

    return [
        Subtitle(index=number, start_time=cue.start_ms / 1000, end_time=cue.end_ms / 1000, word_list=_words(cue))
        for number, cue in enumerate(cues, 1)
    ]


def _words(cue: Cue) -> list[Any]:
    from suber.data_types import LineBreak, TimedWord

    times = {"subtitle_start_time": cue.start_ms / 1000, "subtitle_end_time": cue.end_ms / 1000}
    lines = [words for line in cue.lines if (words := line.split())]
    timed = [TimedWord(string=word, **times) for line in lines for word in line]
    place = 0
    for number, line in enumerate(lines, 1):
        place += len(line)
        timed[place - 1].line_break = LineBreak.END_OF_BLOCK if number == len(lines) else LineBreak.END_OF_LINE
    step = (cue.end_ms - cue.start_ms) / 1000 / max(1, len(timed))
    for number, word in enumerate(timed):
        word.approximate_word_time = cue.start_ms / 1000 + (number + 0.5) * step
    return timed


def segments_of(version: Version) -> list[Any]:
    from suber.data_types import Segment, Word

    return [Segment([Word(word.text) for word in one.words]) for one in version.utterances]
