"""The tracks of sound by which speech is found: what is decoded, and where words may be missing.

Two detectors err in different ways: Silero loses whole lines after seconds of wind, since its state stays low;
segmentation-3.0 takes much music for voices. Their mean misses less than either at the same false alarm. Silero that
begins anew every few seconds hears what it has lost, and more noise: it only says where to look again.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isnan, nan
from pathlib import Path

from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.jobs.stage import ModelNeed, StageContext
from sutradhar.pipeline.media import SAMPLE_RATE
from sutradhar.stages.sound.about import BOTH, FORM, NAME
from sutradhar.stages.sound.segmentation import Segmentation
from sutradhar.stages.sound.silero import FRAME, FRAME_MS, LIKELY, THREADS, Detector, speech_probabilities
from sutradhar.stages.sound.wav import Samples, Sound
from sutradhar.stages.sound.yamnet import Yamnet

EVERY = 5 * SAMPLE_RATE // FRAME  # frames after which the second Silero begins anew
WARM_UP = SAMPLE_RATE // FRAME  # frames that it hears before
PAUSE = 800 // FRAME_MS  # frames: in no shorter pause words are missed
LONG_PAUSE = 3000 // FRAME_MS  # of what follows Silero knows little: its state stays low
EDGE = 200 // FRAME_MS  # a word that fades at the edge of a pause lies in the padding of its window
NOBODY = 0.05  # by Silero, in the middle of a pause: then nobody speaks
ANYBODY = 0.1  # by segmentation-3.0: below, no more is asked


@dataclass(frozen=True)
class Hearing:
    """Probabilities of speech, one for each frame."""

    sure: Sequence[float]  # Silero's: where it is high, somebody speaks
    gate: Sequence[float]  # what is decoded
    look: Sequence[float]  # where words that were not found may be
    both: bool = False  # whether the gate is of both detectors


class Ears:
    """The detectors. For one thread."""

    def __init__(
        self, detector: Detector, segmentation: Path | None, yamnet: Path | None = None, threads: int = THREADS
    ) -> None:
        """Take Silero, and the folders of segmentation-3.0 and of YAMNet where they are to listen too, on so many
        threads."""
        self.detector = detector
        self.yamnet = Yamnet(yamnet) if yamnet else None
        self._segmentation = Segmentation(segmentation, threads) if segmentation else None

    @property
    def both(self) -> bool:
        """Tell whether segmentation-3.0 is at hand."""
        return self._segmentation is not None

    def hear(
        self,
        sound: Sound | Samples,
        progress: Callable[[float, float], None] = lambda done, total: None,
        sure: Sequence[float] = (),
    ) -> Hearing:
        """Listen to sound; `sure` is Silero's track where it is known already. `progress` gets seconds done and in
        all."""

        def half(number: int) -> Callable[[float, float], None]:
            return lambda done, total: progress((number * total + done) / 2, total)

        sure = sure or speech_probabilities(sound, half(0), self.detector)
        undecided = undecided_frames(sure)
        if not self._segmentation:
            anew = probabilities_begun_anew(sound, undecided, half(1), self.detector)
            return Hearing(sure, sure, _or(anew, sure))
        voices = self._segmentation.speech_probabilities(sound, undecided, half(1))
        doubtful = [voice >= ANYBODY for voice in voices]  # NaN is not
        anew = probabilities_begun_anew(sound, doubtful, lambda done, total: None, self.detector)
        others = _or(voices, sure)
        return Hearing(sure, _mean(sure, others), _mean(_or(anew, sure), others), both=True)


def undecided_frames(sure: Sequence[float]) -> list[bool]:
    """Tell of each frame whether others have to listen too: it lies in the middle of a pause by Silero that is long, or
    of which Silero is not quite certain. In speech with short pauses there is nothing to be found."""
    found, first = [False] * len(sure), 0
    for frame, probability in enumerate([*sure, 1.0]):
        if probability >= LIKELY:
            middle = slice(first + EDGE if first else 0, frame - EDGE if frame < len(sure) else frame)
            if _is_undecided(frame - first, sure[middle]):
                found[middle] = [True] * len(sure[middle])
            first = frame + 1
    return found


def _is_undecided(length: int, middle: Sequence[float]) -> bool:
    return length >= PAUSE and (length >= LONG_PAUSE or max(middle) >= NOBODY)


def models_of(settings: Settings) -> tuple[ModelNeed, ...]:
    return (ModelNeed(NAME, FORM),) if settings.SPEECH_DETECTOR == BOTH else ()


def segmentation_of(ctx: StageContext) -> Path | None:
    """Return the folder of segmentation-3.0; None where it is not to listen."""
    return next((ctx.model(need).path for need in models_of(ctx.settings)), None)


def probabilities_begun_anew(
    sound: Sound | Samples, undecided: Sequence[bool], progress: Callable[[float, float], None], detector: Detector
) -> array[float]:
    """Return Silero's probabilities where it begins anew every 5 s, after 1 s to warm up; NaN where nothing is open in
    5 s. `progress` gets seconds done and in all."""
    probabilities = array("f")
    for first in range(0, len(undecided), EVERY):
        if not any(undecided[first : first + EVERY]):
            probabilities.extend([nan] * min(EVERY, len(undecided) - first))
        else:
            begin = max(0, first - WARM_UP)
            detector.reset()
            heard = sound.read(begin * FRAME, (first + EVERY - begin) * FRAME)
            probabilities.extend(list(detector.feed(heard))[first - begin :])
        progress(min((first + EVERY) * FRAME, sound.samples) / SAMPLE_RATE, sound.samples / SAMPLE_RATE)
    return probabilities


def _or(track: Sequence[float], instead: Sequence[float]) -> array[float]:
    """Return a track, with another one where it has no number."""
    return array("f", (other if isnan(own) else own for own, other in zip(track, instead, strict=True)))


def _mean(one: Sequence[float], other: Sequence[float]) -> array[float]:
    return array("f", ((a + b) / 2 for a, b in zip(one, other, strict=True)))
