"""Leave out lyrics: text whose sound is music in which nobody is heard speaking."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.timecode import format_ms
from sutradhar.pipeline.wording import counted
from sutradhar.stages.sound.about import DROP
from sutradhar.stages.transcript import Segment, Transcript

TIMES = 20  # that a line tells of


def without_lyrics(transcript: Transcript, settings: Settings) -> tuple[Transcript, list[str]]:
    """Return a transcript without its lyrics where MUSIC asks for that, and a line that says where they are."""
    lyrics = [segment for segment in transcript.segments if transcript.is_lyrics(segment)]
    if settings.MUSIC != DROP:
        return transcript, _told(lyrics, "marked as lyrics")
    spoken = [segment for segment in transcript.segments if not transcript.is_lyrics(segment)]
    segments = tuple(replace(segment, id=number) for number, segment in enumerate(spoken))
    return replace(transcript, segments=segments, music=()), _told(lyrics, f"of lyrics left out (MUSIC={DROP})")


def _told(lyrics: Sequence[Segment], what: str) -> list[str]:
    times = [format_ms(segment.start_ms).partition(".")[0] for segment in lyrics]
    more = ", ..." if len(times) > TIMES else ""
    return [f"{counted(len(lyrics), 'segment')} {what}, at {', '.join(times[:TIMES])}{more}"] if lyrics else []
