"""Put runs of samples where their times say: silence where nothing is, nothing twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples = NDArray[np.int16]
    WideSamples = NDArray[np.int32]  # the upper 16 bits are those of Samples

SAMPLE_RATE = 16_000  # Hz: what every recogniser takes


@dataclass
class Timeline:
    """The stretch [position, end) of the film's clock, counted in samples, that is being filled."""

    position: int
    end: int

    @property
    def full(self) -> bool:
        return self.position >= self.end

    def place(self, at: int, samples: WideSamples) -> Iterator[WideSamples]:
        """Place samples that begin at `at`: after silence where they come later than the sound so far, cut where
        they overlap it."""
        yield from self._silence(min(at, self.end))
        wanted = samples[max(0, self.position - at) : max(0, self.end - at)]
        if len(wanted):
            self.position += len(wanted)
            yield wanted

    def _silence(self, until: int) -> Iterator[WideSamples]:
        import numpy as np

        while self.position < until:
            length = min(until - self.position, 60 * SAMPLE_RATE)
            self.position += length
            yield np.zeros(length, np.int32)


def in_blocks(pieces: Iterable[WideSamples], length: int) -> Iterator[Samples]:
    """Yield the same samples, rounded to 16 bits, in blocks of at least this length, but for the last one."""
    import numpy as np

    held: list[WideSamples] = []
    count = 0
    for piece in pieces:
        held.append(piece)
        count += len(piece)
        if count >= length:
            yield _to_16_bits(np.concatenate(held))
            held, count = [], 0
    if held:
        yield _to_16_bits(np.concatenate(held))


def _to_16_bits(samples: WideSamples) -> Samples:
    """Round whole blocks to 16 bits: for each frame of a codec it would take a third as long as decoding."""
    import numpy as np

    scaled = samples * 2**-16
    np.rint(scaled, out=scaled)
    rounded: Samples = np.minimum(scaled, 32767, out=scaled).astype(np.int16)
    return rounded
