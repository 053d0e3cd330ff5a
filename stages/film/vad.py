"""Find the times at which somebody speaks, and the windows to recognise."""

from __future__ import annotations

from collections.abc import Sequence

from sutradhar.pipeline.jobs.stage import Outcome, Stage, StageContext
from sutradhar.pipeline.wording import counted
from sutradhar.stages.sound.about import BOTH, NAME
from sutradhar.stages.sound.hearing import Ears, models_of, segmentation_of
from sutradhar.stages.sound.listening import listen
from sutradhar.stages.sound.silero import Detector
from sutradhar.stages.sound.voices import Voice
from sutradhar.stages.sound.wav import Sound, spoken_by
from sutradhar.stages.sound.windows import SETTINGS
from sutradhar.stages.transcript import Audio, Window, load, save


def run(ctx: StageContext) -> Outcome:
    audio = load(ctx.read("audio"), Audio)
    ears = Ears(Detector(), segmentation_of(ctx))
    with Sound(ctx.read("sound")) as sound:
        voices = [Voice(name, spoken_by(sound, name, audio.voices)) for name in audio.voices]
        found = listen(voices, ears, ctx.settings, start_ms=audio.start_ms, cause=audio.cause, progress=ctx.progress)
    save(ctx.write("windows"), found)
    return Outcome(
        summary=_summary(found.windows, audio.duration_ms),
        engine={
            "backend": "onnxruntime",
            "device": "cpu",
            "model": "silero-vad-6" + f" and {NAME}" * (ctx.settings.SPEECH_DETECTOR == BOTH),
        },
        packages=("faster-whisper", "onnxruntime"),
        seconds_of_media=audio.duration_ms / 1000,
    )


def _summary(windows: Sequence[Window], duration_ms: int) -> str:
    speech = sum(span.end_ms - span.start_ms for window in windows for span in window.speech)
    doubtful = sum(not window.sure for window in windows)
    return (
        f"Speech found: {speech / 1000:.0f} s of {duration_ms / 1000:.0f} s, in {counted(len(windows), 'window')}"
        + (f", {doubtful} of them doubtful" if doubtful else "")
    )


STAGE = Stage(
    name="vad",
    run=run,
    reads=("sound", "audio"),
    writes=("windows",),
    settings=SETTINGS,
    models=models_of,
)
