"""Finds where somebody speaks, and the windows that are recognised."""

from __future__ import annotations

from pipeline.stage import Outcome, Stage, StageContext
from pipeline.wording import counted
from stages.account import why_nobody
from stages.silero import speech_probabilities
from stages.sound import Sound
from stages.speech import SETTINGS, find_windows
from stages.transcript import Audio, Windows, load, save


def run(ctx: StageContext) -> Outcome:
    audio = load(ctx.read("demux/audio.json"), Audio)
    with Sound(ctx.read("demux/audio.wav")) as sound:
        probabilities = speech_probabilities(sound, ctx.progress)
        duration_ms = min(sound.duration_ms, audio.duration_ms)
    windows = find_windows(probabilities, duration_ms, ctx.settings, audio.start_ms)
    cause = "" if windows else why_nobody(audio.cause, max(probabilities, default=0.0), ctx.settings.SILERO_THRESHOLD)
    save(ctx.write("vad/windows.json"), Windows(windows, cause))
    speech = sum(span.end_ms - span.start_ms for window in windows for span in window.speech)
    return Outcome(
        summary=f"Speech found: {speech / 1000:.0f} s of {duration_ms / 1000:.0f} s, in {counted(len(windows), 'window')}",
        engine={"backend": "onnxruntime", "device": "cpu", "model": "silero-vad-6"},
        packages=("faster-whisper", "onnxruntime"),
        seconds_of_media=duration_ms / 1000,
    )


STAGE = Stage(
    name="vad",
    run=run,
    reads=("demux/audio.wav", "demux/audio.json"),
    writes=("vad/windows.json",),
    settings=SETTINGS,
)
