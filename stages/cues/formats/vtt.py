"""WebVTT, where &, < and > are markup (and so is -->): https://www.w3.org/TR/webvtt1/#webvtt-cue-text"""

from __future__ import annotations

from html import escape

from sutradhar.stages.cues.formats.events import render
from sutradhar.stages.transcript import Track, Transcript

_HEADER = "WEBVTT\n\n"


def write(transcript: Transcript, track: Track) -> str:
    """The track's note is a comment, which no player shows."""
    text = render(track, "vtt", lambda line: escape(line, quote=False))
    note = f"NOTE {track.note.replace('-->', '->')}\n\n" if track.note else ""
    return _HEADER + note + text.removeprefix(_HEADER)
