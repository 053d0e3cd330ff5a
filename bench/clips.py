"""Speech with references: `DIR/<set>/manifest.jsonl`, a line a file with `audio` (its path in the set), `text` and
`language`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sutradhar.pipeline.jobs.settings import Settings
    from sutradhar.stages.recognisers.contract import AudioWindow
    from sutradhar.stages.sound.hearing import Ears

MODELS = Path(__file__).resolve().parent.parent / "models"
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

    from sutradhar.pipeline import media

    samples: NDArray[np.float32] = np.concatenate(list(media.decode(clip.audio))).astype(np.float32) / 32768
    return samples


def cut_windows(clips: Sequence[Clip], settings: Settings) -> Iterator[tuple[int, AudioWindow]]:
    """Cut windows as the vad stage does, numbered throughout, each with the number of its clip."""
    import numpy as np
    from msgspec.structs import replace

    from sutradhar.stages.recognisers.contract import AudioWindow
    from sutradhar.stages.sound.wav import Samples
    from sutradhar.stages.sound.windows import find_windows

    ears, count = open_ears(settings), 0
    for number, clip in enumerate(clips):
        samples = samples_of(clip)
        sound = Samples((samples * 32768).astype(np.int16))
        for window in find_windows(ears.hear(sound), sound.duration_ms, settings):
            heard = samples[window.start_ms * 16 : window.end_ms * 16]
            yield number, AudioWindow.of(replace(window, id=count), heard, clip.language)
            count += 1


def open_ears(settings: Settings) -> Ears:
    """Open the detectors of speech that the settings name."""
    from sutradhar.pipeline.models import library
    from sutradhar.stages.sound.hearing import Ears, models_of
    from sutradhar.stages.sound.silero import Detector

    needs = models_of(settings)
    folders = [library.resolve(one.name, one.form, models_dir=MODELS, offline=True).path for one in needs]
    return Ears(Detector(), next(iter(folders), None))
