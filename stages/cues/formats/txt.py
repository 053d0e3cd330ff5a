"""Plain text without times: a line for each sentence, or for the speech between long pauses where no sentence ends.
Doubts about it stand above, in brackets.
"""

from __future__ import annotations

from itertools import pairwise

from sutradhar.stages.cues.breaks import sentence_ends
from sutradhar.stages.cues.formats.format import Format, literally
from sutradhar.stages.cues.tokens import spoken_tokens
from sutradhar.stages.transcript import Track, Transcript

_PAUSE_MS = 1500


def _write(transcript: Transcript, track: Track) -> str:
    return (f"[{track.doubt}]\n" if track.doubt else "") + _text(transcript)


def _text(transcript: Transcript) -> str:
    if any(segment.speaker for segment in transcript.segments):  # several may speak at a time
        return "".join(f"{segment.speaker}: {segment.text}\n" for segment in transcript.segments)
    tokens = spoken_tokens(transcript)
    parts = [token.text for token in tokens[:1]]
    for (left, token), end in zip(pairwise(tokens), sentence_ends(tokens, transcript.language)[1:], strict=True):
        if end or token.start_ms - left.end_ms >= _PAUSE_MS:
            parts.append("\n")
        elif token.spaced:
            parts.append(" ")
        parts.append(token.text)
    return "".join([*parts, "\n"]) if parts else ""


FORMAT = Format(escape=literally, write=_write, needs_times=False)
