"""Segmentation-3.0 of pyannote: the probability that anybody speaks, of each frame of sound.

The network (https://huggingface.co/pyannote/segmentation-3.0, MIT; https://arxiv.org/abs/2310.13025) hears 10 s at a
time and gives, for each of 589 frames of 17 ms, log-probabilities of 7 classes: nobody, each of three speakers, each
two of them. `pyannet.py` has its layers, `convert.py` makes the ONNX file that is loaded here.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sutradhar.pipeline.media import SAMPLE_RATE
from sutradhar.stages.sound.about import FILE
from sutradhar.stages.sound.silero import FRAME
from sutradhar.stages.sound.wav import Samples, Sound

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CHUNK = 10 * SAMPLE_RATE  # samples that the network hears at once
MARGIN = 47 * FRAME  # 1.5 s of what is heard before and behind a frame, so that none lies at an edge
STEP, SEEN = 270, 991  # samples from one frame to the next, and that one frame sees


class Segmentation:
    """The network. It takes 85 MB for each thread."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # it reports to Microsoft otherwise
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # threads hear chunks of their own
        options.enable_cpu_mem_arena = False
        self._threads = threads
        self._session = onnxruntime.InferenceSession(
            str(folder / FILE), providers=["CPUExecutionProvider"], sess_options=options
        )

    def speech_probabilities(
        self, sound: Sound | Samples, undecided: Sequence[bool], progress: Callable[[float, float], None]
    ) -> array[float]:
        """Return one probability for each frame of Silero's, NaN for those that are decided. Where chunks overlap,
        they are averaged. `progress` gets seconds done and in all."""
        import numpy as np

        frames = len(undecided)
        sums, counts = np.zeros(frames, np.float32), np.zeros(frames, np.float32)
        starts = list(chunks_around(undecided, sound.samples))
        with ThreadPoolExecutor(self._threads) as pool:
            for start, speech in zip(starts, pool.map(partial(self._heard, sound), starts), strict=True):
                own = np.arange(-(-start // FRAME), min(frames, -(-(start + CHUNK) // FRAME)))
                middles = np.arange(len(speech)) * STEP + SEEN / 2
                sums[own] += np.interp((own + 0.5) * FRAME - start, middles, speech)
                counts[own] += 1
                progress(min(start + CHUNK, sound.samples) / SAMPLE_RATE, sound.samples / SAMPLE_RATE)
        return array("f", np.where(undecided, sums / np.maximum(counts, 1), np.nan).tolist())

    def _heard(self, sound: Sound | Samples, start: int) -> NDArray[np.float32]:
        """Return the probability that anybody speaks for each frame of the network's, shape (589,)."""
        import numpy as np

        chunk = sound.read(start, CHUNK)
        (classes,) = self._session.run(None, {"sound": np.pad(chunk, (0, CHUNK - len(chunk)))[None]})
        speech: NDArray[np.float32] = 1 - np.exp(classes[0, :, 0])
        return speech


def chunks_around(undecided: Sequence[bool], samples: int) -> Iterator[int]:
    """Yield the first samples of the chunks that are needed to hear each undecided frame."""
    last = max(0, samples - CHUNK)
    heard = 0  # samples
    for frame, is_undecided in enumerate(undecided):
        if is_undecided and frame * FRAME >= heard:
            start = min(max(0, frame * FRAME - MARGIN), last)
            yield start
            heard = samples if start == last else start + CHUNK - MARGIN
