"""Choose among the audio tracks of a file, by their tags."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.media import UNKNOWN_CODEC, AudioTrack

if TYPE_CHECKING:
    from sutradhar.pipeline.media.sampling import Part

# Tracks that are not the film's own dialogue, or not it alone, by ffmpeg's dispositions and by what people write
# into titles.
ASIDE = {
    "comment": re.compile(r"comm?ent(?:ary|aries|aires?|ato|arios?)|kommentar", re.IGNORECASE),
    "visual_impaired": re.compile(
        r"\bADs?\b|\bDVS\b|(?i:(?:audio|video)[ -]?d[ei]s[ck]ri|descriptive|visual(?:ly)?[ -]impaired|h.rfilm)"
    ),
    "descriptions": None,
    "karaoke": re.compile(r"karaoke|instrumental", re.IGNORECASE),
    "clean_effects": re.compile(
        r"\bM&E\b|music (?:and effects|only)|isolated (?:score|music)|(?:score|effects) only", re.IGNORECASE
    ),
    "lyrics": None,
    "dependent": None,
}
# Below the first is silence or the noise of a converter; above the second is sound.
AS_GOOD_AS_SILENT_DB, SOUND_DB = (-70.0, -55.0)
DUB = re.compile(r"\bdub(?:bed|bing)?\b|\bvoice[ -]?over\b", re.IGNORECASE)


def set_aside(track: AudioTrack) -> str:
    """Name the tag because of which a track comes last: "comment", "visual_impaired"; "" where there is none."""
    return next(
        (tag for tag, title in ASIDE.items() if tag in track.dispositions or (title and title.search(track.title))), ""
    )


def in_order(tracks: Sequence[AudioTrack], language: str) -> list[AudioTrack]:
    """Sort tracks, the best first: one that can be decoded; not tagged with another language than the one asked for
    ("auto" for any); the film's own dialogue; tagged with the language; no dub; the default; the first."""
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
    from sutradhar.pipeline import languages

    return bool(track.language) and languages.same(track.language, language)


def in_place_of(chosen: AudioTrack, tracks: Sequence[AudioTrack]) -> list[AudioTrack]:
    """Return tracks that might be taken for the chosen one, best first: the film's own dialogue, in the same
    language or in one that is not tagged."""
    from sutradhar.pipeline import languages

    def fits(track: AudioTrack) -> bool:
        known = track.language and chosen.language
        same = not known or languages.same(track.language, chosen.language)
        return same and track.index != chosen.index and not set_aside(track) and track.codec != UNKNOWN_CODEC

    return in_order([track for track in tracks if fits(track)], "auto") if len(tracks) > 1 else []


def not_silent(path: Path, chosen: AudioTrack, tracks: Sequence[AudioTrack], part: Part) -> AudioTrack:
    """Return the chosen track, or where it is silent another that might be taken for it and holds sound. Only some
    places are looked at."""
    from sutradhar.pipeline.media.sampling import loudest_db

    others = in_place_of(chosen, tracks)
    if not others or loudest_db(path, chosen.index, part, AS_GOOD_AS_SILENT_DB) > AS_GOOD_AS_SILENT_DB:
        return chosen
    return next((track for track in others if loudest_db(path, track.index, part, SOUND_DB) > SOUND_DB), chosen)


def silent_before(path: Path, taken: AudioTrack, tracks: Sequence[AudioTrack], part: Part) -> str:
    """Say that tracks which one would have expected instead of this one are silent; "" where none is. Only some
    places are looked at."""
    from sutradhar.pipeline.media.sampling import loudest_db

    before = [track for track in _before(taken, tracks) if not _why_last(track)]
    silent = [
        track.index
        for track in before
        if loudest_db(path, track.index, part, AS_GOOD_AS_SILENT_DB) <= AS_GOOD_AS_SILENT_DB
    ]
    if not silent:
        return ""
    names = f"track {silent[0]} is" if len(silent) == 1 else f"tracks {', '.join(map(str, silent))} are"
    return f"audio {names} silent: track {taken.index} was taken"


def aside_before(taken: AudioTrack, tracks: Sequence[AudioTrack]) -> str:
    """Say why tracks which stand before this one come last by their tags; "" where none does."""
    aside = [] if _why_last(taken) else [track for track in _before(taken, tracks) if _why_last(track)]
    why = ", ".join(f"audio track {track.index} is {_why_last(track)}" for track in aside)
    return f"{why}: track {taken.index} was taken" if why else ""


def _why_last(track: AudioTrack) -> str:
    if track.codec == UNKNOWN_CODEC:
        return "in a codec that is not known here"
    tag = set_aside(track)
    return f"tagged {tag} or titled so" if tag else ""


def _before(taken: AudioTrack, tracks: Sequence[AudioTrack]) -> list[AudioTrack]:
    """Return tracks of its language, or of none known, that stand before it or come before it by their tags."""
    from sutradhar.pipeline import languages

    def expected(track: AudioTrack) -> bool:
        same = not (track.language and taken.language) or languages.same(track.language, taken.language)
        return same and (track.index < taken.index or track == best)

    best = in_order(tracks, "auto")[0]
    return sorted((track for track in tracks if track != taken and expected(track)), key=lambda track: track.index)


def choose_track(tracks: Sequence[AudioTrack], wanted: str, source: str) -> AudioTrack:
    """Return the track with this number, or the best in this language; without one the best for the source
    language. Raises UsageError."""
    from sutradhar.pipeline import languages

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
