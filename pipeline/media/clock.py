"""Tell whether the times that a file gives its sound can be true: whether they go on as fast as the sound itself.

A wrong time scale squeezes sound, so that most of it would be cut as overlapping, or strews silence between its
frames."""

from __future__ import annotations

from itertools import islice
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer

_STRETCHES = 8  # compared with each other, so that a gap in one of them tells nothing
_STRETCH = 4  # in a second: long enough for times that are rounded to milliseconds
_MOST_PACKETS = 3000  # of all streams: the sound of a film may begin late
_FAR = 0.03  # of 1: clocks and roundings are off by less, 44.1 kHz taken for 48 by more
_LEAST_ENTRIES = 50


def is_false(container: InputContainer, track: int) -> bool:
    """Decode two seconds of a container that was opened for this alone, and tell whether its times are false."""
    stream = container.streams.audio[track]
    frames, packets = _first_frames(container, stream)
    paces = _paces(frames, stream)
    if len(paces) < 2:
        return False
    return abs(median(paces) - 1) > _FAR or _is_squeezed(
        stream, sum(frame.samples / frame.sample_rate for frame in frames) / packets
    )


def _first_frames(container: InputContainer, stream: AudioStream) -> tuple[list[AudioFrame], int]:
    """Return the first frames, and the number of packets that they come from."""
    import av

    frames: list[AudioFrame] = []
    packets = left = 0
    try:
        for packet in islice(container.demux(), _MOST_PACKETS):
            if packet.stream_index != stream.index:
                continue
            decoded: list[AudioFrame] = packet.decode()  # type: ignore[assignment]  # an audio packet gives audio
            frames += decoded
            packets += bool(decoded)
            left = left or (frames[0].sample_rate * (_STRETCHES + 1) // _STRETCH if frames else 0)
            if left and sum(frame.samples for frame in decoded) and sum(frame.samples for frame in frames) > left:
                break
    except av.FFmpegError:  # damage is told where the sound is decoded
        pass
    return frames, max(1, packets)


def _paces(frames: list[AudioFrame], stream: AudioStream) -> list[float]:
    """Measure how much time each stretch takes by the file, as a share of the time that its samples take."""
    paces: list[float] = []
    begin, length = None, 0.0
    for frame in frames:
        if frame.pts is not None and stream.time_base:
            time = float(frame.pts * stream.time_base)
            if begin is None or length >= 1 / _STRETCH:
                paces += [(time - begin) / length] if begin is not None else []
                begin, length = time, 0.0
        length += frame.samples / frame.sample_rate
    return paces


def _is_squeezed(stream: AudioStream, packet_seconds: float) -> bool:
    """Tell whether the file's own index leaves too little time for its packets. Too much would be gaps."""
    entries, context = stream.index_entries, stream.codec_context
    count = len(entries) - 1
    if (
        not context.frame_size
        or not stream.time_base
        or count < _LEAST_ENTRIES
        or any(entries[at].size == 0 for at in (0, count))
    ):
        return False
    span = float((entries[count].timestamp - entries[0].timestamp) * stream.time_base)
    return 0 < span < (1 - _FAR) * packet_seconds * count
