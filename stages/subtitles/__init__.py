"""Cuts transcripts into subtitles and writes them in the formats asked for."""

from __future__ import annotations

from dataclasses import replace

from pipeline.stage import Outcome, Stage, StageContext


def run(ctx: StageContext) -> Outcome:
    from stages.subtitles.tracks import make_tracks

    return make_tracks(ctx)


STAGE = Stage(
    name="subtitles",
    run=run,
    reads=("align/transcript.json",),
    writes=("subtitles/tracks.json",),
    settings=("SUBTITLE_PROFILE", "SUBTITLE_FORMATS", "SUBTITLE_FPS"),
)
TRANSLATED = replace(STAGE, reads=("align/transcript.json", "translate/transcript.json"))
