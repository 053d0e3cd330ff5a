"""Takes the sound out of the film: one audio track as 16 kHz mono, its first sample at the start of the film or of the clip."""

from __future__ import annotations

from pathlib import Path

from pipeline import media
from pipeline.media import SAMPLE_RATE, Decoding
from pipeline.settings import Settings
from pipeline.stage import Outcome, Stage, StageContext
from pipeline.timecode import format_ms, parse_ms
from stages.sound import SAMPLE_BYTES, new_wav, write_block
from stages.transcript import Audio, save


def clip(settings: Settings) -> tuple[int, int | None]:
    """First and last millisecond to work on, film time. Raises UsageError."""
    return parse_ms(settings.MEDIA_START_TIME or "0"), parse_ms(settings.MEDIA_END_TIME) if settings.MEDIA_END_TIME else None


def check(settings: Settings) -> None:
    clip(settings)


def run(ctx: StageContext) -> Outcome:
    settings = ctx.settings
    start_ms, end_ms = clip(settings)
    sound = media.decode(ctx.media, settings.AUDIO_TRACK, start_ms, end_ms, allow_truncated=settings.ALLOW_TRUNCATED)
    audio = ctx.write("demux/audio.wav")
    ctx.check_room(audio, _expected_ms(sound) * SAMPLE_RATE * SAMPLE_BYTES // 1000)
    duration_ms = _write_wav(ctx, sound, audio)
    track = sound.info.audio[settings.AUDIO_TRACK]
    save(ctx.write("demux/audio.json"), Audio(start_ms, duration_ms, SAMPLE_RATE, track.index, track.language))
    return Outcome(
        summary=f"Audio extracted: {format_ms(duration_ms)} of track {track.index}, {track.describe()}",
        packages=("av",),
        degraded=tuple(sound.degraded),
        seconds_of_media=duration_ms / 1000,
    )


def _expected_ms(sound: Decoding) -> int:
    return max(0, min(sound.info.duration_ms, sound.end_ms or sound.info.duration_ms) - sound.start_ms)


def _write_wav(ctx: StageContext, sound: Decoding, path: Path) -> int:
    """Write while decoding, so that memory does not grow with the film. Returns the duration in ms."""
    total = _expected_ms(sound) / 1000
    written = 0
    with new_wav(path) as file:
        for block in sound:
            write_block(file, block)
            written += len(block)
            ctx.progress(written / SAMPLE_RATE, max(total, written / SAMPLE_RATE))
    return written * 1000 // SAMPLE_RATE


STAGE = Stage(
    name="demux",
    run=run,
    check=check,
    writes=("demux/audio.wav", "demux/audio.json"),
    settings=("MEDIA_START_TIME", "MEDIA_END_TIME", "AUDIO_TRACK", "ALLOW_TRUNCATED"),
    reads_media=True,
)
