"""Find music in which nobody is heard speaking: text from there is sung, and invented where nobody sings.

YAMNet knows music well, and hears hardly any speech in songs; but no more in speech that is only as loud as the music.
Silero hears such speech, and many songs too. So the more Silero calls speech, the less of it YAMNet may hear.
docs/sound.md has the figures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sutradhar.stages.sound.silero import FRAME, LIKELY
from sutradhar.stages.sound.wav import SAMPLES_PER_MS, Samples, Sound
from sutradhar.stages.sound.yamnet import PATCH, Yamnet
from sutradhar.stages.transcript import Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Track = NDArray[np.floating]

# Means of `AROUND` patches, as docs/sound.md says how they were chosen
AROUND = 3
MUSIC = 0.5  # by YAMNet, at least
SPEECH = 0.05  # by YAMNet, at most, times the square of the share of time in which Silero hears nobody
SURE = 0.9  # the share of time that Silero calls speech from which on nobody needs to ask YAMNet
LEAST = 3  # patches: shorter music may be a chord between two lines
FRAMES = PATCH // FRAME  # of Silero's in a patch
PATCH_MS = PATCH // SAMPLES_PER_MS


def find_music(sound: Sound | Samples, sure: Sequence[float], network: Yamnet) -> tuple[Span, ...]:
    """Find the stretches of music in which nobody speaks; `sure` is Silero's track of the sound."""
    import numpy as np

    patches = -(-sound.samples // PATCH)
    if not patches:
        return ()
    likely = np.zeros(patches * FRAMES)
    likely[: len(sure)] = np.asarray(sure)[: patches * FRAMES] >= LIKELY
    spoken = _mean(likely.reshape(patches, FRAMES).mean(axis=1))
    wanted = _sum((spoken < SURE).astype(np.float64)) > 0  # what the means there are made of
    music, speech = network.scores(sound, wanted.tolist()).T
    alone = (spoken < SURE) & (_mean(music) >= MUSIC) & (_mean(speech) <= SPEECH * (1 - spoken) ** 2)
    return tuple(_stretches(alone.tolist(), sound.duration_ms))


def _mean(track: Track) -> Track:
    """Return the mean around each patch, of as many as there are."""
    import numpy as np

    mean: Track = _sum(track) / _sum(np.ones(len(track)))
    return mean


def _sum(track: Track) -> Track:
    """Return the sum around each patch, shape as the track's, which may be shorter than `AROUND`."""
    import numpy as np

    return np.convolve(track, np.ones(AROUND))[AROUND // 2 : AROUND // 2 + len(track)]


def _stretches(alone: Sequence[bool], duration_ms: int) -> Iterator[Span]:
    first = 0
    for place, is_music in enumerate([*alone, False]):
        if not is_music:
            if place - first >= LEAST:
                yield Span(first * PATCH_MS, min(place * PATCH_MS, duration_ms))
            first = place + 1
