"""Which streams of a film a container can hold as they are: ffmpeg's own muxer is asked, with the first packets, and nothing is written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pipeline.media.container import open_media
from pipeline.media.ffmpeg import complaint, input_arguments

MUXERS = {"mkv": "matroska", "mp4": "mp4"}
MUXER_OPTIONS = {"mkv": ("-allow_raw_vfw", "1"), "mp4": ()}  # pictures that no codec has made smaller, as an avi has them
LOSSLESS = "flac"
# By the sample format that a codec is decoded to: the PCM that holds it whole, and that players know.
_PCM = {"u8": "pcm_u8", "s16": "pcm_s16le", "s32": "pcm_s32le", "flt": "pcm_f32le", "dbl": "pcm_f64le"}
FILM_FLAGS = ("-fflags", "+genpts")  # avi has no presentation times
_ENOUGH = "100000"  # bytes of output, after which the muxer has seen packets of every stream that plays from the beginning


def refusals(path: Path, container: str, streams: Sequence[str]) -> dict[str, str]:
    """Those of the streams (ffmpeg's names: `a:1`, `V:0`, `3`) that cannot be copied into `container`, and ffmpeg's reason for each."""
    if not streams or not _refusal(path, container, streams):
        return {}
    return {stream: reason for stream in streams if (reason := _refusal(path, container, [stream]))}


def _refusal(path: Path, container: str, streams: Sequence[str]) -> str:
    maps = [text for stream in streams for text in ("-map", f"0:{stream}")]
    return _try(path, container, [*maps, "-c", "copy", "-strict", "experimental"])


def why_not_decoded(path: Path, track: int) -> str:
    """ffmpeg's reason where it cannot decode an audio track; "" where it can."""
    return _try(path, "mkv", ["-map", f"0:a:{track}", "-c:a", "pcm_s16le"])


def _try(path: Path, container: str, arguments: Sequence[str]) -> str:
    return complaint(
        [*FILM_FLAGS, *input_arguments(path), *arguments, "-fs", _ENOUGH, *MUXER_OPTIONS[container], "-f", MUXERS[container], "-y", os.devnull]
    )


def encoder_without_loss(path: Path, track: int) -> str:
    """For an audio track that can be decoded: PCM stays PCM, of the same width; all else becomes FLAC, which loses no more."""
    with open_media(path, strict=False) as opened:
        context = opened.streams.audio[track].codec_context
        codec, samples = context.codec.canonical_name, context.format.name.removesuffix("p")
    if not codec.startswith("pcm_"):
        return LOSSLESS
    # 24 bits are decoded to the upper 24 of 32.
    return "pcm_s24le" if samples == "s32" and "32" not in codec else _PCM.get(samples, LOSSLESS)
