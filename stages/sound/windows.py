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
from typing import TypeVar

from msgspec.structs import replace

from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.stages.sound.hearing import Hearing
from sutradhar.stages.sound.silero import FRAME_MS
from sutradhar.stages.transcript import Likely, Span, Window

AnySpan = TypeVar("AnySpan", bound=Span)

SETTINGS = (
    "SPEECH_DETECTOR",
    "SILERO_THRESHOLD",
    "SILERO_MIN_SPEECH_DURATION_MS",
    "SILERO_MIN_SILENCE_DURATION_MS",
    "SILERO_SPEECH_PAD_MS",
)
WINDOW_MS = 30_000
# Of the gate, where the settings leave it open: docs/sound.md lists all bounds
OF_BOTH, OF_SILERO = 0.3, 0.2
HYSTERESIS = 0.15
SURE, SURE_MS = 0.5, 250  # a window with so much of so likely speech by Silero holds somebody's voice
LOOK, LOOK_JOIN_MS, LOOK_MS, LOOK_PAD_MS = 0.3, 600, 800, 200
SHARED_MS = 1000  # of sound on both sides of a cut without a pause: longer than most words
CUT_COST = 0.5  # cost of a cut without any pause, in windows
CUT_PAUSE_MS = 500  # a pause this long halves it
DIP = 3  # frames that are averaged to find where long speech dips: about a closure between two syllables


@dataclass(frozen=True)
class Stretch:
    """Speech, with its padding; `pause_ms` is the silence before it, without any padding."""

    start_ms: int
    end_ms: int
    pause_ms: int


def find_windows(hearing: Hearing, duration_ms: int, settings: Settings, start_ms: int = 0) -> tuple[Window, ...]:
    """Find windows on the film's clock, in sound that begins there at `start_ms`: those of the gate, and between
    them what is worth a look."""
    spans = [
        Span(first * FRAME_MS, min(end * FRAME_MS, duration_ms))
        for first, end in speech_frames(hearing.gate, threshold(settings, hearing.both), settings)
    ]
    stretches = [
        part for whole in pad(spans, settings.SILERO_SPEECH_PAD_MS, duration_ms) for part in cut(whole, hearing.gate)
    ]
    likely = list(likely_speech(hearing.look, duration_ms))
    windows = [_window(group, hearing, likely) for group in pack(stretches)]
    windows += [_window(group, hearing, likely) for group in _between(windows, likely, hearing, duration_ms)]
    windows.sort(key=lambda window: window.start_ms)
    return tuple(_moved(replace(window, id=number), start_ms) for number, window in enumerate(windows))


def threshold(settings: Settings, both: bool) -> float:
    """Return the probability by the gate, of Silero or of `both` detectors, at which speech begins."""
    if settings.SILERO_THRESHOLD != "auto":
        return settings.SILERO_THRESHOLD
    return OF_BOTH if both else OF_SILERO


def _window(group: Sequence[Stretch], hearing: Hearing, likely: Sequence[Likely]) -> Window:
    start_ms, end_ms = group[0].start_ms, group[-1].end_ms
    frames = hearing.sure[start_ms // FRAME_MS : -(-end_ms // FRAME_MS)]
    return Window(
        0,
        start_ms,
        end_ms,
        tuple(Span(part.start_ms, part.end_ms) for part in group),
        tuple(
            replace(one, start_ms=max(one.start_ms, start_ms), end_ms=min(one.end_ms, end_ms))
            for one in likely
            if one.start_ms < end_ms and start_ms < one.end_ms
        ),
        sum(probability >= SURE for probability in frames) * FRAME_MS >= SURE_MS,
    )


def _moved(window: Window, by_ms: int) -> Window:
    def moved(spans: tuple[AnySpan, ...]) -> tuple[AnySpan, ...]:
        return tuple(replace(span, start_ms=span.start_ms + by_ms, end_ms=span.end_ms + by_ms) for span in spans)

    start_ms, end_ms = window.start_ms + by_ms, window.end_ms + by_ms
    return replace(window, start_ms=start_ms, end_ms=end_ms, speech=moved(window.speech), likely=moved(window.likely))


def likely_speech(look: Sequence[float], duration_ms: int) -> Iterator[Likely]:
    """Yield the stretches in which words are missed if there are none."""
    frames = [number for number, probability in enumerate(look) if probability >= LOOK]
    first = 0
    for place, (frame, following) in enumerate(pairwise([*frames, len(look) + LOOK_JOIN_MS]), start=1):
        if (following - frame - 1) * FRAME_MS > LOOK_JOIN_MS:
            begin, end = frames[first], frame + 1
            if (end - begin) * FRAME_MS >= LOOK_MS:
                mean = sum(look[begin:end]) / (end - begin)
                yield Likely(begin * FRAME_MS, min(end * FRAME_MS, duration_ms), round(mean, 3))
            first = place


def _between(
    windows: Sequence[Window], likely: Sequence[Likely], hearing: Hearing, duration_ms: int
) -> Iterator[Sequence[Stretch]]:
    """Yield likely speech that no window holds, padded, in parts of at most a window."""
    ends = [0, *(window.end_ms for window in windows)]
    begins = [*(window.start_ms for window in windows), duration_ms]
    for end_ms, begin_ms in zip(ends, begins, strict=True):
        for one in likely:
            start, stop = max(one.start_ms, end_ms), min(one.end_ms, begin_ms)
            if stop - start >= LOOK_MS:
                padded = Stretch(max(start - LOOK_PAD_MS, end_ms), min(stop + LOOK_PAD_MS, begin_ms), 0)
                yield from ([part] for part in cut(padded, hearing.look))


def windows_of_voices(
    heard: Sequence[tuple[str, Hearing]], duration_ms: int, settings: Settings, start_ms: int = 0
) -> tuple[Window, ...]:
    """Return windows of several voices, each with its name and its tracks, in the order in which they begin."""
    found = [
        replace(one, speaker=name)
        for name, heard_of in heard
        for one in find_windows(heard_of, duration_ms, settings, start_ms)
    ]
    found.sort(key=lambda window: window.start_ms)
    return tuple(replace(window, id=number) for number, window in enumerate(found))


def speech_frames(probabilities: Sequence[float], begin: float, settings: Settings) -> Iterator[tuple[int, int]]:
    """Yield the first frame of each span of speech, which begins at such a probability, and the one after its
    last."""
    end = max(begin - HYSTERESIS, 0.01)
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
    half. The parts share the sound around the cut, which may lie in a word."""
    start_ms, pause_ms = stretch.start_ms, stretch.pause_ms
    while stretch.end_ms - start_ms > WINDOW_MS:
        frames = range((start_ms + WINDOW_MS // 2) // FRAME_MS, (start_ms + WINDOW_MS - SHARED_MS) // FRAME_MS)
        dip = min(frames, key=lambda frame: sum(probabilities[frame - DIP // 2 : frame + DIP // 2 + 1]))
        middle_ms = dip * FRAME_MS + FRAME_MS // 2
        yield Stretch(start_ms, middle_ms + SHARED_MS, pause_ms)
        start_ms, pause_ms = middle_ms - SHARED_MS, 0
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
