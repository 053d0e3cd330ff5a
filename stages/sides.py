"""The two channels of a track as two speakers: each one's sound for himself, one after the other in one file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipeline.media import SAMPLE_RATE, Decoding
from stages.sound import Part, Sound, new_wav, write_block

SPEAKERS = 2
BLOCK = 60 * SAMPLE_RATE  # samples of both that are compared at a time
ALIKE = 0.01  # of what is in them, by which channels may differ that hold the same


def write_sides(channels: list[Decoding], path: Path, progress: Callable[[float], None]) -> tuple[int, str]:
    """Write both, and tell how many ms each is long; or why they are no two speakers. `progress` gets the seconds written so far."""
    import numpy as np

    written = [0, 0]
    with new_wav(path) as file:
        for number, channel in enumerate(channels):
            for block in channel:
                write_block(file, block if not number else block[: max(0, written[0] - written[1])])
                written[number] += len(block)
                progress(sum(written) / SAMPLE_RATE)
        write_block(file, np.zeros(max(0, written[0] - written[1]), np.int16))
    with Sound(path) as sound:
        why_not = "both channels hold the same" if _alike(Part(sound, 0, SPEAKERS), Part(sound, 1, SPEAKERS)) else ""
    return written[0] * 1000 // SAMPLE_RATE, why_not


def _alike(left: Sound, right: Sound) -> bool:
    """Also where one is the other inverted."""
    import numpy as np

    difference = sum_of_both = loudness = 0.0
    for start in range(0, left.samples, BLOCK):
        ours, theirs = left.read(start, BLOCK), right.read(start, BLOCK)
        difference += float(np.abs(ours - theirs).sum())
        sum_of_both += float(np.abs(ours + theirs).sum())
        loudness += float(np.abs(ours).sum())
    return min(difference, sum_of_both) <= ALIKE * loudness
