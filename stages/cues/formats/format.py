"""The declaration of a format. Its writer sees escaped text alone, so nobody's words can be taken for markup."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from sutradhar.stages.text.encoding import encoded
from sutradhar.stages.transcript import Cue, Segment, Track, Transcript, Word


def literally(text: str) -> str:
    """Return the text itself: the `escape` of formats in which no text is markup, or which have no escapes."""
    return text


@dataclass(frozen=True)
class Format:
    """A kind of file. The spoken text of transcript and cues reaches `write` as `escape` has made it."""

    escape: Callable[[str], str]
    write: Callable[[Transcript, Track], str]
    needs_times: bool = True
    is_data: bool = False  # read by programs, which take neither a byte-order mark nor other ends of lines

    def text(self, transcript: Transcript, track: Track) -> str:
        return self.write(_escaped_transcript(transcript, self.escape), _escaped_track(track, self.escape))

    def encoded(self, text: str, *, bom: bool, newline: str) -> bytes:
        """Return the bytes of the file, with the mark and the ends of lines that settings ask for."""
        return text.encode() if self.is_data else encoded(text, bom=bom, newline=newline)


def _escaped_track(track: Track, escape: Callable[[str], str]) -> Track:
    return replace(track, cues=_escaped_cues(track.cues, escape), told=_escaped_cues(track.told, escape))


def _escaped_cues(cues: tuple[Cue, ...], escape: Callable[[str], str]) -> tuple[Cue, ...]:
    return tuple(replace(cue, lines=tuple(map(escape, cue.lines))) for cue in cues)


def _escaped_transcript(transcript: Transcript, escape: Callable[[str], str]) -> Transcript:
    if escape is literally:  # a folder has a hundred thousand transcripts
        return transcript
    return replace(transcript, segments=tuple(_escaped_segment(segment, escape) for segment in transcript.segments))


def _escaped_segment(segment: Segment, escape: Callable[[str], str]) -> Segment:
    words = tuple(_escaped_word(word, escape) for word in segment.words)
    return replace(segment, text=escape(segment.text), words=words)


def _escaped_word(word: Word, escape: Callable[[str], str]) -> Word:
    return replace(word, text=escape(word.text))
