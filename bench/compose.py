"""Compose a long recording whose every word and sound has a known place: a film, or hours in which nobody speaks.

    .venv/bin/python -m bench.compose --data DIR --cache DIR --seed 1 --minutes 45 --out film.wav
    .venv/bin/python -m bench.compose --data DIR --cache DIR --seed 1 --minutes 120 --kind nonspeech --out hours.wav

The data folder is that of bench.accuracy. A film has scenes, dialogues, read speech and telephone at changing levels,
speech over music at 20 to 0 dB, and between them wind, hum, rooms, murmur, steps, digital silence and music. Other
seeds make others of the same clips. The cache takes Debian's packages of music (see debian_sounds.py). Beside the WAV
file (16 kHz, mono) its reference is written as `.json` and `.stm`; the sha256 of the samples is printed.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import wave
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain
from pathlib import Path

import numpy as np

from bench import debian_sounds
from bench.clips import Clip, read_clips
from bench.reference import Piece, Reference
from bench.sounds import MUSIC, NOISES, TONES, Floats, Maker
from sutradhar.pipeline import media
from sutradhar.pipeline.media import SAMPLE_RATE

SCENES, DIALOGUE, READ, PHONE = "film_notld", "en_commonvoice", ("en_librispeech", "en_ljspeech"), "tel_asterisk"
SNRS = (20.0, 15.0, 10.0, 5.0, 0.0)
MUSIC_FROM = 10 * SAMPLE_RATE  # recorded sounds of this length are music, shorter ones events
FULL = 32767
# Lines that are heard in a clip and missing in its text: their places in it, in ms
UNWRITTEN: dict[str, tuple[tuple[int, int], ...]] = {
    "film_notld/audio/15s_there_are_two_of_them_out_there.flac": ((6000, 8200),),
    "film_notld/audio/21s_hey_thats_us_were_doing_all_right.flac": ((14_000, 16_300),),
}


@dataclass(frozen=True)
class Act:
    """A part of the recording; its pieces are on its own clock."""

    sound: Floats
    pieces: tuple[Piece, ...]


# --- Levels


def level_of(sound: Floats) -> float:
    """Return the RMS, in dB of full scale, of those frames of 32 ms that are within 25 dB of the loudest."""
    frames = sound[: len(sound) // 512 * 512].reshape(-1, 512)
    powers = (frames**2).mean(axis=1) if len(frames) else np.zeros(1)
    loud = powers[powers >= powers.max() * 10**-2.5]
    return float(10 * np.log10(max(1e-12, loud.mean())))


def at_level(sound: Floats, level_db: float) -> Floats:
    """Bring sound to a level; silence stays what it is. Too loud peaks turn all of it down."""
    if not sound.any():
        return sound
    raised = sound * 10 ** ((level_db - level_of(sound)) / 20)
    return raised / max(1.0, float(np.abs(raised).max()))


def faded(sound: Floats, length: int = SAMPLE_RATE // 50) -> Floats:
    ramp = np.minimum(1, np.arange(len(sound)) / length)
    return sound * ramp * ramp[::-1]


def ms_of(samples: int) -> int:
    return round(samples * 1000 / SAMPLE_RATE)


@cache
def recorded(path: Path) -> Floats:
    return np.concatenate(list(media.decode(path))).astype(np.float64) / FULL


# --- Acts


class Composer:
    """Draws acts from the data; all that it does follows from the seed."""

    def __init__(self, data: Path, cache: Path, seed: int) -> None:
        self._generator = np.random.default_rng(seed)
        self._data = data
        sounds = debian_sounds.sounds(cache)
        self._music = [path for path in sounds if len(recorded(path)) >= MUSIC_FROM]
        self._events = [path for path in sounds if len(recorded(path)) < MUSIC_FROM]
        decks: list[tuple[str, ...]] = [(SCENES,), (DIALOGUE,), READ, (PHONE,)]
        self._decks = {
            sets: self._shuffled([clip for clip in read_clips(data, sets, 1000) if clip.text]) for sets in decks
        }

    def film(self) -> Iterator[Act]:
        acts: list[tuple[float, Callable[[], Act]]] = [
            (0.20, lambda: self._speech("scene", (SCENES,), (3, 8), (0.3, 5))),
            (0.08, lambda: self._speech("dialogue", (DIALOGUE,), (4, 9), (0.15, 1.2))),
            (0.08, lambda: self._speech("read", READ, (2, 5), (0.3, 2))),
            (0.06, lambda: self._speech("phone", (PHONE,), (4, 10), (0.4, 3))),
            (0.16, self._over_music),
            (0.26, lambda: self._noise("gap", NOISES, (3, 40))),
            (0.16, self._some_music),
        ]
        weights = np.cumsum([weight for weight, _ in acts])
        while True:
            yield acts[int(np.searchsorted(weights, self._generator.random() * weights[-1]))][1]()

    def nonspeech(self) -> Iterator[Act]:
        acts: list[Callable[[], Act]] = [
            self._recorded_music,
            self._recorded_music,
            lambda: self._noise("music", MUSIC, (10, 60)),
            lambda: self._noise("noise", NOISES, (5, 60)),
            lambda: self._noise("tones", TONES, (5, 20)),
            self._strewn,
        ]
        while True:
            yield acts[self._generator.integers(len(acts))]()

    def _between(self, low: float, high: float) -> float:
        return float(self._generator.uniform(low, high))

    def _samples(self, low: float, high: float) -> int:
        return int(self._between(low, high) * SAMPLE_RATE)

    def _shuffled(self, clips: Sequence[Clip]) -> Iterator[Clip]:
        while True:
            yield from [clips[number] for number in self._generator.permutation(len(clips))]

    def _any_of(self, makers: dict[str, Maker]) -> tuple[str, Maker]:
        return list(makers.items())[self._generator.integers(len(makers))]

    # --- Nobody speaks

    def _noise(self, kind: str, makers: dict[str, Maker], length: tuple[float, float]) -> Act:
        name, make = self._any_of(makers)
        return self._alone(kind, name, make(self._generator, self._samples(*length)))

    def _alone(self, kind: str, name: str, sound: Floats) -> Act:
        level = round(self._between(-45, -16), 1)
        piece = Piece(kind, 0, ms_of(len(sound)), name, level)
        return Act(faded(at_level(sound, level)), (piece,))

    def _some_music(self) -> Act:
        return self._recorded_music() if self._generator.random() < 0.6 else self._noise("music", MUSIC, (8, 50))

    def _recorded_music(self) -> Act:
        """Return a part of recorded music, one in three backwards, at 0.8 to 1.25 of its speed."""
        name, sound = self._piece_of_music(self._samples(10, 60))
        speed, backwards = self._between(0.8, 1.25), self._generator.random() < 1 / 3
        sound = np.interp(np.arange(0, len(sound) - 1, speed), np.arange(len(sound)), sound)
        return self._alone("music", f"{name} x{speed:.2f}{' backwards' * backwards}", sound[:: -1 if backwards else 1])

    def _piece_of_music(self, length: int) -> tuple[str, Floats]:
        path = self._music[self._generator.integers(len(self._music))]
        sound = recorded(path)
        start = int(self._generator.integers(max(1, len(sound) - length)))
        return path.name, sound[start : start + length]

    def _strewn(self) -> Act:
        """Return short recorded sounds over a quiet noise."""
        name, make = self._any_of(NOISES)
        sound = at_level(make(self._generator, self._samples(10, 40)), -50)
        for _ in range(self._generator.integers(3, 12)):
            event = recorded(self._events[self._generator.integers(len(self._events))])[: len(sound)]
            start = int(self._generator.integers(len(sound) - len(event) + 1))
            sound[start : start + len(event)] += at_level(event, self._between(-35, -15))
        return Act(faded(sound), (Piece("events", 0, ms_of(len(sound)), f"events over {name}", -25),))

    # --- Somebody speaks

    def _speech(self, kind: str, sets: tuple[str, ...], count: tuple[int, int], pauses: tuple[float, float]) -> Act:
        """Return clips with pauses between them, over one quiet noise."""
        level = self._between(-34, -18)
        act = self._in_a_row(kind, sets, count, pauses, level)
        _, make = self._any_of(NOISES)
        noise = at_level(make(self._generator, len(act.sound)), level - self._between(30, 50))
        return replace(act, sound=act.sound + noise)

    def _in_a_row(
        self, kind: str, sets: tuple[str, ...], count: tuple[int, int], pauses: tuple[float, float], level: float
    ) -> Act:
        parts, pieces, place = [], [], 0
        for _ in range(self._generator.integers(*count)):
            parts.append(np.zeros(self._samples(*pauses)))
            place += len(parts[-1])
            clip, own = next(self._decks[sets]), round(level + self._between(-4, 4), 1)
            parts.append(at_level(recorded(clip.audio), own))
            pieces.append(self._spoken(kind, clip, place, len(parts[-1]), own))
            place += len(parts[-1])
        return Act(np.concatenate([*parts, np.zeros(self._samples(*pauses))]), tuple(pieces))

    def _spoken(self, kind: str, clip: Clip, place: int, length: int, level: float) -> Piece:
        start_ms, name = ms_of(place), str(clip.audio.relative_to(self._data))
        optional = tuple((start_ms + begin, start_ms + end) for begin, end in UNWRITTEN.get(name, ()))
        return Piece(kind, start_ms, start_ms + ms_of(length), name, level, clip.text, optional=optional)

    def _over_music(self) -> Act:
        """Return speech over music that begins before it and goes on behind it."""
        snr, level = float(self._generator.choice(SNRS)), self._between(-26, -18)
        sets = [(DIALOGUE,), READ, (SCENES,)][self._generator.integers(3)]
        act = self._in_a_row("over music", sets, (3, 7), (0.3, 2), level)
        before, behind = self._samples(2, 10), self._samples(1, 8)
        length = before + len(act.sound) + behind
        if self._generator.random() < 0.6:
            name, bed = self._piece_of_music(length)
            bed = np.resize(bed, length)
        else:
            name, make = self._any_of(MUSIC)
            bed = make(self._generator, length)
        sound = faded(at_level(bed, level - snr), SAMPLE_RATE // 2)
        sound[before : before + len(act.sound)] += act.sound
        under = Piece("bed", 0, ms_of(length), name, round(level - snr, 1), snr_db=snr)
        return Act(sound, (under, *(replace(moved(piece, ms_of(before)), snr_db=snr) for piece in act.pieces)))


def moved(piece: Piece, by_ms: int) -> Piece:
    optional = tuple((start + by_ms, end + by_ms) for start, end in piece.optional)
    return replace(piece, start_ms=piece.start_ms + by_ms, end_ms=piece.end_ms + by_ms, optional=optional)


# --- The recording


def compose(acts: Iterator[Act], length: int, seed: int, out: Path) -> Reference:
    """Write acts to a WAV file until it has that many samples."""
    pieces, samples, digest = [], 0, hashlib.sha256()
    with wave.open(str(out), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", "not compressed"))
        while samples < length:
            act = next(acts)
            act_bytes = (np.clip(act.sound, -1, 1) * FULL).round().astype("<i2").tobytes()
            file.writeframes(act_bytes)
            digest.update(act_bytes)
            pieces.append([moved(piece, ms_of(samples)) for piece in act.pieces])
            samples += len(act.sound)
    return Reference(seed, "en", ms_of(samples), digest.hexdigest(), tuple(chain.from_iterable(pieces)))


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.compose", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--cache", type=Path, required=True, metavar="DIR", help="folder for Debian's packages")
    parser.add_argument("--kind", choices=("film", "nonspeech"), default="film")
    parser.add_argument("--minutes", type=float, default=45, help="at least (45)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.wav")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parse(argv)
    debian_sounds.fetch(arguments.cache)
    composer = Composer(arguments.data, arguments.cache, arguments.seed)
    acts = composer.film() if arguments.kind == "film" else composer.nonspeech()
    reference = compose(acts, int(arguments.minutes * 60 * SAMPLE_RATE), arguments.seed, arguments.out)
    reference.save(arguments.out.with_suffix(".json"))
    spoken = sum(piece.end_ms - piece.start_ms for piece in reference.spoken) / 60_000
    words = sum(len(piece.text.split()) for piece in reference.spoken)
    print(f"{reference.duration_ms / 60_000:.1f} min, {spoken:.1f} of speech, {words} words, {reference.sha256}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
