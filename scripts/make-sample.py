"""Make the sample clip: samples/dialogue.mp4, its transcript dialogue.txt and its timings dialogue.json.

    .venv/bin/python scripts/make-sample.py

Needs numpy, flite with its voices slt and rms (Debian: `apt-get install flite`), and ffmpeg with libx264, on PATH
or from the package imageio-ffmpeg. The same builds of them give the same bytes.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import wave
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
SAMPLE_RATE = 16000  # flite's own
SPEECH_LEVEL = 0.01  # of full scale: above what flite puts out in silence, below its softest consonants
SPEECH_RMS = 0.1  # of full scale: brings the two voices to one loudness
CHORD_HERTZ = (220.0, 277.18, 329.63, 440.0)
WIDTH, HEIGHT, FPS = 640, 360, 25  # a frame is a whole number of milliseconds
FRAME_MS = 1000 // FPS

LEAD_MS, TURN_MS, PAUSE_MS, TAIL_MS = 700, 400, 3200, 800
CUT_MS = 200  # a shot begins this long before its first word, and the pause's own this long after the last word
FADE_MS = 900

VOICES = {"Anna": "slt", "Daniel": "rms"}
PAUSE = "pause"
SCRIPT = (
    ("Anna", "Good morning, Daniel. Have you watched the new film yet?"),
    ("Daniel", "I have. The picture is beautiful, but it still needs subtitles."),
    ("Anna", "How long will that take?"),
    ("Daniel", "About ten minutes. Nothing has to leave this computer."),
    (PAUSE, ""),
    ("Anna", "The music has stopped. Are they ready?"),
    ("Daniel", "Yes. Every line waits for its speaker, and leaves when the sentence is over."),
    ("Anna", "Wonderful. Let us watch it together."),
)


@dataclass(frozen=True)
class Utterance:
    speaker: str
    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True)
class Shot:
    start_ms: int
    picture: str


@dataclass(frozen=True)
class SampleClip:
    duration_ms: int
    utterances: tuple[Utterance, ...]
    shots: tuple[Shot, ...]


# --- Sound: mono, at SAMPLE_RATE, 1.0 is full scale


def samples_in(ms: int) -> int:
    return ms * SAMPLE_RATE // 1000


def speak(speaker: str, text: str, folder: Path) -> Array:
    """Return what flite says, from its first to its last sound, cut at whole milliseconds."""
    path = folder / "utterance.wav"
    subprocess.run(["flite", "-voice", VOICES[speaker], "-t", text, "-o", str(path)], check=True)
    with wave.open(str(path)) as file:
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    loud_ms = np.flatnonzero(np.abs(sound) > SPEECH_LEVEL) * 1000 // SAMPLE_RATE
    said: Array = sound[samples_in(loud_ms[0]) : samples_in(loud_ms[-1] + 1)]
    return said * (SPEECH_RMS / float(np.std(said)))


def chord(ms: int) -> Array:
    t = np.arange(samples_in(ms)) / SAMPLE_RATE
    fade: Array = np.minimum(1, np.minimum(t, t[::-1]) * 1000 / FADE_MS)
    tones: Array = np.sin(2 * np.pi * np.outer(CHORD_HERTZ, t)).sum(axis=0)
    return fade * tones * 0.03


def room(length: int) -> Array:
    """Return the quiet noise of a room: brown, that is falling by 6 dB an octave, 0.002 RMS."""
    spectrum = np.fft.rfft(np.random.default_rng(1).standard_normal(length))
    noise: Array = np.fft.irfft(spectrum / np.maximum(np.fft.rfftfreq(length, 1 / SAMPLE_RATE), 40), length)
    return noise * (0.002 / float(np.std(noise)))


# --- Pictures: a function from seconds to an image of HEIGHT x WIDTH x (red, green, blue), 0 to 255

Y, X = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)


def paint(below: Array, above: Array, cover: Array) -> Array:
    """Paint `above` over `below` where `cover` is 1, a mixture where it is between 0 and 1 (edges, gradients)."""
    return below + np.clip(cover, 0, 1)[..., None] * (above - below)


def rgb(red: float, green: float, blue: float) -> Array:
    return np.array((red, green, blue), dtype=np.float64)


def dawn(t: float) -> Array:
    """Paint the sun rising behind hills."""
    to_sun = np.hypot(X - 430, Y - 205 + 3 * t)
    horizon = 250 - 18 * np.sin(X / 95 + t / 16) - 9 * np.sin(X / 37 + 1 + t / 10)
    sky = paint(rgb(60, 48, 112), rgb(230, 128, 82), Y / 250)
    sky = paint(sky, rgb(255, 200, 130), 0.7 * np.exp(-to_sun / 90))
    hills = paint(rgb(48, 28, 56), rgb(22, 12, 36), (Y - 230) / 130)
    return paint(paint(sky, rgb(255, 226, 160), 38 - to_sun), hills, Y - horizon)


def night(t: float) -> Array:
    """Paint the moon over the sea, and its light on the waves."""
    to_moon = np.hypot(X - 190, Y - 95)
    depth = np.maximum(Y - 220, 0)
    sky = paint(rgb(14, 24, 62), rgb(28, 60, 120), Y / 220)
    sky = paint(sky, rgb(80, 120, 190), 0.6 * np.exp(-to_moon / 70))
    ripples = (0.5 + 0.5 * np.sin(1120 / (depth + 14) + X / 31 + 3 * t)) ** 3
    sea = paint(rgb(8, 26, 56), rgb(10, 42, 80), depth / 140)
    sea = paint(sea, rgb(200, 215, 225), 0.8 * ripples * np.exp(-(((X - 190) / (24 + depth / 2)) ** 2)))
    return paint(paint(sky, rgb(236, 238, 226), 30 - to_moon), sea, Y - 219)


def waves(t: float) -> Array:
    """Paint four waves, one before another, under a pale sky."""
    image = paint(rgb(252, 226, 190), rgb(246, 190, 170), Y / 180)
    colours = (rgb(228, 142, 138), rgb(176, 96, 132), rgb(108, 66, 118), rgb(52, 42, 88))
    for i, colour in enumerate(colours):
        crest = 105 + 65 * i - (28 - 4 * i) * np.sin(X / (110 - 18 * i) + (-1) ** i * (1 + i / 3) * t + i)
        image = paint(image, colour, Y - crest)
    return image


PICTURES: dict[str, Callable[[float], Array]] = {"Anna": dawn, "Daniel": night, PAUSE: waves}


# --- The clip


def to_frame(ms: int) -> int:
    return ms // FRAME_MS * FRAME_MS


def perform(folder: Path) -> tuple[SampleClip, Array]:
    """Put the script's turns one after another. Each is a shot; the pause has music."""
    sounds: list[tuple[int, Array]] = []
    utterances: list[Utterance] = []
    shots: list[Shot] = []
    now = LEAD_MS
    for speaker, text in SCRIPT:
        if speaker == PAUSE:
            now += PAUSE_MS - TURN_MS
            start = utterances[-1].end_ms + CUT_MS
            sounds.append((start, chord(PAUSE_MS - 2 * CUT_MS)))
        else:
            sounds.append((now, speak(speaker, text, folder)))
            utterances.append(Utterance(speaker, now, now + len(sounds[-1][1]) * 1000 // SAMPLE_RATE, text))
            start = now - CUT_MS if shots else 0
            now = utterances[-1].end_ms + TURN_MS
        shots.append(Shot(to_frame(start), speaker))
    clip = SampleClip(to_frame(utterances[-1].end_ms + TAIL_MS), tuple(utterances), tuple(shots))
    track = room(samples_in(clip.duration_ms))
    for start, sound in sounds:
        track[samples_in(start) : samples_in(start) + len(sound)] += sound
    return clip, track


def frames(clip: SampleClip) -> Iterator[bytes]:
    for ms in range(0, clip.duration_ms, FRAME_MS):
        shot = next(shot for shot in reversed(clip.shots) if shot.start_ms <= ms)
        yield PICTURES[shot.picture](ms / 1000).astype(np.uint8).tobytes()


def find_ffmpeg() -> str:
    found = shutil.which("ffmpeg")
    if found:
        return found
    try:
        import imageio_ffmpeg
    except ImportError:
        sys.exit("make-sample: no ffmpeg on PATH; install it, or the package imageio-ffmpeg")
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def encode(clip: SampleClip, track: Array, folder: Path, target: Path) -> None:
    sound = folder / "sound.wav"
    with wave.open(str(sound), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes((track * 32767).astype("<i2").tobytes())
    bt709 = "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709"
    command = [find_ffmpeg(), "-y", "-v", "error", "-i", str(sound)]
    command += [
        "-f",
        "rawvideo",
        "-pixel_format",
        "rgb24",
        "-video_size",
        f"{WIDTH}x{HEIGHT}",
        "-framerate",
        str(FPS),
        "-i",
        "-",
    ]
    command += ["-map", "1:v", "-vf", f"scale=out_color_matrix=bt709:out_range=tv,format=yuv420p,{bt709}"]
    # The result of x264 depends on its threads.
    command += [
        "-c:v",
        "libx264",
        "-preset",
        "slow",
        "-crf",
        "20",
        "-threads",
        "1",
    ]
    command += [
        "-map",
        "0:a",
        "-c:a",
        "aac",
        "-b:a",
        "96k",
        "-ac",
        "2",
        "-ar",
        "48000",
        "-metadata:s:a:0",
        "language=eng",
    ]
    command += [
        "-metadata",
        "title=Dialogue",
        "-flags",
        "+bitexact",
        "-fflags",
        "+bitexact",
        "-movflags",
        "+faststart",
        str(target),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin
        for frame in frames(clip):
            process.stdin.write(frame)
    if process.returncode:
        sys.exit(f"make-sample: ffmpeg ended with status {process.returncode}; its message is above")


def main() -> None:
    if not shutil.which("flite"):
        sys.exit("make-sample: flite is not on PATH; install it (Debian: apt-get install flite)")
    with tempfile.TemporaryDirectory() as name:
        clip, track = perform(Path(name))
        encode(clip, track, Path(name), SAMPLES / "dialogue.mp4")
    text = "".join(f"{utterance.text}\n" for utterance in clip.utterances)
    (SAMPLES / "dialogue.txt").write_text(text, encoding="utf-8")
    timings = {"language": "en", "fps": FPS, **asdict(clip)}
    (SAMPLES / "dialogue.json").write_text(json.dumps(timings, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
