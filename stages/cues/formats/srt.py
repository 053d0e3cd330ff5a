"""SubRip. It has no escapes: text is written as it is. Nor has it comments: what puts the text in doubt is told among the cues."""

from __future__ import annotations

from msgspec.structs import replace

from sutradhar.stages.cues.formats.events import render
from sutradhar.stages.cues.formats.format import Format, literally
from sutradhar.stages.transcript import Track, Transcript


def _write(transcript: Transcript, track: Track) -> str:
    return render(replace(track, cues=track.told or track.cues), "srt")


FORMAT = Format(escape=literally, write=_write)
