"""Sounds without a voice, made with numpy: noises, tones, and music whose timbres come close to singing.

Every maker gets a random generator and a length in samples (16 kHz, mono) and returns floats of about full scale.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from sutradhar.pipeline.media import SAMPLE_RATE

Floats = NDArray[np.float64]
Maker = Callable[[np.random.Generator, int], Floats]
SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 3, 5, 7, 10))
CHORDS = ((0, 4, 7), (9, 12, 16), (5, 9, 12), (7, 11, 14))  # semitones over the key: I vi IV V
FORMANTS = ((730, 1090, 2440), (270, 2290, 3010), (570, 840, 2410), (300, 870, 2240))  # of a, i, o, u, in Hz


# --- Parts


def seconds(count: int) -> Floats:
    return np.arange(count) / SAMPLE_RATE


def coloured(generator: np.random.Generator, count: int, slope: float) -> Floats:
    """Return noise whose level falls with the frequency to the power of `slope` / 2 (0 white, 1 pink, 2 brown)."""
    spectrum = np.fft.rfft(generator.standard_normal(count))
    spectrum *= np.maximum(np.arange(len(spectrum)), 20 * count / SAMPLE_RATE) ** (-slope / 2)
    return at_most_one(np.fft.irfft(spectrum, count))


def band(sound: Floats, low: float, high: float) -> Floats:
    spectrum = np.fft.rfft(sound)
    frequencies = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)
    spectrum[(frequencies < low) | (frequencies > high)] = 0
    return np.fft.irfft(spectrum, len(sound))


def at_most_one(sound: Floats) -> Floats:
    return sound / max(1e-9, float(np.abs(sound).max(initial=0)))


def slow(generator: np.random.Generator, count: int, every: float) -> Floats:
    """Return a random curve from 0 to 1 with a new aim every so many seconds."""
    aims = generator.random(int(count / SAMPLE_RATE / every) + 3)
    return np.interp(seconds(count) / every, np.arange(len(aims)), aims)


def pitch(semitones: float) -> float:
    return float(220 * 2 ** (semitones / 12))


def harmonics(frequency: float, count: int, levels: Sequence[float], vibrato: float = 0.0) -> Floats:
    phase = 2 * np.pi * frequency * seconds(count)
    phase += vibrato * np.sin(2 * np.pi * 5.5 * seconds(count))
    return sum((level * np.sin(number * phase) for number, level in enumerate(levels, 1)), np.zeros(count))


def decaying(sound: Floats, half_life: float) -> Floats:
    return sound * 0.5 ** (seconds(len(sound)) / half_life) * np.minimum(1, seconds(len(sound)) / 0.005)


def sung(frequency: float, count: int, formants: Sequence[float]) -> Floats:
    """Return a tone with the formants of a vowel."""
    levels = [
        sum(np.exp(-(((number * frequency - formant) / 150) ** 2)) for formant in formants) + 0.02
        for number in range(1, int(3500 / frequency) + 1)
    ]
    return harmonics(frequency, count, levels, vibrato=0.3) * np.minimum(1, seconds(count) / 0.04)


def in_beats(count: int, beat: int, note: Callable[[int, int], Floats]) -> Floats:
    """Lay notes behind one another; `note` gets the number of the beat and its length in samples."""
    return np.concatenate([note(number, beat) for number in range(-(-count // beat))])[:count]


def beat_of(generator: np.random.Generator) -> int:
    return int(SAMPLE_RATE * 60 / generator.integers(70, 150))


# --- Noises


def wind(generator: np.random.Generator, count: int) -> Floats:
    gusts = 0.15 + slow(generator, count, 2.5) ** 2
    return at_most_one(band(coloured(generator, count, 1.6), 30, 1500) * gusts)


def room(generator: np.random.Generator, count: int) -> Floats:
    return coloured(generator, count, 1.0)


def hum(generator: np.random.Generator, count: int) -> Floats:
    base = float(generator.choice([50.0, 60.0]))
    return at_most_one(harmonics(base, count, (1, 0.2, 0.6, 0.1, 0.3)) + 0.05 * coloured(generator, count, 1))


def crowd(generator: np.random.Generator, count: int) -> Floats:
    """Return a murmur: noise in the bands of vowels, each with the rhythm of syllables, and no voice."""
    murmur = np.zeros(count)
    for _ in range(12):
        centre = float(generator.uniform(250, 2500))
        murmur += band(coloured(generator, count, 0.5), centre * 0.8, centre * 1.2) * slow(generator, count, 0.12) ** 2
    return at_most_one(murmur)


def rain(generator: np.random.Generator, count: int) -> Floats:
    drops = generator.standard_normal(count) * (generator.random(count) < 0.003)
    return at_most_one(coloured(generator, count, 0.3) * 0.3 + band(drops, 500, 7000))


def engine(generator: np.random.Generator, count: int) -> Floats:
    phase = 2 * np.pi * np.cumsum(40 + 60 * slow(generator, count, 3)) / SAMPLE_RATE
    sound = sum((np.sin(number * phase) / number for number in range(1, 12)), np.zeros(count))
    return at_most_one(sound + 2 * coloured(generator, count, 1.2))


def steps(generator: np.random.Generator, count: int) -> Floats:
    """Return bangs and steps: short bursts of noise at odd times."""
    sound = 0.01 * coloured(generator, count, 1)
    for start in np.sort(generator.integers(0, max(1, count - 8000), max(1, count // 12_000))):
        length = int(generator.integers(800, 8000))
        burst = decaying(coloured(generator, length, float(generator.uniform(0, 2))), length / SAMPLE_RATE / 6)
        sound[start : start + length] += burst[: count - start] * generator.uniform(0.2, 1)
    return at_most_one(sound)


def silence(generator: np.random.Generator, count: int) -> Floats:
    return np.zeros(count)


# --- Tones


def beeps(generator: np.random.Generator, count: int) -> Floats:
    frequency, length = float(generator.uniform(400, 2000)), int(generator.uniform(0.1, 0.6) * SAMPLE_RATE)
    return harmonics(frequency, count, (1, 0.1)) * (np.arange(count) // length % 2 == 0)


def ringing(generator: np.random.Generator, count: int) -> Floats:
    both = harmonics(440, count, (1,)) + harmonics(480, count, (1,))
    return both / 2 * (seconds(count) % 6 < 2)


def sweep(generator: np.random.Generator, count: int) -> Floats:
    low, high = generator.uniform(80, 300), generator.uniform(1000, 6000)
    place = 0.5 - 0.5 * np.cos(2 * np.pi * seconds(count) / generator.uniform(3, 10))
    return np.sin(2 * np.pi * np.cumsum(low * (high / low) ** place) / SAMPLE_RATE)


def keys(generator: np.random.Generator, count: int) -> Floats:
    """Return the tones of a telephone's keys."""

    def press(number: int, length: int) -> Floats:
        low, high = generator.choice([697, 770, 852, 941]), generator.choice([1209, 1336, 1477])
        return (harmonics(low, length, (1,)) + harmonics(high, length, (1,))) / 2 * (np.arange(length) < length * 0.6)

    return in_beats(count, int(0.25 * SAMPLE_RATE), press)


# --- Music


def chords(generator: np.random.Generator, count: int) -> Floats:
    key, tail = int(generator.integers(-5, 6)), float(generator.uniform(0.4, 2))

    def struck(number: int, length: int) -> Floats:
        tones = [pitch(key + step) for step in CHORDS[number % len(CHORDS)]]
        return sum((decaying(harmonics(tone, length, (1, 0.5, 0.25, 0.1)), tail) for tone in tones), np.zeros(length))

    return at_most_one(in_beats(count, 2 * beat_of(generator), struck))


def arpeggio(generator: np.random.Generator, count: int) -> Floats:
    key, scale = int(generator.integers(-5, 12)), SCALES[generator.integers(len(SCALES))]

    def plucked(number: int, length: int) -> Floats:
        step = scale[int(generator.integers(len(scale)))] + 12 * int(generator.integers(0, 2))
        return decaying(harmonics(pitch(key + step), length, (1, 0.7, 0.5, 0.3, 0.2)), 0.12)

    return at_most_one(in_beats(count, beat_of(generator) // 2, plucked))


def drums(generator: np.random.Generator, count: int) -> Floats:
    def hit(number: int, length: int) -> Floats:
        if number % 4 == 0:
            return decaying(harmonics(60, length, (1,)), 0.08)
        return decaying(generator.standard_normal(length), 0.03) * (0.2 if number % 2 else 0.6)

    return at_most_one(in_beats(count, beat_of(generator) // 2, hit))


def singing(generator: np.random.Generator, count: int) -> Floats:
    """Return a tune on vowels, which detectors of speech take for a voice."""
    key, scale = int(generator.integers(-12, 3)), SCALES[generator.integers(len(SCALES))]

    def vowel(number: int, length: int) -> Floats:
        step = scale[int(generator.integers(len(scale)))]
        return sung(pitch(key + step), length, FORMANTS[int(generator.integers(len(FORMANTS)))])

    return at_most_one(in_beats(count, beat_of(generator), vowel))


def pad(generator: np.random.Generator, count: int) -> Floats:
    key = int(generator.integers(-12, 1))
    tones = [harmonics(pitch(key + step), count, (1, 0.4, 0.2), 0.2) for step in (0, 7, 12, 16)]
    return at_most_one(sum((tone * slow(generator, count, 4) for tone in tones), np.zeros(count)))


def band_of(*makers: Maker) -> Maker:
    """Return several parts at the same time."""
    return lambda generator, count: at_most_one(sum((make(generator, count) for make in makers), np.zeros(count)))


NOISES: dict[str, Maker] = {
    "wind": wind,
    "room": room,
    "hum": hum,
    "crowd": crowd,
    "rain": rain,
    "engine": engine,
    "steps": steps,
    "silence": silence,
}
TONES: dict[str, Maker] = {"beeps": beeps, "ringing": ringing, "sweep": sweep, "keys": keys}
MUSIC: dict[str, Maker] = {
    "chords": chords,
    "arpeggio": arpeggio,
    "drums": drums,
    "singing": singing,
    "pad": pad,
    "band": band_of(chords, arpeggio, drums),
    "song": band_of(pad, singing, drums),
}
