"""Take the sound out of the film: one audio track as 16 kHz mono, its first sample at the start of the film or of the
clip."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.jobs.stage import Outcome, Stage, StageContext
from sutradhar.pipeline.media import SAMPLE_RATE, Decoding, without_name
from sutradhar.pipeline.media.tracks import aside_before, in_place_of, silent_before
from sutradhar.pipeline.timecode import format_ms, parse_ms
from sutradhar.stages.sound.account import (
    Account,
    Listener,
    Take,
    account_for,
    account_of_others,
    with_quiet_parts_raised,
)
from sutradhar.stages.sound.silero import count_speech_ms
from sutradhar.stages.sound.voices import Spool, sides, told_by
from sutradhar.stages.sound.wav import SAMPLE_BYTES, Sound, new_wav, write_block, write_in_turn
from sutradhar.stages.transcript import Audio, save


def clip(settings: Settings) -> tuple[int, int | None]:
    """Return the first and last millisecond to work on, film time. Raises UsageError."""
    return parse_ms(settings.MEDIA_START_TIME or "0"), parse_ms(
        settings.MEDIA_END_TIME
    ) if settings.MEDIA_END_TIME else None


def check(settings: Settings) -> None:
    clip(settings)
    if settings.AUDIO_CHANNELS == "split" and settings.WORKFLOW == "translate":
        raise UsageError(
            "AUDIO_CHANNELS=split: sentences of two speakers at a time are not translated; "
            "set it to mix, or use --transcribe"
        )


def run(ctx: StageContext) -> Outcome:
    settings = ctx.settings
    start_ms, end_ms = clip(settings)

    def tell_listening(seconds: float) -> None:
        ctx.progress(seconds, max(seconds, _expected_ms(sound) / 1000), note="listening for speech")

    listener = Listener(ctx.media, start_ms, end_ms, allow_truncated=settings.ALLOW_TRUNCATED, tell=tell_listening)
    sound = listener.decode(Take(settings.AUDIO_TRACK))
    audio = ctx.write("sound")
    split = settings.AUDIO_CHANNELS == "split"
    if split and sound.info.audio[sound.track].channels > 1:
        return _take_apart(ctx, sound, listener, audio)
    ctx.check_room(audio, _expected_ms(sound) * SAMPLE_RATE * SAMPLE_BYTES // 1000)
    duration_ms = _write_wav(ctx, sound, audio)
    track = sound.info.audio[settings.AUDIO_TRACK]
    account = _account(sound, duration_ms, listener, audio)
    if account.take != Take(track.index):
        sound = listener.decode(account.take)
        duration_ms = _write_wav(ctx, sound, audio)
    with Sound(audio) as taken:
        better = with_quiet_parts_raised(account, sound.levels, taken, listener)
    if better.take != account.take:
        account, sound = better, listener.decode(better.take)
        duration_ms = _write_wav(ctx, sound, audio)
    save(ctx.write("audio"), Audio(start_ms, duration_ms, SAMPLE_RATE, track.index, track.language, account.cause))
    lost, harmless = told_by(sound)
    notes = _notes(sound, [*harmless, *account.notes])
    alone = "" if account.take.channel is None else f", channel {account.take.channel + 1} alone"
    return Outcome(
        summary=f"Audio extracted: {format_ms(duration_ms)} of track {track.index}, {track.describe()}{alone}{notes}",
        packages=("av",),
        degraded=(
            *lost,
            *(f"{sound.name}: {line}" for line in (*_silent_before(sound), *account.remarks)),
            *(
                [f"AUDIO_CHANNELS=split: audio track {track.index} has 1 channel, so it is one speaker"]
                if split
                else []
            ),
        ),
        seconds_of_media=duration_ms / 1000,
    )


def _take_apart(ctx: StageContext, sound: Decoding, listener: Listener, path: Path) -> Outcome:
    """Write each channel of the track as a speaker, one after another in the file."""
    track = sound.info.audio[sound.track]
    expected_ms = _expected_ms(sound)
    ctx.check_room(
        path, 2 * track.channels * expected_ms * SAMPLE_RATE * SAMPLE_BYTES // 1000
    )  # each alone, and in turn
    done, total = 0.0, track.channels * expected_ms / 1000

    def tell(seconds: float) -> None:
        nonlocal done
        done += seconds
        ctx.progress(min(done, total), total)

    with ExitStack() as open_files:
        found = sides(listener, track, Spool("channel", expected_ms, ctx.scratch, open_files, tell))
        duration_ms = write_in_turn([voice.sound for voice in found.voices], path)
    voices = tuple(voice.speaker for voice in found.voices)
    save(
        ctx.write("audio"),
        Audio(sound.start_ms, duration_ms, SAMPLE_RATE, track.index, track.language, found.cause, voices),
    )
    return Outcome(
        summary=f"Audio extracted: {format_ms(duration_ms)} of each channel of track {track.index}, "
        f"{track.describe()}{_notes(sound, found.notes)}",
        packages=("av",),
        degraded=tuple(
            f"{sound.name}: {without_name(line, sound.path)}"
            for line in dict.fromkeys((*_silent_before(sound), *found.remarks))
        ),
        seconds_of_media=duration_ms / 1000,
    )


def _account(sound: Decoding, duration_ms: int, listener: Listener, audio: Path) -> Account:
    """Account for the track. It is the person's choice: where nobody is heard in it, but in another, that is told,
    and not taken."""
    chosen = sound.info.audio[sound.track]
    others = in_place_of(chosen, sound.info.audio)
    account = account_for(
        sound.levels,
        Take(chosen.index),
        duration_ms,
        partial(_speech_ms, audio, listener),
        listener,
        unsure=bool(others),
    )
    if account.nobody and (other := account_of_others(others, duration_ms, listener)):
        why, there = account.cause or f"hardly anybody is heard in audio track {chosen.index}", other.take.track
        line = f"{why}, but somebody speaks in track {there}: set AUDIO_TRACK={there}"
        return replace(account, remarks=(*account.remarks, line))
    return account


def _silent_before(sound: Decoding) -> list[str]:
    """Return notes where another track would be expected, but was not chosen because it is silent."""
    tracks = sound.info.audio
    line = silent_before(
        sound.path, tracks[sound.track], tracks, (sound.start_ms, sound.start_ms + _expected_ms(sound))
    )
    return [line] if line else []


def _notes(sound: Decoding, notes: Sequence[str] = ()) -> str:
    """Return notes, in brackets, on facts that are in order, but may surprise."""
    told = dict.fromkeys(without_name(line, sound.path) for line in notes)
    said = [*filter(None, [aside_before(sound.info.audio[sound.track], sound.info.audio)]), *told]
    return f" ({'; '.join(said)})" if said else ""


def _speech_ms(audio: Path, listener: Listener, enough_ms: int | None) -> int:
    """Count the speech in ms; where `enough_ms` is given, no further."""
    with Sound(audio) as sound:
        blocks = (sound.read(start, SAMPLE_RATE) for start in range(0, sound.samples, SAMPLE_RATE))
        return count_speech_ms(blocks, listener.detector, enough_ms=enough_ms)


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
    writes=("sound", "audio"),
    settings=("MEDIA_START_TIME", "MEDIA_END_TIME", "AUDIO_TRACK", "AUDIO_CHANNELS", "ALLOW_TRUNCATED"),
    reads_media=True,
)
