"""Look at some places of a track, to know cheaply whether there is anything in it."""

from __future__ import annotations

from pathlib import Path

from sutradhar.pipeline.errors import StageFailed, UsageError
from sutradhar.pipeline.media.decode import decode
from sutradhar.pipeline.media.levels import FLOOR_DB

PLACES, PLACE_MS = 8, 2000

Part = tuple[int, int]  # first and last millisecond, on the film's clock


def loudest_db(path: Path, track: int, part: Part, enough_db: float) -> float:
    """Return the level that the loudest channel reaches at one of the places; no more are looked at once it is
    above `enough_db`.

    A place that cannot be decoded counts as loud: its fault is told where all of the track is decoded."""
    loudest = FLOOR_DB
    for start_ms, end_ms in _places(*part):
        sound = decode(path, track, start_ms, end_ms, allow_truncated=True)
        try:
            list(sound)
        except UsageError:  # a track may end before the film
            continue
        except StageFailed:
            return 0.0
        if sound.levels:
            loudest = max(loudest, *(level.word_db for level in sound.levels.channels))
        if loudest > enough_db:
            break
    return loudest


def _places(start_ms: int, end_ms: int) -> list[Part]:
    """Return places spread evenly, from the middle on; all of the track where it is short."""
    if end_ms - start_ms <= PLACES * PLACE_MS:
        return [(start_ms, max(end_ms, start_ms + 1))]
    step = (end_ms - start_ms) / PLACES
    starts = [int(start_ms + step * (number + 0.5)) for number in range(PLACES)]
    middle = (start_ms + end_ms) / 2
    return [(start, start + PLACE_MS) for start in sorted(starts, key=lambda start: abs(start - middle))]
