"""Speech with references: `DIR/<set>/manifest.jsonl`, a line a file with `audio` (its path in the set), `text` and
`language`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from sutradhar.pipeline import media

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sutradhar.pipeline.jobs.settings import Settings
    from sutradhar.stages.recognisers.contract import AudioWindow

ROOT = Path(__file__).resolve().parent.parent
SETS = ("en_librispeech", "en_ljspeech", "en_commonvoice", "film_notld", "tel_asterisk", "hi_commonvoice")
LIMITS = {"tel_asterisk": 40}


@dataclass(frozen=True)
class Clip:
    set: str
    audio: Path
    text: str
    language: str


def read_clips(data: Path, sets: Sequence[str], limit: int | None) -> list[Clip]:
    clips = []
    for name in sets:
        lines = (data / name / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
        for line in lines[: limit or LIMITS.get(name)]:
            row = json.loads(line)
            clips.append(Clip(name, data / name / row["audio"], row["text"], row["language"].partition("-")[0]))
    return clips


def samples_of(clip: Clip) -> NDArray[np.float32]:
    import numpy as np

    samples: NDArray[np.float32] = np.concatenate(list(media.decode(clip.audio))).astype(np.float32) / 32768
    return samples


def cut_windows(clips: Sequence[Clip], settings: Settings) -> Iterator[tuple[int, AudioWindow]]:
    """Cut windows as the vad stage does with both detectors, numbered throughout, each with the number of its clip."""
    import numpy as np

    from sutradhar.stages.recognisers.contract import AudioWindow
    from sutradhar.stages.sound.hearing import Ears
    from sutradhar.stages.sound.silero import Detector
    from sutradhar.stages.sound.wav import Samples
    from sutradhar.stages.sound.windows import find_windows

    ears, count = Ears(Detector(), ROOT / "models" / "segmentation-3.0"), 0
    for number, clip in enumerate(clips):
        sound = Samples(np.concatenate(list(media.decode(clip.audio))))
        for window in find_windows(ears.hear(sound), sound.duration_ms, settings):
            samples = sound.read_ms(window.start_ms, window.end_ms)
            yield number, AudioWindow.of(replace(window, id=count), samples, clip.language)
            count += 1
