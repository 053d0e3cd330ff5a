"""SubRip. It has no escapes: text is written as it is. Nor has it comments: what puts the text in doubt is a cue too short to be seen."""

from __future__ import annotations

from msgspec.structs import replace

from stages.cues.formats.events import render
from stages.transcript import Cue, Track, Transcript

_UNSEEN_MS = 1


def write(transcript: Transcript, track: Track) -> str:
    start_ms = min([transcript.start_ms, *(cue.start_ms for cue in track.cues[:1])])
    note = (Cue(start_ms, start_ms + _UNSEEN_MS, (f"[{track.doubt}]",)),) if track.doubt else ()
    return render(replace(track, cues=(*note, *track.cues)), "srt")
