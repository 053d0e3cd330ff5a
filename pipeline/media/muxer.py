"""Find the streams of a film that a container can hold as they are: the first packets are copied, and decoded from
the copy."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sutradhar.pipeline.media.container import open_media, url
from sutradhar.pipeline.media.ffmpeg import answer, complaint, input_arguments

MUXERS = {"mkv": "matroska", "mp4": "mp4"}
# In mkv also pictures that no codec has made smaller, as an avi has them.
MUXER_OPTIONS = {
    "mkv": ("-allow_raw_vfw", "1"),
    "mp4": (),
}
LOSSLESS = "flac"
# By the sample format that a codec is decoded to: the PCM that holds it whole, and that players know.
_PCM = {"u8": "pcm_u8", "s16": "pcm_s16le", "s32": "pcm_s32le", "flt": "pcm_f32le", "dbl": "pcm_f64le"}
FILM_FLAGS = ("-fflags", "+genpts")  # avi has no presentation times
# How much of a film is looked at: packets of each stream that are copied, and frames that are decoded of the copy
# and of the film. More of the film, since its packets are not in the order of its frames; and many, since a recording
# may begin with pictures that lack what they refer to, with which a copy does not begin.
_PACKETS = ("-frames:v", "5", "-frames:a", "50", "-fs", str(32 << 20))
_OF_COPY = ("-frames:v", "5", "-frames:a", "30")
_OF_FILM = ("-frames:v", "10", "-frames:a", "60")
_MANY_OF_FILM = ("-frames:v", "250", "-frames:a", "500")
_BEGINNING = ("-t", "20")  # seconds, beyond which no stream is waited for
_NOT_THE_SAME = "what is copied there is not decoded to the same"


def refusals(path: Path, container: str, streams: Sequence[str], covers: Sequence[str] = ()) -> dict[str, str]:
    """Find those of the streams (ffmpeg's names: `a:1`, `V:0`, `3`) that cannot be copied into `container`. Returns the
    reason for each: ffmpeg's own, or that what is decoded of the copy is not what is decoded of the film. For covers,
    which are images as they are, only the first reason is looked for."""
    if not _refusal(path, container, streams, covers):
        return {}
    alone = {stream: _refusal(path, container, [stream], []) for stream in streams}
    alone |= {cover: _refusal(path, container, [], [cover]) for cover in covers}
    return {stream: reason for stream, reason in alone.items() if reason}


def _refusal(path: Path, container: str, streams: Sequence[str], covers: Sequence[str]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        arguments = [*_maps([*streams, *covers]), "-c", "copy", "-strict", "experimental", *_PACKETS]
        if reason := _try(path, container, arguments, url(copy)):
            return reason
        return "" if _is_faithful(path, streams, copy) else _NOT_THE_SAME


def _is_faithful(path: Path, streams: Sequence[str], copy: Path) -> bool:
    """Tell whether the copy decodes to what the film does. For several streams, that must be certain of each; a single
    one also passes where nothing of it is decoded in the film itself."""
    film = _frames(path, streams, _OF_FILM)
    if not any(film):
        return len(streams) <= 1
    copied = _frames(copy, [str(number) for number in range(len(streams))], _OF_COPY)
    return _all_among(copied, film) or (
        len(streams) == 1 and any(copied) and _all_among(copied, _frames(path, streams, _MANY_OF_FILM))
    )


def _all_among(copied: Sequence[set[str]], film: Sequence[set[str]]) -> bool:
    """Tell whether most of the frames are there: a copy may begin a packet earlier or later, on which the first
    frames of sound depend."""
    return all(2 * len(some & more) > len(some) for some, more in zip(copied, film, strict=True))


def _frames(path: Path, streams: Sequence[str], limits: Sequence[str]) -> list[set[str]]:
    """Return check sums of the first decoded frames of each stream. Empty sets where ffmpeg does not decode all of
    the streams."""
    film = [*FILM_FLAGS, *_BEGINNING, *input_arguments(path)]
    # With its own times ffmpeg would drop frames.
    decoded = [
        "-c:a",
        "pcm_s32le",
        "-vf",
        "setpts=N/TB",
        *limits,
        "-f",
        "framecrc",
        "-",
    ]
    rows = [
        line.split(",") for line in answer([*film, *_maps(streams), *decoded]).splitlines() if not line.startswith("#")
    ]
    return [{row[5] for row in rows if row[0] == str(number)} for number in range(len(streams))]


def _maps(streams: Sequence[str]) -> list[str]:
    return [text for stream in streams for text in ("-map", f"0:{stream}")]


def why_not_decoded(path: Path, track: int) -> str:
    """Return ffmpeg's reason where it cannot decode an audio track; "" where it can."""
    return _try(path, "mkv", ["-map", f"0:a:{track}", "-c:a", "pcm_s16le", *_PACKETS], os.devnull)


def _try(path: Path, container: str, arguments: Sequence[str], output: str) -> str:
    film = [*FILM_FLAGS, *_BEGINNING, *input_arguments(path)]
    return complaint([*film, *arguments, *MUXER_OPTIONS[container], "-f", MUXERS[container], "-y", output])


def encoder_without_loss(path: Path, track: int) -> str:
    """Choose the encoder for an audio track that can be decoded: PCM stays PCM, of the same width; all else becomes
    FLAC, which loses no more."""
    with open_media(path, strict=False) as opened:
        context = opened.streams.audio[track].codec_context
        codec, samples = context.codec.canonical_name, context.format.name.removesuffix("p")
    if not codec.startswith("pcm_"):
        return LOSSLESS
    # 24 bits are decoded to the upper 24 of 32.
    return "pcm_s24le" if samples == "s32" and "32" not in codec else _PCM.get(samples, LOSSLESS)
