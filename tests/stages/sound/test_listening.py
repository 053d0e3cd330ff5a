from __future__ import annotations

import numpy as np

from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.stages.sound.hearing import Ears
from sutradhar.stages.sound.listening import listen
from sutradhar.stages.sound.silero import Detector
from sutradhar.stages.sound.voices import Voice
from sutradhar.stages.sound.wav import Samples


def test_silence_has_no_windows_and_the_cause() -> None:
    silence = Voice("", Samples(np.zeros(48_000, np.int16)))
    ears = Ears(Detector(), None)
    why = listen([silence], ears, Settings(), cause="the track is silent").cause
    assert why == "the track is silent. Give another track or file, or record it anew"
    assert listen([silence], ears, Settings()).cause.startswith("there is sound, but it is not like speech")
