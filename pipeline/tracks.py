"""Chooses among the audio tracks of a file, by their tags."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.errors import UsageError
from pipeline.media import UNKNOWN_CODEC, AudioTrack

# Tracks that are not the film's own dialogue, or not it alone, by ffmpeg's dispositions and by what people write into titles.
ASIDE = {
    "comment": re.compile(r"comment(?:ary|aries|aires?|ato|ario)|kommentar", re.IGNORECASE),
    "visual_impaired": re.compile(r"\bADs?\b|\bDVS\b|(?i:(?:audio|video)[ -]?descri|descriptive|visual(?:ly)?[ -]impaired|h.rfilm)"),
    "descriptions": None,
    "karaoke": re.compile(r"karaoke|instrumental", re.IGNORECASE),
    "clean_effects": re.compile(r"\bM&E\b|music (?:and effects|only)|isolated (?:score|music)|(?:score|effects) only", re.IGNORECASE),
    "lyrics": None,
    "dependent": None,
}
DUB = re.compile(r"\bdub(?:bed|bing)?\b|\bvoice[ -]?over\b", re.IGNORECASE)


def set_aside(track: AudioTrack) -> str:
    """Names the tag because of which a track comes last: "comment", "visual_impaired"; "" where there is none."""
    return next((tag for tag, title in ASIDE.items() if tag in track.dispositions or (title and title.search(track.title))), "")


def in_order(tracks: Sequence[AudioTrack], language: str) -> list[AudioTrack]:
    """Best first: what can be decoded; not another language than the one asked for ("auto" for any), where a track is tagged
    with that; the film's own dialogue; tagged with the language; no dub; the default; the first."""
    if len(tracks) == 1:
        return [*tracks]
    spoken = {track.index for track in tracks if speaks(track, language)}
    return sorted(tracks, key=lambda track: _rank(track, spoken))


def _rank(track: AudioTrack, spoken: set[int]) -> tuple[bool, ...]:
    matches = track.index in spoken
    dub = "dub" in track.dispositions or bool(DUB.search(track.title))
    foreign = bool(spoken and track.language and not matches)
    return track.codec == UNKNOWN_CODEC, foreign, bool(set_aside(track)), not matches, dub, not track.default


def speaks(track: AudioTrack, language: str) -> bool:
    """Tell whether it is tagged with the language."""
    from pipeline import languages

    return bool(track.language) and languages.same(track.language, language)


def choose_track(tracks: Sequence[AudioTrack], wanted: str, source: str) -> AudioTrack:
    """The track with this number, or the best in this language; without one the best for the source language. Raises UsageError."""
    from pipeline import languages

    known = "; ".join(f"{track.index}: {track.describe()}" for track in tracks)
    if wanted.isdecimal():
        for track in tracks:
            if track.index == int(wanted):
                return track
        raise UsageError(f"No audio track {wanted}; the file has {known}")
    if not wanted:
        return in_order(tracks, source)[0]
    language = languages.parse(wanted)
    spoken = [track for track in tracks if speaks(track, language)]
    if not spoken:
        raise UsageError(f"No audio track in {wanted}; the file has {known}")
    return in_order(spoken, language)[0]
