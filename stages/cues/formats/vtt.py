"""WebVTT, where &, < and > are markup (and so is -->): https://www.w3.org/TR/webvtt1/#webvtt-cue-text"""

from __future__ import annotations

from html import escape

from sutradhar.stages.cues.formats.events import render
from sutradhar.stages.cues.formats.format import Format
from sutradhar.stages.transcript import Track, Transcript

_HEADER = "WEBVTT\n\n"


def _escaped(line: str) -> str:
    return escape(line, quote=False)


def _write(transcript: Transcript, track: Track) -> str:
    """Write the cues and the track's note, a comment, which no player shows."""
    note = f"NOTE {track.note.replace('-->', '->')}\n\n" if track.note else ""
    return _HEADER + note + render(track, "vtt").removeprefix(_HEADER)


FORMAT = Format(escape=_escaped, write=_write)
