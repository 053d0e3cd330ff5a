"""From transcripts to subtitle tracks and the files made of them."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.settings import Settings
from pipeline.stage import Outcome, StageContext
from stages.subtitles.check import check
from stages.subtitles.cues import build_cues
from stages.subtitles.formats import formats_of
from stages.subtitles.rules import rules_for
from stages.subtitles.tokens import clip_of
from stages.transcript import Track, Tracks, Transcript, load, save

_NOTES = {"whisper": "translated by Whisper"}  # by the engine that translated


def make_tracks(ctx: StageContext) -> Outcome:
    """Raises UsageError for a profile or format that there is not."""
    formats = formats_of(ctx.settings.SUBTITLE_FORMATS)
    original, *translated = [load(ctx.read(artifact), Transcript) for artifact in ctx.stage.reads]
    source, translations = (original, ""), [(transcript, _NOTES[ctx.settings.TRANSLATION_ENGINE]) for transcript in translated]
    language = source[0].language
    transcripts = [source] + [translation for translation in translations if translation[0].language != language]
    tracks = build_tracks(transcripts, ctx.settings)
    degraded = []
    for (transcript, _), track in zip(transcripts, tracks.tracks, strict=True):
        for suffix, write in formats.items():
            ctx.deliver(f"{ctx.stem}.{track.language}.{suffix}").write_bytes(write(transcript, track).encode())
        degraded += _broken_rules(transcript, track, ctx.settings)
    save(ctx.write("subtitles/tracks.json"), tracks)
    if len(transcripts) <= len(translations):
        degraded.append(f"No translated track: the speech is in {language} already")
    return Outcome(
        summary="Subtitles completed: " + ", ".join(f"{len(track.cues)} cues in {track.language}" for track in tracks.tracks),
        packages=("pysubs2",),
        degraded=tuple(degraded),
        seconds_of_media=source[0].duration_ms / 1000,
    )


def build_tracks(transcripts: Sequence[tuple[Transcript, str]], settings: Settings) -> Tracks:
    """A track for each transcript and its note, in that order. Raises UsageError for a profile that there is not."""
    return Tracks(tuple(_track(transcript, note, settings) for transcript, note in transcripts))


def _track(transcript: Transcript, note: str, settings: Settings) -> Track:
    rules = rules_for(settings.SUBTITLE_PROFILE, transcript.language, settings.SUBTITLE_FPS)
    return Track(transcript.language, note, tuple(build_cues(transcript, rules)))


def _broken_rules(transcript: Transcript, track: Track, settings: Settings) -> list[str]:
    """One line where the speech left no room for all of the rules."""
    rules = rules_for(settings.SUBTITLE_PROFILE, track.language, settings.SUBTITLE_FPS)
    broken = [violation for violation in check(track.cues, rules, clip_of(transcript)) if violation.hard]
    if not broken:
        return []
    cues, names = {violation.cue for violation in broken}, ", ".join(sorted({violation.rule for violation in broken}))
    return [f"{len(cues)} of {len(track.cues)} {track.language} cues break the {settings.SUBTITLE_PROFILE} rules ({names}): the speech left no room"]
