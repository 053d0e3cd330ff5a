"""Cut transcripts into subtitles and write them in the formats asked for."""

from __future__ import annotations

from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.jobs.stage import Outcome, Stage, StageContext


def run(ctx: StageContext) -> Outcome:
    from sutradhar.stages.film.subtitles.tracks import make_tracks

    return make_tracks(ctx)


def check(settings: Settings) -> None:
    from sutradhar.stages.cues.formats import chosen
    from sutradhar.stages.cues.rules import rules_for

    chosen("SUBTITLE_FORMATS", settings.SUBTITLE_FORMATS)
    rules_for(settings.SUBTITLE_PROFILE, settings.SOURCE_LANGUAGE, settings.SUBTITLE_FPS)


STAGE = Stage(
    name="subtitles",
    run=run,
    check=check,
    reads=("transcript", "translations"),
    writes=("tracks",),
    settings=("SUBTITLE_PROFILE", "SUBTITLE_FORMATS", "SUBTITLE_FPS", "SUBTITLE_BOM", "SUBTITLE_NEWLINE"),
    unused=lambda settings: () if settings.translator else ("translations",),
)
