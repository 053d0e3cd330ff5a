"""Open media: tell what a file holds (`probe`), decode its sound (`decode`), make every call of ffmpeg (`run_ffmpeg`).

A file is opened by its absolute path with `file:` in front, from a literal list of container formats, through the
`file` protocol alone. So a name can be any name, and a playlist or script that calls itself a film cannot make
anything else be opened, on this machine or another.

The film's clock, on which all times are, starts where the container's timeline starts.
"""

from __future__ import annotations

from sutradhar.pipeline.media.container import REMEDY, shown, without_name
from sutradhar.pipeline.media.decode import Decoding, decode
from sutradhar.pipeline.media.ffmpeg import NotWritten, ffmpeg_path, ffmpeg_version, input_arguments, run_ffmpeg
from sutradhar.pipeline.media.levels import Level, Levels, Stretches
from sutradhar.pipeline.media.muxer import (
    FILM_FLAGS,
    LOSSLESS,
    MUXER_OPTIONS,
    encoder_without_loss,
    refusals,
    why_not_decoded,
)
from sutradhar.pipeline.media.probe import (
    UNKNOWN_CODEC,
    AudioTrack,
    MediaInfo,
    OtherStream,
    Picture,
    SubtitleTrack,
    VideoStream,
    identity,
    pictures,
    probe,
)
from sutradhar.pipeline.media.resample import Correction, RaisedPart
from sutradhar.pipeline.media.timeline import SAMPLE_RATE

__all__ = [
    "FILM_FLAGS",
    "LOSSLESS",
    "MUXER_OPTIONS",
    "REMEDY",
    "SAMPLE_RATE",
    "UNKNOWN_CODEC",
    "AudioTrack",
    "Correction",
    "Decoding",
    "Level",
    "Levels",
    "MediaInfo",
    "NotWritten",
    "OtherStream",
    "Picture",
    "RaisedPart",
    "Stretches",
    "SubtitleTrack",
    "VideoStream",
    "decode",
    "encoder_without_loss",
    "ffmpeg_path",
    "ffmpeg_version",
    "identity",
    "input_arguments",
    "pictures",
    "probe",
    "refusals",
    "run_ffmpeg",
    "shown",
    "why_not_decoded",
    "without_name",
]
