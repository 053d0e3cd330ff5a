"""The sound account: the faults of the sound of a file, and the sound that is taken instead.

Levels tell what is suspicious: channels that cancel each other in the mix, nothing at all, far too quiet, above
full scale, off centre. Where they leave open if the mix is right, and only there, each way to take the sound
(raised, a channel alone, another track) is listened to for speech. The findings are lines that begin small,
without the file's name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sutradhar.pipeline import media
from sutradhar.pipeline.errors import StageFailed, UsageError
from sutradhar.pipeline.media import SAMPLE_RATE, AudioTrack, Correction, Decoding, Level, Levels, RaisedPart
from sutradhar.stages.sound.alike import Readable
from sutradhar.stages.sound.silero import Detector, count_speech_ms
from sutradhar.stages.sound.stretches import cancelled_parts, channel_of_all, named, quiet_parts, read_part, speaks
from sutradhar.stages.sound.thresholds import NOISE_DB, QUIET_DB, WORD_DB
from sutradhar.stages.sound.wav import to_floats

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LOUDEST_WORD_DB = -6.0  # sound that is raised further is clipped
RAISED_TO_DB = -20.0  # the usual level of speech
PART_RAISED_TO_DB = -25.0  # the loudest whole second of a part, in which there are pauses
CANCELLED_DB = 6.0  # the mix is so much lower than if its channels had nothing in common
FAR_BELOW_DB = 10.0  # so much below its loudest channel
SAME_DB = 0.1  # every channel is as loud as the mix: they hold the same, so nothing is lost in it
HOT = 1.25  # times full scale: decoders of MP3 and AAC overshoot by less
HOT_SHARE = 0.0005  # of the samples
CREST = 100.0  # a peak so much above the loud parts is a click
OFFSET, OFFSET_OF_LEVEL = (
    0.03,
    0.3,
)  # of full scale, where recordings have up to 0.01; and of the level, which clipping shifts
CLIPPED = 0.02  # share of samples at full scale
FEW_MS, FEW_SHARE = 1000, 0.02  # less speech is none to speak of
CLEARLY, NEARLY = 2.0, 0.9  # times as much speech
IN_16_BITS = 1000.0  # 60 dB: 16 bits hold too little of quieter sound to tell
DEEP_SHARE = 0.1  # of the recording: so much quiet sound is worth a new decoding, for encoders make some of silence
DOUBTFUL = 0.2  # probability of speech; music and noise stay below


@dataclass(frozen=True)
class Take:
    """One way to take the sound of a file."""

    track: int = 0
    channel: int | None = None  # None mixes all
    correction: Correction | None = None


CountSpeech = Callable[[int | None], int]  # counts speech, in ms: all of it, or no further than so much


@dataclass(frozen=True)
class Account:
    """The best way to take a track, as far as was looked."""

    take: Take
    remarks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # on faults that were mended without loss
    nobody: bool = False  # true where nobody, or hardly anybody, is heard in it
    cause: str = ""  # the reason, "" where none is known
    speech_ms: int = 0  # 0 also where nothing called for listening


class Listener:
    """A listener to a part of a file, taken in one way or another."""

    def __init__(
        self,
        path: Path,
        start_ms: int = 0,
        end_ms: int | None = None,
        *,
        allow_truncated: bool = False,
        detector: Detector | None = None,
        tell: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        """Take a file; `tell` hears how many seconds of sound one way to take it has been listened to."""
        self._path, self._start_ms, self._end_ms, self._allow_truncated = path, start_ms, end_ms, allow_truncated
        self._detector, self._tell = detector, tell

    @property
    def start_ms(self) -> int:
        return self._start_ms

    @property
    def detector(self) -> Detector:
        self._detector = self._detector or Detector(threads=1)
        return self._detector

    def decode(self, take: Take, part: tuple[int, int | None] | None = None) -> Decoding:
        """Decode all that is listened to, or a part of the film."""
        start_ms, end_ms = part or (self._start_ms, self._end_ms)
        return media.decode(
            self._path,
            take.track,
            start_ms,
            end_ms,
            allow_truncated=self._allow_truncated,
            channel=take.channel,
            correction=take.correction,
        )

    def hear(self, take: Take) -> tuple[int, Levels | None]:
        """Return the milliseconds of speech, and the levels of its track; nothing where it cannot be decoded."""
        try:
            sound = self.decode(take)
            return count_speech_ms(map(to_floats, self._told(sound)), self.detector), sound.levels
        except (UsageError, StageFailed):
            return 0, None

    def _told(self, blocks: Iterable[NDArray[np.int16]]) -> Iterator[NDArray[np.int16]]:
        seconds = 0.0
        for block in blocks:
            yield block
            seconds += len(block) / SAMPLE_RATE
            self._tell(seconds)


def account_for(
    levels: Levels | None, take: Take, duration_ms: int, heard: CountSpeech, listener: Listener, *, unsure: bool = False
) -> Account:
    """Judge a track that was mixed without a correction. `heard` counts the speech in that mix; it is asked only
    where levels leave something open, or where there are other tracks to take, and one is `unsure`."""
    if levels is None:
        return Account(take)
    if all(level.silent for level in levels.channels):
        return Account(take, nobody=True, cause=f"audio track {take.track} is digital silence")
    found = mended(levels.mix, levels, take, heard, listener)
    several = len(levels.channels) > 1
    if several and not cancels(levels) and (partly := _partly_cancelled(levels, found, listener)):
        return partly
    # No level tells if noise that channels have in common drowns what one of them alone holds.
    if not (unsure or is_quiet(levels.mix) or (several and not _all_the_same(levels))):
        return found
    speech_ms = found.speech_ms or heard(few_ms(duration_ms))
    found = replace(found, speech_ms=speech_ms, nobody=speech_ms < few_ms(duration_ms))
    if several and (found.nobody or cancels(levels)):
        found = (
            found if found.nobody else replace(found, speech_ms=heard(None))
        )  # channels are counted to their end too
        found = _alone(levels, found, listener, few_ms(duration_ms)) or found
    return replace(found, cause=_cause(levels, take.track)) if found.nobody else found


def already(speech_ms: int) -> CountSpeech:
    """Answer with the earlier count."""
    return lambda enough_ms: speech_ms


def few_ms(duration_ms: int) -> int:
    """Return the least speech that counts in so much sound."""
    return max(FEW_MS, int(duration_ms * FEW_SHARE))


def account_of_others(tracks: Sequence[AudioTrack], duration_ms: int, listener: Listener) -> Account | None:
    """Judge these tracks in turn, and return the first in which somebody is heard."""
    for track in tracks:
        take = Take(track.index)
        speech_ms, levels = listener.hear(take)
        found = account_for(levels, take, duration_ms, already(speech_ms), listener, unsure=True)
        if found.speech_ms and not found.nobody:
            return found
    return None


def with_quiet_parts_raised(account: Account, levels: Levels | None, sound: Readable, listener: Listener) -> Account:
    """Raise sound that is far quieter than the rest, where somebody is heard only then. `sound` is the take as it
    stands in the file."""
    take, correction = account.take, account.take.correction or Correction()
    row = -1 if take.channel is None else take.channel
    if levels is None or correction.gain != 1 or is_quiet(levels.channels[row] if row >= 0 else levels.mix):
        return account
    whole = listener.start_ms, listener.start_ms + sound.samples * 1000 // SAMPLE_RATE
    quiet = quiet_parts(levels.stretches, row, whole, QUIET_DB, PART_RAISED_TO_DB)
    deep_ms = sum(part.end_ms - part.start_ms for part in quiet if part.gain > IN_16_BITS)
    anew = deep_ms >= DEEP_SHARE * (whole[1] - whole[0])
    parts = tuple(
        part for part in quiet if (anew or part.gain <= IN_16_BITS) and _speaks_in(part, take, sound, listener)
    )
    if not parts:
        return account
    where = named([(part.start_ms, part.end_ms) for part in parts])
    remark = (
        f"very quiet {where}:"
        f" raised there by up to {max(20 * math.log10(part.gain) for part in parts):.0f} dB; record or export it louder"
    )
    better = replace(take, correction=replace(correction, parts=parts))
    return replace(account, take=better, remarks=(*account.remarks, remark), nobody=False, cause="")


def _speaks_in(part: RaisedPart, take: Take, sound: Readable, listener: Listener) -> bool:
    """Tell whether somebody is heard once it is raised. Where 16 bits hold too little of it, it is decoded anew."""
    as_is = read_part(sound, part, listener.start_ms)
    if part.gain <= IN_16_BITS:
        return speaks(read_part(sound, part, listener.start_ms, part.gain), as_is, part, listener.detector)
    raised = replace(take, correction=replace(take.correction or Correction(), parts=(part,)))
    try:
        blocks = listener.decode(raised, (part.start_ms, part.end_ms))
        return speaks((to_floats(block) for block in blocks), as_is, part, listener.detector)
    except (UsageError, StageFailed):
        return False


def _partly_cancelled(levels: Levels, mix: Account, listener: Listener) -> Account | None:
    """Take a channel that holds all, where channels cancel each other for a part of the time and speech is lost by
    it; or else make a remark."""
    parts = cancelled_parts(levels.stretches, QUIET_DB)
    if not parts:
        return None
    one = channel_of_all(levels.stretches, QUIET_DB)
    track, mix_ms = mix.take.track, listener.hear(mix.take)[0]
    heard = [
        listener.hear(Take(track, channel))[0] for channel in (range(len(levels.channels)) if one is None else [one])
    ]
    if max(heard) < mix_ms + FEW_MS:
        return None
    why = f"its channels cancel each other in the mix {named(parts)} (one is inverted there)"
    if one is None:
        remedy = "what is said there may be missing; --channels split takes each channel as a speaker"
        return replace(mix, speech_ms=mix_ms, remarks=(*mix.remarks, f"{why}: {remedy}"))
    found = corrected(levels.channels[one], levels, Take(track, one))
    return replace(found, remarks=(f"{why}: channel {one + 1} alone was taken", *found.remarks), speech_ms=heard[0])


def mended(level: Level, levels: Levels, take: Take, heard: CountSpeech, listener: Listener) -> Account:
    """Take the mix or channel that has this level, corrected where necessary. Quiet sound is raised only where
    that lets somebody be heard: noise stays noise."""
    better = corrected(level, levels, take)
    if better.take.correction is None or not is_quiet(level):
        return better
    raised_ms, _ = listener.hear(better.take)
    return replace(better, speech_ms=raised_ms) if raised_ms > 0 and raised_ms >= heard(None) else Account(take)


def _alone(levels: Levels, mix: Account, listener: Listener, least_ms: int) -> Account | None:
    """Take a channel by itself, where it is clear that it is better than the mix."""
    channels = list(_channels(levels, mix.take.track, listener))
    most_ms = max((one.speech_ms for one in channels), default=0)
    if most_ms < least_ms:
        return None
    found = next(one for one in channels if one.speech_ms >= NEARLY * most_ms)
    number = (found.take.channel or 0) + 1
    if cancels(levels) and found.speech_ms >= NEARLY * mix.speech_ms:
        why = f"its channels cancel each other in the mix (one is inverted): channel {number} alone was taken"
    elif found.speech_ms > CLEARLY * mix.speech_ms:
        why = (
            f"nobody is heard in the mix of its {len(levels.channels)} channels:"
            f" channel {number} alone was taken, where somebody speaks"
        )
    else:
        return None
    return replace(found, remarks=(why, *found.remarks))


def _channels(levels: Levels, track: int, listener: Listener) -> Iterator[Account]:
    """Yield the channels, the loudest first."""
    for channel in sorted(range(len(levels.channels)), key=lambda channel: -round(levels.channels[channel].mean_db)):
        if not levels.channels[channel].silent:
            one = corrected(levels.channels[channel], levels, Take(track, channel))
            yield replace(one, speech_ms=listener.hear(one.take)[0])


def cancels(levels: Levels) -> bool:
    """Tell whether much of the sound in its channels is missing in the mix."""
    loudest = max(level.mean_db for level in levels.channels)
    return levels.mix.mean_db < levels.unrelated_db - CANCELLED_DB and levels.mix.mean_db < loudest - FAR_BELOW_DB


def _all_the_same(levels: Levels) -> bool:
    return all(abs(level.mean_db - levels.mix.mean_db) < SAME_DB for level in levels.channels)


def is_quiet(level: Level) -> bool:
    """Tell whether all of it is far too quiet. Where a word stands in silence it is not."""
    return level.loud_db < QUIET_DB and level.word_db < WORD_DB


def corrected(level: Level, levels: Levels, take: Take) -> Account:
    """Take a channel or mix with its correction, and with remarks on that and on faults that cannot be corrected."""
    remarks: list[str] = []
    notes: list[str] = []
    channels = levels.channels if level is levels.mix else (level,)
    gain = 1.0
    if is_quiet(level) and not level.silent:
        raise_db = min(RAISED_TO_DB - level.loud_db, LOUDEST_WORD_DB - level.word_db)
        gain = 10 ** (raise_db / 20)
        remarks.append(f"very quiet ({level.loud_db:.0f} dB): raised by {raise_db:.0f} dB; record or export it louder")
    elif level.peak > HOT and level.over > HOT_SHARE:
        gain = _gain_down(level)
        notes.append(f"its samples go up to {level.peak:.3g} times full scale: turned down to fit")
    off_centre = max(channels, key=lambda one: abs(one.offset)).offset if any(map(_is_off_centre, channels)) else 0.0
    if off_centre:
        notes.append(f"its samples are {abs(off_centre):.0%} of full scale off centre (DC): centred")
    if level.broken:
        remarks.append("it has samples that are no numbers (NaN, infinity): silenced")
    clipped = max(one.clipped - one.over for one in channels)
    if clipped > CLIPPED:
        remarks.append(
            f"clipped: {clipped:.0%} of its samples are at full scale,"
            " so words may be missing or wrong; record it at a lower level"
        )
    needed = gain != 1 or off_centre or level.broken
    correction = (
        Correction(gain, tuple(one.offset for one in levels.channels) if off_centre or gain > 1 else ())
        if needed
        else None
    )
    return Account(replace(take, correction=correction), tuple(remarks), tuple(notes))


def _is_off_centre(level: Level) -> bool:
    return abs(level.offset) > max(OFFSET, OFFSET_OF_LEVEL * 10 ** (level.mean_db / 20))


def _gain_down(level: Level) -> float:
    loud = 10 ** (level.loud_db / 20)
    return 0.99 / level.peak if level.peak < CREST * loud else 10 ** (RAISED_TO_DB / 20) / loud


def _cause(levels: Levels, track: int) -> str:
    loudest = max(levels.channels, key=lambda level: level.loud_db)
    if loudest.top_db < NOISE_DB:
        return f"audio track {track} holds nothing but noise at {loudest.loud_db:.0f} dB"
    if is_quiet(loudest):
        return f"audio track {track} is very quiet ({loudest.loud_db:.0f} dB), and nobody is heard when it is raised"
    if cancels(levels):
        return f"the channels of audio track {track} cancel each other in the mix, and nobody is heard in any of them"
    return ""


def why_nobody(cause: str, likeliest: float, threshold: float) -> str:
    """Say why no speech was found, with the remedy. `likeliest` is the highest probability of speech."""
    if cause:
        return f"{cause}. Give another track or file, or record it anew"
    if likeliest >= threshold:
        return "what sounds like speech is too short. Where somebody does speak, lower SILERO_MIN_SPEECH_DURATION_MS"
    if likeliest >= DOUBTFUL:
        lower = f"set SILERO_THRESHOLD to {max(0.1, likeliest - 0.1):.1f}"
        return f"nothing is like speech with more than {likeliest:.0%} probability. Where somebody does speak, {lower}"
    return (
        "there is sound, but it is not like speech: music or noise."
        " Where somebody does speak, give another track or a cleaner recording"
    )
