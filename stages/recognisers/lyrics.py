"""Leave out lyrics: text whose sound is music in which nobody is heard speaking."""

from __future__ import annotations

from msgspec.structs import replace

from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.wording import counted
from sutradhar.stages.sound.about import DROP
from sutradhar.stages.transcript import Transcript


def without_lyrics(transcript: Transcript, settings: Settings) -> tuple[Transcript, list[str]]:
    """Return a transcript without its lyrics where MUSIC asks for that, and a line that counts them."""
    if settings.MUSIC != DROP:
        return transcript, []
    spoken = [segment for segment in transcript.segments if not transcript.is_lyrics(segment)]
    left_out = len(transcript.segments) - len(spoken)
    segments = tuple(replace(segment, id=number) for number, segment in enumerate(spoken))
    told = [f"{counted(left_out, 'segment')} of lyrics left out (MUSIC={DROP})"] if left_out else []
    return replace(transcript, segments=segments, music=()), told
