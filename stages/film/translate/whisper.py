"""The transcript in English as the recogniser made it on the way: Whisper's own translation. A segment that is no
translation is marked and told of."""

from __future__ import annotations

from msgspec.structs import replace

from sutradhar.pipeline.jobs.stage import Outcome, StageContext
from sutradhar.pipeline.wording import counted
from sutradhar.stages.text.english import is_translation, shared_by_several
from sutradhar.stages.transcript import (
    MISSING,
    Segment,
    Transcript,
    Translations,
    Word,
    load,
    note_of_translator,
    note_of_untranslated,
    save,
)

TARGET = "en"  # all that Whisper translates into


def translate(ctx: StageContext) -> Outcome:
    source = load(ctx.read("transcript"), Transcript)
    if source.language == TARGET:
        save(ctx.write("translations"), Translations(()))
        already = f"No translation: the speech is in {TARGET} already"
        return Outcome(summary=already, degraded=(already,), seconds_of_media=source.duration_ms / 1000)
    translation = load(ctx.read("translation"), Transcript)
    shared = shared_by_several(translation.segments, source.segments)
    segments = tuple(
        _marked(segment, "same for several")
        if place in shared
        else segment
        if is_translation(segment, source.segments)
        else _marked(segment)
        for place, segment in enumerate(translation.segments)
    )
    missing = sum(segment.is_untranslated for segment in segments)
    english = replace(translation, segments=segments, note=note_of_translator("Whisper"))
    save(ctx.write("translations"), Translations((english,)))
    return Outcome(
        summary=f"Translation completed: {counted(len(segments), 'segment')}, by Whisper's own translation",
        degraded=(f"{missing} of {len(segments)} segments were no translation; the subtitles show {MISSING} there",)
        if missing
        else (),
        seconds_of_media=source.duration_ms / 1000,
    )


def _marked(segment: Segment, why: str = "no English, or a copy of the source") -> Segment:
    words = (Word(MISSING, segment.start_ms, segment.end_ms, 0.0),)
    return replace(segment, text=MISSING, words=words, note=note_of_untranslated(why))
