"""Find the times at which somebody speaks, and the windows to recognise."""

from __future__ import annotations

from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.jobs.stage import ModelNeed, Outcome, Stage, StageContext
from sutradhar.pipeline.wording import counted
from sutradhar.stages.sound import hearing, yamnet
from sutradhar.stages.sound.hearing import Ears, segmentation_of
from sutradhar.stages.sound.listening import listen
from sutradhar.stages.sound.silero import Detector
from sutradhar.stages.sound.voices import Voice
from sutradhar.stages.sound.wav import Sound, spoken_by
from sutradhar.stages.sound.windows import SETTINGS
from sutradhar.stages.sound.yamnet import yamnet_of
from sutradhar.stages.transcript import Audio, Windows, load, save


def run(ctx: StageContext) -> Outcome:
    audio = load(ctx.read("audio"), Audio)
    ears = Ears(Detector(), segmentation_of(ctx), yamnet_of(ctx))
    with Sound(ctx.read("sound")) as sound:
        voices = [Voice(name, spoken_by(sound, name, audio.voices)) for name in audio.voices]
        found = listen(voices, ears, ctx.settings, start_ms=audio.start_ms, cause=audio.cause, progress=ctx.progress)
    save(ctx.write("windows"), found)
    return Outcome(
        summary=_summary(found, audio.duration_ms),
        engine={
            "backend": "onnxruntime",
            "device": "cpu",
            "model": " and ".join(["silero-vad-6", *(need.name for need in _models_of(ctx.settings))]),
        },
        packages=("faster-whisper", "onnxruntime"),
        seconds_of_media=audio.duration_ms / 1000,
    )


def _models_of(settings: Settings) -> tuple[ModelNeed, ...]:
    return (*hearing.models_of(settings), *yamnet.models_of(settings))


def _summary(found: Windows, duration_ms: int) -> str:
    speech = sum(span.end_ms - span.start_ms for window in found.windows for span in window.speech)
    doubtful = sum(not window.sure for window in found.windows)
    music = sum(one.end_ms - one.start_ms for one in found.music)
    return (
        f"Speech found: {speech / 1000:.0f} s of {duration_ms / 1000:.0f} s,"
        f" in {counted(len(found.windows), 'window')}"
        + (f", {doubtful} of them doubtful" if doubtful else "")
        + (f"; music without speech: {music / 1000:.0f} s" if music else "")
    )


STAGE = Stage(
    name="vad",
    run=run,
    reads=("sound", "audio"),
    writes=("windows",),
    settings=(*SETTINGS, "MUSIC"),
    models=_models_of,
)
