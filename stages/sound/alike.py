"""A comparison of two channels: the same sound may be louder or softer, inverted, or some milliseconds later."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from sutradhar.pipeline.media import SAMPLE_RATE
from sutradhar.stages.sound.silero import Detector, count_speech_ms

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_LAG = SAMPLE_RATE // 100  # samples, 10 ms
PIECE = 64 * SAMPLE_RATE  # samples that are held at a time
BLOCK = SAMPLE_RATE // 2  # samples that are compared at once: about a word or two
FAINT = 0.001  # a block of this much power, of the loudest one's, is silence between words
SAME, SAME_BLOCK = 0.95, 0.8  # correlation of all, and of a block
OTHER_BLOCKS = 0.02  # share of blocks that may be other: more is a second voice
SIMILAR = 0.3  # correlation from which one channel without the other is listened to; the sides of a call have less
VOICE_MS = 300  # speech that makes it a second voice


class Readable(Protocol):
    samples: int

    def read(self, start: int, count: int) -> NDArray[np.float32]:
        """Read samples from -1 to 1, fewer at the end."""


def likeness(left: Readable, right: Readable, detector: Detector) -> int:
    """Return 1 where two channels hold the same voices, -1 where one is the other inverted, 0 where they differ."""
    import numpy as np

    if left.samples != right.samples:
        return 0
    lag = _lag(left, right)
    sums = np.concatenate([_block_sums(left, right, start, lag) for start in range(0, left.samples, PIECE)], axis=1)
    product, ours, theirs = sums.sum(axis=1)
    if ours == 0 or theirs == 0:
        return int(ours == theirs)
    sign = 1 if product > 0 else -1
    correlation = abs(product) / np.sqrt(ours * theirs)
    if correlation >= SAME and _in_all_blocks(sums, sign):
        return sign
    if correlation < SIMILAR:
        return 0
    gains = (
        product / ours,
        sign * np.sqrt(theirs / ours),
        theirs / product,
    )  # right where the noise is in the right one, in both, in the left one
    rests = (_rest(left, right, lag, float(gain)) for gain in gains)
    return sign if any(count_speech_ms(rest, detector, enough_ms=VOICE_MS) < VOICE_MS for rest in rests) else 0


def _in_all_blocks(sums: NDArray[np.float64], sign: int) -> bool:
    import numpy as np

    product, ours, theirs = sums
    heard = np.maximum(ours / ours.max(), theirs / theirs.max()) > FAINT
    correlations = sign * product[heard] / np.sqrt(np.maximum(ours[heard] * theirs[heard], 1e-20))
    return bool((correlations < SAME_BLOCK).mean() <= OTHER_BLOCKS)


def _rest(left: Readable, right: Readable, lag: int, gain: float) -> Iterator[NDArray[np.float32]]:
    """Yield the right channel without the left one: noise and music, where both have the same voices."""
    for start in range(0, left.samples, PIECE):
        ours, theirs = _pair(left, right, start, lag)
        yield theirs - gain * ours


def _lag(left: Readable, right: Readable) -> int:
    """Find by how many samples the right one is later, judged by the loudest piece."""
    import numpy as np

    start = max(
        range(0, left.samples, PIECE), key=lambda start: float(np.square(left.read(start, PIECE)).sum()), default=0
    )
    ours, theirs = left.read(start, PIECE), right.read(start, PIECE)
    size = 1 << (len(ours) + MAX_LAG).bit_length()
    products: list[float] = (
        np.abs(np.fft.irfft(np.fft.rfft(theirs, size) * np.conj(np.fft.rfft(ours, size)), size)).round(6).tolist()
    )
    return max(range(-MAX_LAG, MAX_LAG + 1), key=lambda lag: (products[lag], -abs(lag)))


def _block_sums(left: Readable, right: Readable, start: int, lag: int) -> NDArray[np.float64]:
    """Sum products, and squares of each, over blocks: shape (3, blocks)."""
    import numpy as np

    pair = _pair(left, right, start, lag)
    first, second = (np.pad(one, (0, -len(one) % BLOCK)).reshape(-1, BLOCK).astype(np.float64) for one in pair)
    sums: NDArray[np.float64] = np.stack(
        [(first * second).sum(axis=1), (first * first).sum(axis=1), (second * second).sum(axis=1)]
    )
    return sums


def _pair(left: Readable, right: Readable, start: int, lag: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Read a piece of each, moved by the lag, of one length."""
    ours, theirs = left.read(start + max(0, -lag), PIECE), right.read(start + max(0, lag), PIECE)
    count = min(len(ours), len(theirs))
    return ours[:count], theirs[:count]
