"""Recordings with something wrong in their sound, made from speech."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sutradhar.pipeline import media
from sutradhar.pipeline.media import SAMPLE_RATE
from tests.conftest import ROOT
from tests.make_media import ffmpeg, wav

Wave = NDArray[np.float64]
FLOAT = 3


@lru_cache
def speech() -> Wave:
    """8 s, at about -20 dB."""
    sound = np.concatenate(list(media.decode(ROOT / "samples" / "dialogue.mp4")))[: 8 * SAMPLE_RATE] / 32768
    return np.asarray(sound / np.abs(sound).max() / 2)


def noise(level_db: float, seed: int = 0) -> Wave:
    return np.asarray(np.random.default_rng(seed).normal(size=len(speech())) * 10 ** (level_db / 20))


def hum() -> Wave:
    return np.asarray(0.9 * np.sin(np.arange(len(speech())) * 2 * np.pi * 50 / SAMPLE_RATE))


def silence() -> Wave:
    return np.zeros(len(speech()))


def turned_down(sound: Wave, by_db: float) -> Wave:
    return np.asarray(sound * 10 ** (-by_db / 20))


def integers(path: Path, *channels: Wave) -> Path:
    """A WAV file of 16 bits."""
    samples = np.clip(np.round(np.stack(channels, axis=1) * 32768), -32768, 32767)
    return wav(path, samples.astype("<i2").tobytes(), channels=len(channels))


def floats(path: Path, *channels: Wave) -> Path:
    return wav(path, np.stack(channels, axis=1).astype("<f4").tobytes(), channels=len(channels), bits=32, code=FLOAT)


def film(path: Path, tracks: Mapping[str, Wave], *options: str) -> Path:
    """A Matroska file of sound tracks, by their languages ("" for none)."""
    arguments: list[str] = []
    for number, sound in enumerate(tracks.values()):
        arguments += ["-i", f"file:{integers(path.with_suffix(f'.{number}.wav'), sound)}"]
    for number, language in enumerate(tracks):
        arguments += ["-map", str(number), f"-metadata:s:a:{number}", f"language={language.strip() or 'und'}"]
    return ffmpeg(path, *arguments, "-c:a", "flac", *options)
