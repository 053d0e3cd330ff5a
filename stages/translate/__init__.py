"""Gives the transcript in the target language. So far through Whisper's own translate task, which the recogniser ran."""

from __future__ import annotations

from pipeline.stage import Outcome, Stage, StageContext
from stages.translate.guard import is_translation
from stages.transcript import Transcript, load, save

TARGET = "en"  # the only one that Whisper translates into


def run(ctx: StageContext) -> Outcome:
    source = load(ctx.read("align/transcript.json"), Transcript)
    if source.language == TARGET:
        save(ctx.write("translate/transcript.json"), source)
        return Outcome(summary="Translation completed: the speech is in English already")
    translation = load(ctx.read("asr/translation.json"), Transcript)
    ...
