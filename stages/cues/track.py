"""A subtitle track of a transcript, for films and recordings of folders alike, and the note that tells a viewer not
to trust it."""

from __future__ import annotations

from collections.abc import Sequence

from sutradhar.stages.cues.rules import Rules
from sutradhar.stages.cues.speakers import cues_of_speakers
from sutradhar.stages.text.own_script import script_doubt
from sutradhar.stages.text.typography import measure
from sutradhar.stages.transcript import Cue, Track, Transcript

_NOTE_MS = 2000


def track_of(transcript: Transcript, rules: Rules) -> Track:
    cues = tuple(cues_of_speakers(transcript, rules))
    doubt = script_doubt(transcript.segments)
    note = "; ".join(filter(None, (transcript.note, doubt)))
    return Track(
        transcript.language,
        note,
        cues,
        doubt,
        with_note(cues, f"[{doubt}]", transcript.start_ms, rules) if doubt else (),
    )


def with_note(cues: Sequence[Cue], note: str, start_ms: int, rules: Rules) -> tuple[Cue, ...]:
    """Return the cues, in the order in which they begin, with a note where it can first be read: as a separate cue,
    for up to two seconds, where there is room for the shortest one; or above the text of a cue that has lines to
    spare. After the last cue there is room at any rate, so no line is too many, nothing overlaps on its account, and
    no cue moves."""
    lines, free_ms = _lines(note, rules), min([start_ms, *(cue.start_ms for cue in cues[:1])])
    for place, cue in enumerate(cues):
        end_ms = min(free_ms + _NOTE_MS, cue.start_ms - rules.gap_ms)
        if end_ms - free_ms >= rules.min_ms:
            return (*cues[:place], Cue(free_ms, end_ms, lines), *cues[place:])
        if len(lines) + len(cue.lines) <= rules.max_lines:
            return (*cues[:place], Cue(cue.start_ms, cue.end_ms, (*lines, *cue.lines)), *cues[place + 1 :])
        free_ms = max(free_ms, cue.end_ms + rules.gap_ms)
    return (*cues, Cue(free_ms, free_ms + _NOTE_MS, lines))


def _lines(note: str, rules: Rules) -> tuple[str, ...]:
    """Return one line where the note fits, else two, as even as words allow."""
    words = note.split(" ")
    if measure(note, rules.language) <= rules.max_chars or len(words) == 1:
        return (note,)
    halves = [(" ".join(words[:count]), " ".join(words[count:])) for count in range(1, len(words))]
    return min(halves, key=lambda lines: max(map(len, lines)))
