"""Segmentation-3.0 of pyannote: the probability that anybody speaks, of each frame of sound.

The network (https://huggingface.co/pyannote/segmentation-3.0, MIT; https://arxiv.org/abs/2310.13025) hears 10 s at a
time and gives, for each of 589 frames of 17 ms, log-probabilities of 7 classes: nobody, each of three speakers, each
two of them. `pyannet.py` has its layers, `convert.py` makes the ONNX file that is loaded here.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path

from sutradhar.pipeline.media import SAMPLE_RATE
from sutradhar.stages.sound.about import FILE
from sutradhar.stages.sound.silero import FRAME
from sutradhar.stages.sound.wav import Samples, Sound

CHUNK = 10 * SAMPLE_RATE  # samples that the network hears at once
HOP = 7 * SAMPLE_RATE  # 3 s of each chunk are heard twice, so that no frame lies at an edge alone
STEP, SEEN = 270, 991  # samples from one frame to the next, and that one frame sees
BATCH = 2  # chunks at once: 85 MB at 1, 182 MB at 8


class Segmentation:
    """The network. For one thread."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # it reports to Microsoft otherwise
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.enable_cpu_mem_arena = False
        self._session = onnxruntime.InferenceSession(
            str(folder / FILE), providers=["CPUExecutionProvider"], sess_options=options
        )

    def speech_probabilities(self, sound: Sound | Samples, open_frames: Sequence[bool]) -> array[float]:
        """Return one probability for each frame of Silero's, the last of them filled up with silence. Where chunks
        overlap, they are averaged. NaN where no chunk holds an open frame."""
        import numpy as np

        frames = -(-sound.samples // FRAME)
        sums, counts = np.zeros(frames, np.float32), np.zeros(frames, np.float32)
        for starts in _batches(sound.samples, open_frames):
            chunks = [sound.read(start, CHUNK) for start in starts]
            heard = np.stack([np.pad(chunk, (0, CHUNK - len(chunk))) for chunk in chunks])
            (classes,) = self._session.run(None, {"sound": heard})
            middles = np.arange(classes.shape[1]) * STEP + SEEN / 2
            for start, speech in zip(starts, 1 - np.exp(classes[:, :, 0]), strict=True):
                own = np.arange(-(-start // FRAME), min(frames, -(-(start + CHUNK) // FRAME)))
                sums[own] += np.interp((own + 0.5) * FRAME - start, middles, speech)
                counts[own] += 1
        return array("f", np.where(counts > 0, sums / np.maximum(counts, 1), np.nan).tolist())


def _batches(samples: int, open_frames: Sequence[bool]) -> Iterator[list[int]]:
    """Yield the first samples of the chunks with open frames."""
    last = max(0, samples - CHUNK)
    chunks = [*range(0, last, HOP), last] if samples else []
    starts = [start for start in chunks if any(open_frames[start // FRAME : -(-(start + CHUNK) // FRAME)])]
    yield from (starts[first : first + BATCH] for first in range(0, len(starts), BATCH))
