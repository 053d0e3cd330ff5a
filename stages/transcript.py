"""The table where stages meet: the types of every JSON artifact, and their reading and writing.

All times are integer milliseconds on the film's own clock (0 is the start of the container's timeline), also in a
job that works on a clip of the film.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from sutradhar.pipeline.files import json_document
from sutradhar.pipeline.names import Time

T = TypeVar("T")
UNTRANSLATED = "not translated"
TRANSLATED_BY = "translated by"
LYRICS_SHARE = 0.6  # of a segment's time in music, from which on it counts as lyrics
MISSING = "[…]"  # stands in the subtitles where a translation is missing


class Span(msgspec.Struct, frozen=True):
    """A stretch of time."""

    start_ms: int
    end_ms: int


class Likely(Span, frozen=True):
    """A stretch of likely speech, with its mean probability."""

    probability: float


class Music(Span, frozen=True):
    """A stretch of music in which nobody is heard speaking."""

    speaker: str = ""  # the speaker in whose part of the audio it is, as in `Window`


class Audio(msgspec.Struct, frozen=True):
    """The content of `demux/audio.wav` (16 kHz, mono, 16 bit), in `demux/audio.json`."""

    start_ms: int  # film time of the first sample: 0, or the start of the clip
    duration_ms: int
    sample_rate: int
    track: int  # index among the file's audio streams
    track_language: str  # as tagged in the file, "" without a tag
    cause: str = ""  # why nobody may be heard in it, "" where no reason is known
    # Speakers who have a part of the file for themselves, each `duration_ms` long; "" for all mixed
    voices: tuple[str, ...] = ("",)


class Window(msgspec.Struct, frozen=True):
    """Up to 30 s of audio that is recognised in one go. It starts and ends at pauses; where speech has none, it shares
    sound with the next."""

    id: int
    start_ms: int
    end_ms: int
    speech: tuple[Span, ...]  # the stretches in it where somebody speaks, or may
    likely: tuple[Likely, ...] = ()  # the stretches where words are missed if there are none
    sure: bool = True  # False: it is doubtful if anybody speaks, so the text is believed only by its scores
    speaker: str = ""  # the speaker who has a part of the audio for himself, "1" or "2"; "" where all are mixed


class Windows(msgspec.Struct, frozen=True):
    """The windows of `vad/windows.json`."""

    windows: tuple[Window, ...]
    cause: str = ""  # why there are no windows, and the remedy
    music: tuple[Music, ...] = ()  # looked for where MUSIC asks for it


class Word(msgspec.Struct, frozen=True):
    """A word with its time."""

    text: str  # with the space before it where the language writes one, so "".join gives the sentence back
    start_ms: Time
    end_ms: Time
    probability: float


class Segment(msgspec.Struct, frozen=True):
    """A sentence, or a part between pauses, with the scores that the recogniser gave it."""

    id: int
    start_ms: Time
    end_ms: Time
    text: str
    words: tuple[Word, ...]
    language: str  # ISO 639-1 where there is one, as Whisper names it
    language_probability: float
    avg_logprob: float
    no_speech_prob: float | None  # None: the recogniser has no such score
    compression_ratio: float
    temperature: float | None  # the one at which the text was accepted; None: the recogniser has none
    # Why a translated segment is unusual; begins with `UNTRANSLATED` where it has no translation
    note: str = ""
    speaker: str = ""  # "" where nobody was told from another
    doubt: str = ""  # why the text may be wrong, "" where nothing speaks against it

    @property
    def is_untranslated(self) -> bool:
        return self.note == UNTRANSLATED or self.note.startswith(f"{UNTRANSLATED}: ")


def note_of_untranslated(reasons: str) -> str:
    """Return the note of a segment that has no translation."""
    return f"{UNTRANSLATED}: {reasons}"


def note_of_translator(title: str) -> str:
    """Return the note of a transcript that a translator made."""
    return f"{TRANSLATED_BY} {title}"


class Transcript(msgspec.Struct, frozen=True):
    """The transcript in `asr/transcript.json`, `align/transcript.json`, and translations of them. `note` is as in
    `Track`.

    `language` is the one most of the speech is in. `start_ms` and `duration_ms` are those of the audio."""

    language: str
    start_ms: int
    duration_ms: int
    segments: tuple[Segment, ...]
    note: str = ""
    unheard: tuple[Likely, ...] = ()  # likely speech without words
    music: tuple[Music, ...] = ()  # where it is not empty, text in it is marked as lyrics

    @property
    def translator(self) -> str:
        """Return the title of the translator that made a translation."""
        return self.note.removeprefix(TRANSLATED_BY).strip()

    def is_lyrics(self, segment: Segment) -> bool:
        """Tell whether most of a segment lies in music, as songs do, and what is invented on music."""
        start_ms, end_ms = segment.start_ms, segment.end_ms
        inside = sum(
            max(0, min(one.end_ms, end_ms) - max(one.start_ms, start_ms))
            for one in self.music
            if one.speaker == segment.speaker
        )
        return inside > 0 and inside >= LYRICS_SHARE * (end_ms - start_ms)


class Translations(msgspec.Struct, frozen=True):
    """The transcripts in `translate/transcripts.json`: one for each target language that the speech is not in
    already."""

    transcripts: tuple[Transcript, ...]


class Cue(msgspec.Struct, frozen=True):
    start_ms: int
    end_ms: int
    lines: tuple[str, ...]


class Track(msgspec.Struct, frozen=True):
    """One subtitle track. `note` tells a viewer about it ("translated by Whisper"), "" for nothing; `doubt` is
    that part of it for which the text may be of no use, and `told` has the cues with it among them, for files that
    have no other place for it."""

    language: str
    note: str
    cues: tuple[Cue, ...]
    doubt: str = ""
    told: tuple[Cue, ...] = ()  # none where there is no doubt


class Tracks(msgspec.Struct, frozen=True):
    """The tracks of `subtitles/tracks.json`: source language first."""

    tracks: tuple[Track, ...]


def load(path: Path, kind: type[T]) -> T:
    """Read an artifact. Raises msgspec.ValidationError or msgspec.DecodeError where it is not a `kind`."""
    return msgspec.json.decode(path.read_bytes(), type=kind)


def save(path: Path, table: msgspec.Struct) -> None:
    path.write_bytes(json_document(table))
