"""From the voices of a recording to the windows of speech in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.stages.sound.account import why_nobody
from sutradhar.stages.sound.hearing import Ears
from sutradhar.stages.sound.music import find_music
from sutradhar.stages.sound.voices import Voice
from sutradhar.stages.sound.windows import threshold, windows_of_voices
from sutradhar.stages.transcript import Music, Windows


def listen(
    voices: Sequence[Voice],
    ears: Ears,
    settings: Settings,
    *,
    start_ms: int = 0,
    cause: str = "",
    progress: Callable[[float, float], None] = lambda done, total: None,
) -> Windows:
    """Find the windows of all voices, on the film's clock, where the sound begins at `start_ms`, and their music where
    YAMNet listens. `cause` is why nobody may be heard, where a reason is known; `progress` gets seconds
    done and in all."""
    duration_ms = min(voice.sound.duration_ms for voice in voices)
    heard = [(voice.speaker, ears.hear(voice.sound, progress, voice.probabilities)) for voice in voices]
    windows = windows_of_voices(heard, duration_ms, settings, start_ms)
    likeliest = max((max(hearing.gate, default=0.0) for _, hearing in heard), default=0.0)
    if not windows:
        return Windows(windows, why_nobody(cause, likeliest, threshold(settings, ears.both)))
    music = [
        Music(one.start_ms + start_ms, one.end_ms + start_ms, voice.speaker)
        for voice, (_, hearing) in zip(voices, heard, strict=True)
        for one in (find_music(voice.sound, hearing.sure, ears.yamnet) if ears.yamnet else ())
    ]
    return Windows(windows, music=tuple(music))
