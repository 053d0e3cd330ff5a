"""The way from probabilities of speech to windows of up to 30 s, Whisper's own length, that begin and end at
pauses.

Spans follow Silero's rules (`get_speech_timestamps`): speech begins where its probability reaches the threshold,
and ends where it has been `HYSTERESIS` lower for the minimum of silence. A window is the audio from its first span
to the end of its last, as WhisperX merges them ("Cut & Merge", arXiv:2303.00747, 3.1).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from msgspec.structs import replace

from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.stages.sound.silero import FRAME_MS
from sutradhar.stages.transcript import Span, Window

SETTINGS = (
    "SILERO_THRESHOLD",
    "SILERO_MIN_SPEECH_DURATION_MS",
    "SILERO_MIN_SILENCE_DURATION_MS",
    "SILERO_SPEECH_PAD_MS",
)
WINDOW_MS = 30_000
HYSTERESIS = 0.15
CUT_COST = 0.5  # cost of a cut without any pause, in windows
CUT_PAUSE_MS = 500  # a pause this long halves it
DIP = 3  # frames that are averaged to find where long speech dips: about a closure between two syllables


@dataclass(frozen=True)
class Stretch:
    """Speech, with its padding; `pause_ms` is the silence before it, without any padding."""

    start_ms: int
    end_ms: int
    pause_ms: int


def find_windows(
    probabilities: Sequence[float], duration_ms: int, settings: Settings, start_ms: int = 0
) -> tuple[Window, ...]:
    """Find windows on the film's clock, in sound that begins there at `start_ms`."""
    spans = [
        Span(first * FRAME_MS, min(end * FRAME_MS, duration_ms))
        for first, end in speech_frames(probabilities, settings)
    ]
    stretches = [
        part for whole in pad(spans, settings.SILERO_SPEECH_PAD_MS, duration_ms) for part in cut(whole, probabilities)
    ]
    return tuple(
        Window(
            number,
            group[0].start_ms + start_ms,
            group[-1].end_ms + start_ms,
            tuple(Span(part.start_ms + start_ms, part.end_ms + start_ms) for part in group),
        )
        for number, group in enumerate(pack(stretches))
    )


def windows_of_voices(
    heard: Sequence[tuple[str, Sequence[float]]], duration_ms: int, settings: Settings, start_ms: int = 0
) -> tuple[Window, ...]:
    """Return windows of several voices, each with its name and its probabilities, in the order in which they
    begin."""
    found = [
        replace(one, speaker=name)
        for name, heard_of in heard
        for one in find_windows(heard_of, duration_ms, settings, start_ms)
    ]
    found.sort(key=lambda window: window.start_ms)
    return tuple(replace(window, id=number) for number, window in enumerate(found))


def speech_frames(probabilities: Sequence[float], settings: Settings) -> Iterator[tuple[int, int]]:
    """Yield the first frame of each span of speech, and the one after its last."""
    begin, end = settings.SILERO_THRESHOLD, max(settings.SILERO_THRESHOLD - HYSTERESIS, 0.01)
    min_speech, min_silence = (
        settings.SILERO_MIN_SPEECH_DURATION_MS / FRAME_MS,
        settings.SILERO_MIN_SILENCE_DURATION_MS / FRAME_MS,
    )
    first = quiet_since = None
    for frame, probability in enumerate(probabilities):
        if probability >= begin:
            first, quiet_since = frame if first is None else first, None
        elif first is not None and probability < end:
            quiet_since = frame if quiet_since is None else quiet_since
            if frame - quiet_since >= min_silence:
                if quiet_since - first >= min_speech:
                    yield first, quiet_since
                first = quiet_since = None
    last = len(probabilities) if quiet_since is None else quiet_since
    if first is not None and last - first >= min_speech:
        yield first, last


def pad(spans: Sequence[Span], padding_ms: int, duration_ms: int) -> Iterator[Stretch]:
    """Widen each span, at most to the middle of the pause beside it."""
    for index, span in enumerate(spans):
        before = spans[index - 1].end_ms if index else 0
        after = spans[index + 1].start_ms if index + 1 < len(spans) else duration_ms
        room_before = (span.start_ms - before + 1) // 2 if index else span.start_ms
        room_after = (after - span.end_ms) // 2 if index + 1 < len(spans) else after - span.end_ms
        yield Stretch(
            span.start_ms - min(padding_ms, room_before),
            span.end_ms + min(padding_ms, room_after),
            span.start_ms - before,
        )


def cut(stretch: Stretch, probabilities: Sequence[float]) -> Iterator[Stretch]:
    """Cut speech that has no pause for longer than a window, each time where it dips most in the window's second
    half."""
    start_ms, pause_ms = stretch.start_ms, stretch.pause_ms
    while stretch.end_ms - start_ms > WINDOW_MS:
        frames = range((start_ms + WINDOW_MS // 2) // FRAME_MS, (start_ms + WINDOW_MS) // FRAME_MS)
        dip = min(frames, key=lambda frame: sum(probabilities[frame - DIP // 2 : frame + DIP // 2 + 1]))
        middle_ms = dip * FRAME_MS + FRAME_MS // 2
        yield Stretch(start_ms, middle_ms, pause_ms)
        start_ms, pause_ms = middle_ms, 0
    yield Stretch(start_ms, stretch.end_ms, pause_ms)


def pack(stretches: Sequence[Stretch]) -> Iterator[Sequence[Stretch]]:
    """Share the stretches out to windows at the least cost: every window costs an encoder pass, every cut the more the
    shorter its pause is, because words hang together across it. (Shortest path over the cuts.)"""
    costs, begins = [0.0], [0]
    for end in range(1, len(stretches) + 1):
        choices = []
        for begin in range(end - 1, -1, -1):
            if stretches[end - 1].end_ms - stretches[begin].start_ms > WINDOW_MS:
                break
            choices.append((costs[begin] + 1 + (cut_cost(stretches[begin].pause_ms) if begin else 0), begin))
        cost, begin = min(choices)
        costs.append(cost)
        begins.append(begin)
    bounds = [len(stretches)]
    while bounds[-1]:
        bounds.append(begins[bounds[-1]])
    bounds.reverse()
    for begin, end in pairwise(bounds):
        yield stretches[begin:end]


def cut_cost(pause_ms: int) -> float:
    return CUT_COST * CUT_PAUSE_MS / (CUT_PAUSE_MS + pause_ms)
