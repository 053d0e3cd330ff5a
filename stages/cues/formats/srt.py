"""SubRip. It has no escapes: text is written as it is."""

from __future__ import annotations

from stages.cues.formats.events import render
from stages.transcript import Track, Transcript


def write(transcript: Transcript, track: Track) -> str:
    return render(track, "srt")
