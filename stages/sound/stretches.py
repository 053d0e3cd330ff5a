"""Faults of a part of a recording, which no level of the whole shows: channels that cancel each other there, and
speech far too quiet."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from sutradhar.pipeline.media import SAMPLE_RATE, RaisedPart, Stretches
from sutradhar.pipeline.timecode import format_ms
from sutradhar.stages.sound.alike import Readable
from sutradhar.stages.sound.silero import Detector, count_speech_ms
from sutradhar.stages.sound.thresholds import SILENCE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]

Part = tuple[int, int]  # milliseconds on the film's clock

CANCELLED, FAR_BELOW, RELATED, NEAR = 10**-0.6, 0.1, 10**0.1, 10**-0.6  # of power
MIN_MS = 5000  # length of a cancelled part, or of one that is quiet without a break
SPOKEN_MS, SPOKEN_SHARE = 1000, 0.1  # speech in a quiet part once it is raised: noise and music stay below
CLEARLY = 1.25  # times as much speech as before
TOLD = 3  # parts that are named


def cancelled_parts(stretches: Stretches, above_db: float) -> list[Part]:
    """Find the parts where channels that are louder than this cancel each other in the mix; none where that is
    rare."""
    parts = _parts(stretches, _cancelled(stretches, above_db))
    return parts if sum(end - start for start, end in parts) >= MIN_MS else []


def channel_of_all(stretches: Stretches, above_db: float) -> int | None:
    """Return the loudest channel that holds all of the mix and all that is cancelled in it. None where channels
    differ elsewhere too."""
    import numpy as np

    channels, mix = stretches.power[:-1], stretches.power[-1]
    cancelled = _cancelled(stretches, above_db)
    near = np.convolve(cancelled, [1, 1, 1], "same") > 0
    sounds = channels.max(axis=0) > 10 ** (above_db / 10)
    if (sounds & ~near & (mix < RELATED * stretches.unrelated)).any():
        return None
    wanted = np.where(near, channels.max(axis=0), mix)
    holding = [number for number, power in enumerate(channels) if (power >= NEAR * wanted)[sounds].all()]
    return max(holding, key=lambda number: (round(float(channels[number].sum()), 3), -number), default=None)


def quiet_parts(stretches: Stretches, row: int, part: Part, below_db: float, to_db: float) -> list[RaisedPart]:
    """Find parts of a channel, or of the mix (row -1), that stay below a level, with the gain that takes the
    loudest second to another. Only the sound in `part` counts."""

    power = stretches.power[row]
    found: list[RaisedPart] = []
    for start, end in _parts(stretches, power < 10 ** (below_db / 10)):
        inside = (stretches.edges_ms[:-1] >= start) & (stretches.edges_ms[:-1] < end)
        loudest = float(power[inside].max(initial=0))
        start, end = max(start, part[0]), min(end, part[1])
        if end - start >= MIN_MS and loudest > SILENCE:
            found.append(RaisedPart(start, end, math.sqrt(10 ** (to_db / 10) / loudest)))
    return found


def speaks(
    raised: Iterable[NDArray[np.float32]], as_is: Iterable[NDArray[np.float32]], part: RaisedPart, detector: Detector
) -> bool:
    """Tell whether somebody is heard in a part only when it is raised."""
    raised_ms = count_speech_ms(raised, detector)
    least_ms = max(SPOKEN_MS, SPOKEN_SHARE * (part.end_ms - part.start_ms))
    return raised_ms >= least_ms and raised_ms >= CLEARLY * count_speech_ms(as_is, detector)


def read_part(sound: Readable, part: RaisedPart, start_ms: int, gain: float = 1.0) -> Iterator[NDArray[np.float32]]:
    """Yield seconds of `sound`, which begins at `start_ms`, made louder."""
    import numpy as np

    first, last = ((ms - start_ms) * SAMPLE_RATE // 1000 for ms in (part.start_ms, part.end_ms))
    for start in range(first, last, SAMPLE_RATE):
        piece = sound.read(start, min(SAMPLE_RATE, last - start))
        yield np.clip(piece * np.float32(gain), -1, 1)


def named(parts: Sequence[Part]) -> str:
    """Return `from 00:00:15 to 00:00:30` for each of the first."""
    told = [f"from {format_ms(max(0, start))[:-4]} to {format_ms(end)[:-4]}" for start, end in parts[:TOLD]]
    return ", ".join(told) + (f" and {len(parts) - TOLD} times more" if len(parts) > TOLD else "")


def _cancelled(stretches: Stretches, above_db: float) -> Flags:
    loudest, mix = stretches.power[:-1].max(axis=0), stretches.power[-1]
    found: Flags = (
        (loudest > 10 ** (above_db / 10)) & (mix < CANCELLED * stretches.unrelated) & (mix < FAR_BELOW * loudest)
    )
    return found


def _parts(stretches: Stretches, flags: Flags) -> list[Part]:
    """Return the runs of stretches that are marked."""
    import numpy as np

    changes = np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0))
    edges: list[int] = stretches.edges_ms[changes].tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))
