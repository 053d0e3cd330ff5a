"""Every known fact, for programs: segments with their scores, words with times and probabilities, and the cues.

Fields are those of `sutradhar.stages.transcript` (times in ms); `docs/subtitles.md` describes them.
"""

from __future__ import annotations

import msgspec

from sutradhar.pipeline.files import json_document
from sutradhar.stages.cues.formats.format import Format, literally
from sutradhar.stages.transcript import Cue, Likely, Music, Segment, Track, Transcript

_SCHEMA = 1


class Document(msgspec.Struct, frozen=True):
    schema: int
    language: str
    note: str
    start_ms: int
    duration_ms: int
    segments: tuple[Segment, ...]
    cues: tuple[Cue, ...]
    unheard: tuple[Likely, ...]  # likely speech without words
    music: tuple[Music, ...]


def _write(transcript: Transcript, track: Track) -> str:
    document = Document(
        schema=_SCHEMA,
        language=track.language,
        note=track.note,
        start_ms=transcript.start_ms,
        duration_ms=transcript.duration_ms,
        segments=transcript.segments,
        cues=track.cues,
        unheard=transcript.unheard,
        music=transcript.music,
    )
    return json_document(document).decode()


FORMAT = Format(escape=literally, write=_write, needs_times=False, is_data=True)
