"""YAMNet of Google: how much music, and how much speech, there is in each second of sound.

The network (https://github.com/tensorflow/models/tree/master/research/audioset/yamnet, Apache-2.0) knows the 521 sounds
of AudioSet. It hears 0.96 s at a time, as 96 spectra; `convert_yamnet.py` makes the ONNX file that is loaded
here, which gives the few scores that are asked for.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.jobs.stage import ModelNeed, StageContext
from sutradhar.stages.sound.about import KEEP, YAMNET, YAMNET_FILE
from sutradhar.stages.sound.wav import Samples, Sound

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

HEARD = (132, 0, 1, 2, 3)  # classes: music; speech, child speech, conversation, monologue
SEEN, STEP, FFT = 400, 160, 512  # samples that a frame sees, that it goes on by, and of its transform
FRAMES = 96  # of a patch
PATCH = FRAMES * STEP  # samples from one patch to the next
BATCH = 8  # patches at once


class Yamnet:
    """The network. For one thread."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # it reports to Microsoft otherwise
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.enable_cpu_mem_arena = False
        self._session = onnxruntime.InferenceSession(
            str(folder / YAMNET_FILE), providers=["CPUExecutionProvider"], sess_options=options
        )

    def scores(self, sound: Sound | Samples, wanted: Sequence[bool]) -> Array:
        """Return the scores of music and of speech, from 0 to 1, of each `PATCH` of sound, shape (patches, 2). The last
        one is filled up with silence. NaN where a patch is not `wanted`."""
        import numpy as np

        found = np.full((len(wanted), 2), np.nan, np.float32)
        for numbers in _batches([number for number, want in enumerate(wanted) if want]):
            spectra = np.stack([_spectra(sound.read(number * PATCH, PATCH + SEEN - STEP)) for number in numbers])
            (classes,) = self._session.run(None, {"spectra": spectra})
            found[numbers, 0], found[numbers, 1] = classes[:, 0], classes[:, 1:].max(axis=1)
        return found


def models_of(settings: Settings) -> tuple[ModelNeed, ...]:
    return () if settings.MUSIC == KEEP else (ModelNeed(YAMNET, YAMNET),)


def yamnet_of(ctx: StageContext) -> Path | None:
    """Return the network's folder; None where no music is looked for."""
    return next((ctx.model(need).path for need in models_of(ctx.settings)), None)


def _batches(numbers: list[int]) -> Iterator[list[int]]:
    yield from (numbers[first : first + BATCH] for first in range(0, len(numbers), BATCH))


def _spectra(samples: Array) -> Array:
    """Return the magnitudes of the spectra of a patch, shape (frames, points)."""
    import numpy as np

    whole = np.pad(samples, (0, PATCH + SEEN - STEP - len(samples)))
    frames = np.lib.stride_tricks.sliding_window_view(whole, SEEN)[::STEP]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(SEEN) / SEEN)
    return np.abs(np.fft.rfft(frames * window.astype(np.float32), FFT)).astype(np.float32)
