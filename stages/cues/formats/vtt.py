"""WebVTT, where &, < and > are markup (and so is -->): https://www.w3.org/TR/webvtt1/#webvtt-cue-text"""

from __future__ import annotations

from html import escape

from stages.cues.formats.events import render
from stages.transcript import Track, Transcript


def write(transcript: Transcript, track: Track) -> str:
    return render(track, "vtt", lambda line: escape(line, quote=False))
