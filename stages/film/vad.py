"""Find the times at which somebody speaks, and the windows to recognise."""

from __future__ import annotations

from sutradhar.pipeline.jobs.stage import Outcome, Stage, StageContext
from sutradhar.pipeline.wording import counted
from sutradhar.stages.sound.account import why_nobody
from sutradhar.stages.sound.silero import speech_probabilities
from sutradhar.stages.sound.wav import Sound, spoken_by
from sutradhar.stages.sound.windows import SETTINGS, windows_of_voices
from sutradhar.stages.transcript import Audio, Windows, load, save


def run(ctx: StageContext) -> Outcome:
    audio = load(ctx.read("audio"), Audio)
    with Sound(ctx.read("sound")) as sound:
        parts = [(name, spoken_by(sound, name, audio.voices)) for name in audio.voices]
        duration_ms = min(parts[0][1].duration_ms, audio.duration_ms)
        heard = [(name, speech_probabilities(part, ctx.progress)) for name, part in parts]
    windows = windows_of_voices(heard, duration_ms, ctx.settings, audio.start_ms)
    likeliest = max((max(heard_of, default=0.0) for _, heard_of in heard), default=0.0)
    cause = "" if windows else why_nobody(audio.cause, likeliest, ctx.settings.SILERO_THRESHOLD)
    save(ctx.write("windows"), Windows(windows, cause))
    speech = sum(span.end_ms - span.start_ms for window in windows for span in window.speech)
    return Outcome(
        summary=f"Speech found: {speech / 1000:.0f} s of {duration_ms / 1000:.0f} s, "
        f"in {counted(len(windows), 'window')}",
        engine={"backend": "onnxruntime", "device": "cpu", "model": "silero-vad-6"},
        packages=("faster-whisper", "onnxruntime"),
        seconds_of_media=duration_ms / 1000,
    )


STAGE = Stage(
    name="vad",
    run=run,
    reads=("sound", "audio"),
    writes=("windows",),
    settings=SETTINGS,
)
