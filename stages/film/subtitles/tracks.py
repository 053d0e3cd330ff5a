"""The way from transcripts to subtitle tracks and their files."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.jobs.stage import Outcome, StageContext
from sutradhar.pipeline.wording import counted
from sutradhar.stages.cues.check import check
from sutradhar.stages.cues.cutting import build_cues
from sutradhar.stages.cues.formats import chosen, format_of
from sutradhar.stages.cues.rules import rules_for
from sutradhar.stages.cues.speakers import by_speaker
from sutradhar.stages.cues.tokens import clip_of
from sutradhar.stages.cues.track import track_of
from sutradhar.stages.transcript import Track, Tracks, Transcript, Translations, load, save


def make_tracks(ctx: StageContext) -> Outcome:
    """Make the tracks and write them. Raises UsageError for a profile or format that there is not."""
    names = chosen("SUBTITLE_FORMATS", ctx.settings.SUBTITLE_FORMATS)
    original = load(ctx.read("transcript"), Transcript)
    transcripts = [original]
    if "translations" in ctx.reads:
        translations = load(ctx.read("translations"), Translations).transcripts
        transcripts += [replace(one, music=original.music) for one in translations]
    tracks = build_tracks(transcripts, ctx.settings)
    degraded = []
    for transcript, track in zip(transcripts, tracks.tracks, strict=True):
        for name in names:
            content = _content(name, transcript, track, ctx.settings)
            ctx.deliver(f"{ctx.stem}.{track.language}.{name}").write_bytes(content)
        degraded += _broken_rules(transcript, track, ctx.settings)
    save(ctx.write("tracks"), tracks)
    return Outcome(
        summary="Subtitles completed: "
        + ", ".join(f"{counted(len(track.cues), 'cue')} in {track.language}" for track in tracks.tracks),
        packages=("pysubs2",),
        degraded=tuple(degraded),
        seconds_of_media=original.duration_ms / 1000,
    )


def _content(name: str, transcript: Transcript, track: Track, settings: Settings) -> bytes:
    form = format_of(name)
    return form.encoded(form.text(transcript, track), bom=settings.SUBTITLE_BOM, newline=settings.SUBTITLE_NEWLINE)


def build_tracks(transcripts: Sequence[Transcript], settings: Settings) -> Tracks:
    """Return a track for each transcript, in that order. Raises UsageError for a profile that there is not."""
    return Tracks(tuple(_track(transcript, settings) for transcript in transcripts))


def _track(transcript: Transcript, settings: Settings) -> Track:
    return track_of(transcript, rules_for(settings.SUBTITLE_PROFILE, transcript.language, settings.SUBTITLE_FPS))


def _broken_rules(transcript: Transcript, track: Track, settings: Settings) -> list[str]:
    """Return one line where the speech left no room for all of the rules."""
    rules = rules_for(settings.SUBTITLE_PROFILE, track.language, settings.SUBTITLE_FPS)
    spoken = by_speaker(transcript)  # the cues of two overlap, and have labels
    lists = [track.cues] if len(spoken) == 1 else [build_cues(one, rules) for _, one in spoken]
    broken = [violation for cues in lists for violation in check(cues, rules, clip_of(transcript)) if violation.hard]
    if not broken:
        return []
    cues, names = {violation.cue for violation in broken}, ", ".join(sorted({violation.rule for violation in broken}))
    return [
        f"{len(cues)} of {len(track.cues)} {track.language} cues "
        f"break the {settings.SUBTITLE_PROFILE} rules ({names}): the speech left no room"
    ]
