"""Gives the transcript in the target language: so far Whisper's own translation, which the recogniser made on the way.

What is no translation is left out and told of: Whisper now and then writes down what it hears instead.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import msgspec

from pipeline.stage import Outcome, Stage, StageContext
from pipeline.wording import counted
from stages.transcript import Segment, Transcript, Translations, load, save

TARGET = "en"  # all that Whisper translates into
FEW_WORDS = 3  # so many may be the same in both languages: names, hotel, okay
SAME = 0.6  # of the words, and it is the source again: spelled a little differently, 9 of 12 were (Spanish, base)


def run(ctx: StageContext) -> Outcome:
    source = load(ctx.read("align/transcript.json"), Transcript)
    if source.language == TARGET:
        save(ctx.write("translate/transcripts.json"), Translations(()))
        already = f"No translation: the speech is in {TARGET} already"
        return Outcome(summary=already, degraded=(already,), seconds_of_media=source.duration_ms / 1000)
    translation = load(ctx.read("asr/translation.json"), Transcript)
    segments = [segment for segment in translation.segments if is_translation(segment, source.segments)]
    left_out = len(translation.segments) - len(segments)
    numbered = tuple(msgspec.structs.replace(segment, id=number) for number, segment in enumerate(segments))
    english = msgspec.structs.replace(translation, segments=numbered, note="translated by Whisper")
    save(ctx.write("translate/transcripts.json"), Translations((english,)))
    return Outcome(
        summary=f"Translation completed: {counted(len(segments), 'segment')}, by Whisper's own translation",
        degraded=(f"{left_out} of {len(translation.segments)} segments left out: they were no translation",) if left_out else (),
        seconds_of_media=source.duration_ms / 1000,
    )


def is_translation(segment: Segment, source: Sequence[Segment]) -> bool:
    """Whether a segment is in Latin script and not a copy of what is said at its time."""
    letters = [character for character in segment.text if character.isalpha()]
    latin = sum("LATIN" in unicodedata.name(letter, "") for letter in letters)
    said = {word for other in source if other.start_ms < segment.end_ms and segment.start_ms < other.end_ms for word in _words(other.text)}
    words = _words(segment.text)
    copied = sum(word in said for word in words)
    return 2 * latin >= len(letters) and not (len(words) > FEW_WORDS and copied >= SAME * len(words))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


STAGE = Stage(
    name="translate",
    run=run,
    reads=("align/transcript.json", "asr/translation.json"),
    writes=("translate/transcripts.json",),
    settings=("TRANSLATION_ENGINE",),
)
