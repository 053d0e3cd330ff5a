"""SubRip. It has no escapes: text is written as it is. It has no comments either: doubts about the text are told
among the cues."""

from __future__ import annotations

from msgspec.structs import replace

from sutradhar.stages.cues.formats.events import render
from sutradhar.stages.cues.formats.format import Format, literally
from sutradhar.stages.transcript import Track, Transcript


def _write(transcript: Transcript, track: Track) -> str:
    return render(replace(track, cues=track.told or track.cues), "srt")


FORMAT = Format(escape=literally, write=_write)
