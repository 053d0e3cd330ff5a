"""Write tracks through pysubs2, with their text taken literally."""

from __future__ import annotations

from sutradhar.stages.transcript import Track

# A stand-in while pysubs2 writes, which would read \N, \n and \h as blanks; no cue has control characters.
_BACKSLASH = "\x00"


def render(track: Track, form: str) -> str:
    """Return the track in a format of pysubs2. Its lines are escaped as that format needs it: see `Format`."""
    import pysubs2

    subtitles = pysubs2.SSAFile()
    for cue in track.cues:
        text = r"\N".join(line.replace("\\", _BACKSLASH) for line in cue.lines)
        subtitles.append(pysubs2.SSAEvent(start=cue.start_ms, end=cue.end_ms, text=text))
    return str(subtitles.to_string(form, keep_ssa_tags=True)).replace(_BACKSLASH, "\\")  # kept tags: braces are text
