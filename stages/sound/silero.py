"""Silero VAD 6: the probability of speech in each 32 ms of sound (https://github.com/snakers4/silero-vad, MIT).

The network comes as ONNX inside the faster-whisper package. It is recurrent, so a film goes through it in blocks
that hand on its state; the result is the same as in one go.
"""

from __future__ import annotations

import importlib.util
import os
from array import array
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.media import SAMPLE_RATE
from sutradhar.stages.sound.wav import SAMPLES_PER_MS, Samples, Sound

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MODEL = "silero_vad_v6.onnx"
FRAME = 512  # samples of one decision
FRAME_MS = FRAME // SAMPLES_PER_MS
CONTEXT = 64  # samples before a frame that the network sees with it
BLOCK = 256  # frames a run, 8 s: enough to keep two threads busy, small enough to cost no memory
LIKELY = 0.5
THREADS = 2  # 600 s of sound: 0.9 s on one thread, 0.6 s on two


def speech_probabilities(
    sound: Sound | Samples,
    progress: Callable[[float, float], None] = lambda done, total: None,
    detector: Detector | None = None,
    block: int = BLOCK,
) -> array[float]:
    """Return one probability for each frame, the last of them filled up with silence. `progress` gets seconds done
    and in all."""
    probabilities = array("f")
    detector = detector or Detector()
    detector.reset()
    for start in range(0, sound.samples, block * FRAME):
        probabilities.extend(detector.feed(sound.read(start, block * FRAME)))
        progress(min(start + block * FRAME, sound.samples) / SAMPLE_RATE, sound.samples / SAMPLE_RATE)
    return probabilities


def count_speech_ms(blocks: Iterable[NDArray[np.float32]], detector: Detector, enough_ms: int | None = None) -> int:
    """Count in ms how much of some sound, in blocks of any length, is more likely speech than not. The count ends
    early where it reaches `enough_ms`."""

    detector.reset()
    speech = 0
    for frames in _in_frames(blocks):
        speech += likely(detector.feed(frames))
        if enough_ms is not None and speech * FRAME_MS >= enough_ms:
            break
    return speech * FRAME_MS


def likely(probabilities: Iterable[float]) -> int:
    """Count the frames that are more likely speech than not."""
    return sum(probability >= LIKELY for probability in probabilities)


def _in_frames(blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    """Yield the same samples as whole frames, at most `BLOCK` of them, and last the rest."""
    import numpy as np

    held = np.zeros(0, np.float32)
    for block in blocks:
        held = np.concatenate([held, block])
        count = len(held) // FRAME * FRAME
        yield from (held[start : min(start + BLOCK * FRAME, count)] for start in range(0, count, BLOCK * FRAME))
        held = held[count:]
    if len(held):
        yield held


def model_path() -> Path:
    """Return the network's file. Importing faster_whisper for it would load the recogniser's libraries as well."""
    package = importlib.util.find_spec("faster_whisper")
    if package is None or package.origin is None:
        raise UsageError(
            "The package faster-whisper, which holds the speech detector, is not installed: run ./scripts/bootstrap.sh"
        )
    path = Path(package.origin).parent / "assets" / MODEL
    if not path.is_file():
        raise UsageError(f"{path} is missing: reinstall faster-whisper 1.2 with ./scripts/bootstrap.sh")
    return path


class Detector:
    """The network and its state between blocks."""

    def __init__(self, threads: int = THREADS) -> None:
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # it reports to Microsoft otherwise
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        self._session = onnxruntime.InferenceSession(
            str(model_path()), providers=["CPUExecutionProvider"], sess_options=options
        )
        self.reset()

    def reset(self) -> None:
        """Begin with other sound."""
        import numpy as np

        self._state = (np.zeros((1, 1, 128), np.float32), np.zeros((1, 1, 128), np.float32))
        self._context = np.zeros((1, CONTEXT), np.float32)

    def feed(self, samples: NDArray[np.float32]) -> Iterator[float]:
        """Yield the probabilities of the next frames. Only the last block may be other than a multiple of `FRAME`."""
        import numpy as np

        frames = np.pad(samples, (0, -len(samples) % FRAME)).reshape(-1, FRAME)
        tails = frames[:, -CONTEXT:]
        seen = np.concatenate([np.concatenate([self._context, tails[:-1]]), frames], axis=1)
        hidden, cell = self._state
        probabilities, hidden, cell = self._session.run(None, {"input": seen, "h": hidden, "c": cell})
        self._state, self._context = (hidden, cell), tails[-1:]
        return iter(probabilities.ravel().tolist())
