"""Cues of several speakers: built for each apart, because their words overlap, and labelled."""

from __future__ import annotations

from msgspec.structs import replace

from sutradhar.stages.cues.cutting import build_cues
from sutradhar.stages.cues.rules import Rules
from sutradhar.stages.transcript import Cue, Transcript


def by_speaker(transcript: Transcript) -> list[tuple[str, Transcript]]:
    """Return each speaker's speech, by their names; all of it under "" where nobody was told from another."""
    speakers = sorted({segment.speaker for segment in transcript.segments}) or [""]
    return [
        (name, replace(transcript, segments=tuple(one for one in transcript.segments if one.speaker == name)))
        for name in speakers
    ]


def cues_of_speakers(transcript: Transcript, rules: Rules) -> list[Cue]:
    """Build the labelled cues of each speaker. Returns them in the order in which they begin."""
    cues = [_labelled(cue, name) for name, spoken in by_speaker(transcript) for cue in build_cues(spoken, rules)]
    return sorted(cues, key=lambda cue: (cue.start_ms, cue.end_ms))


def label(speaker: str) -> str:
    return f"{speaker}: " if speaker else ""


def _labelled(cue: Cue, speaker: str) -> Cue:
    return Cue(cue.start_ms, cue.end_ms, (label(speaker) + cue.lines[0], *cue.lines[1:]))
