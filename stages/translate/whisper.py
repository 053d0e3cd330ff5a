"""The transcript in English as the recogniser made it on the way: Whisper's own translation. What is none is left out and told of."""

from __future__ import annotations

import msgspec

from pipeline.stage import Outcome, StageContext
from pipeline.wording import counted
from stages.english import is_translation
from stages.transcript import Transcript, Translations, load, save

TARGET = "en"  # all that Whisper translates into


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
