"""Measure word times, and the times at which cues appear, against exact ones.

    .venv/bin/python -m bench.word_times --data DIR [--engine whisperx] [--set clean,8k] [--seed 1]

DIR holds `words_timed/` and `en_librivox_timed/`, each with `manifest.jsonl`: a line a file, with `audio`, and
`words` (word, start, end in seconds) or `segments` (start, end, text). Each set is measured with the recogniser's own
times and with those on the edges of the sound. Sets: the voices as they are, at 8 kHz, in pink noise at 10 dB, and
compositions: their sentences in another order, at levels up to 6 dB apart, with pauses of 0.2 to 3 s, on room tone or
wind so many dB under the speech. The first voice chose the constants; the others, and compositions of them alone,
judge. Results go to bench/results/word_times-ENGINE.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sutradhar
from bench.clips import Clip, samples_of
from bench.side_by_side import RESULTS, ROOT, machine
from sutradhar.stages import transcript as table
from sutradhar.stages.alignment.bias import early_ms
from sutradhar.stages.alignment.edges import on_edges
from sutradhar.stages.cues.rules import rules_for
from sutradhar.stages.cues.track import track_of
from sutradhar.stages.evaluate.normalise import unicode as normalise
from sutradhar.stages.sound.quiet import quiet_spans
from sutradhar.stages.sound.wav import SAMPLES_PER_MS, Samples
from sutradhar.stages.transcript import Segment, Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Sound = NDArray[np.float32]

RATE = 16_000
FRAME_MS = 42  # of a film
PAUSE_MS = 150  # words after one are counted apart
FAR_MS = 2000  # a word further off is another
TOGETHER_MS = 300  # a shorter pause stays in a piece of a composition
SPEECH_RMS = 0.05


@dataclass(frozen=True)
class Spoken:
    """A word and its exact time; None where only the line's is known."""

    text: str
    start_ms: int | None
    end_ms: int | None


@dataclass(frozen=True)
class Set:
    name: str
    sound: Sound
    words: Sequence[Spoken]


@dataclass(frozen=True)
class Errors:
    """Medians are of absolute errors in ms; `bias` is that of starts with their sign."""

    words: int
    start: float
    end: float | None
    bias: float
    after_pause: float | None
    before_pause: float | None
    cues: int  # whose first word was recognised
    cues_within_frame: float | None  # percent of them that appear within a frame of it
    paused: int  # those of them that follow a pause
    paused_within_frame: float | None


# --- Sets


def voices(data: Path) -> list[Set]:
    return [
        Set(Path(row["audio"]).stem, _samples(data / "words_timed", row), [_word(one) for one in row["words"]])
        for row in _rows(data / "words_timed")
    ]


def lines(data: Path) -> list[Set]:
    """Return recordings of which the begin of each line is known."""
    return [
        Set(
            "lines", _samples(data / "en_librivox_timed", row), [word for one in row["segments"] for word in _line(one)]
        )
        for row in _rows(data / "en_librivox_timed")
    ]


def _rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]


def _samples(folder: Path, row: dict[str, Any]) -> Sound:
    return samples_of(Clip(folder.name, folder / row["audio"], "", "en"))


def _word(row: dict[str, Any]) -> Spoken:
    return Spoken(normalise(row["word"]), round(row["start"] * 1000), round(row["end"] * 1000))


def _line(row: dict[str, Any]) -> Iterator[Spoken]:
    for number, text in enumerate(normalise(row["text"]).split()):
        yield Spoken(text, None if number else round(row["start"] * 1000), None)


def narrow(sound: Sound) -> Sound:
    """Return sound as a telephone has it: 8 kHz, and back."""
    from scipy.signal import resample_poly  # type: ignore[import-untyped]

    resampled: Sound = resample_poly(resample_poly(sound, 1, 2), 2, 1).astype("float32")
    return resampled[: len(sound)]


def noisy(sound: Sound, snr_db: float, seed: int) -> Sound:
    import numpy as np

    spoken = sound[np.abs(sound) > 0.01]
    mixed: Sound = sound + _noise(len(sound), 0.5, seed) * _rms(spoken) * 10 ** (-snr_db / 20)
    return mixed


def _noise(samples: int, slope: float, seed: int) -> Sound:
    """Return noise whose amplitude falls with this power of the frequency: 0.5 is pink; 1, from 60 Hz on, like wind."""
    import numpy as np

    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(samples))
    shaped = np.fft.irfft(spectrum / np.maximum(np.arange(len(spectrum)) * RATE / samples, 60) ** slope, samples)
    noise: Sound = (shaped / np.sqrt(np.mean(np.square(shaped)))).astype(np.float32)
    return noise


def _rms(sound: Sound) -> float:
    import numpy as np

    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))


def composed(name: str, sources: Sequence[Set], seed: int, bed_db: float, slope: float) -> Set:
    """Compose the sentences of several voices, with their exact times, on noise `bed_db` under them."""
    import numpy as np

    draw = np.random.default_rng(seed)
    pieces = [piece for source in sources for piece in _pieces(source)]
    sounds, words, at_ms = [np.zeros(RATE // 2, np.float32)], list[Spoken](), 500
    for number in draw.permutation(len(pieces)):
        sound, spoken = pieces[number]
        gap_ms = int(draw.uniform(200, 3000))
        sounds += [sound * SPEECH_RMS / _rms(sound) * 10 ** (draw.uniform(-6, 6) / 20)]
        sounds += [np.zeros(gap_ms * SAMPLES_PER_MS, np.float32)]
        words += [Spoken(one.text, (one.start_ms or 0) + at_ms, (one.end_ms or 0) + at_ms) for one in spoken]
        at_ms += len(sound) // SAMPLES_PER_MS + gap_ms
    whole = np.concatenate(sounds)
    return Set(name, whole + _noise(len(whole), slope, seed) * SPEECH_RMS * 10 ** (bed_db / 20), words)


def _pieces(source: Set) -> Iterator[tuple[Sound, list[Spoken]]]:
    """Yield the sound of each sentence from the start of its first word to the end of its last, and its words."""
    begin = 0
    for end in range(1, len(source.words) + 1):
        if end < len(source.words) and _pause(source.words, end) < TOGETHER_MS:
            continue
        first, last = source.words[begin].start_ms or 0, source.words[end - 1].end_ms or 0
        yield (
            source.sound[first * SAMPLES_PER_MS : last * SAMPLES_PER_MS],
            [
                Spoken(one.text, (one.start_ms or 0) - first, (one.end_ms or 0) - first)
                for one in source.words[begin:end]
            ],
        )
        begin = end


def _pause(words: Sequence[Spoken], number: int) -> int:
    """Return the pause before a word; without a known end of the one before it, or at the beginning, a long one."""
    if not number or words[number - 1].end_ms is None:
        return FAR_MS
    return (words[number].start_ms or 0) - (words[number - 1].end_ms or 0)


def make_sets(data: Path, seed: int) -> Iterator[Set]:
    spoken = voices(data)
    for one in spoken:
        yield Set(f"clean {one.name}", one.sound, one.words)
        yield Set(f"8k {one.name}", narrow(one.sound), one.words)
        yield Set(f"noise {one.name}", noisy(one.sound, 10, seed), one.words)
    for bed, bed_db, slope in (("room", -45, 0.5), ("room", -35, 0.5), ("wind", -30, 1.0)):
        for who, sources in (("chosen", spoken[:1]), ("judged", spoken[1:])):
            yield composed(f"composed {who} {bed} {bed_db}", sources, seed, bed_db, slope)
    composition = composed("", spoken[1:], seed + 1, -45, 0.5)
    yield Set("composed judged 8k", narrow(composition.sound), composition.words)
    yield from lines(data)


# --- Measuring


def errors(segments: Sequence[Segment], words: Sequence[Spoken], clip: Span) -> Errors:
    found = [(normalise(word.text), word.start_ms, word.end_ms) for one in segments for word in one.words]
    pairs = [(found[own], words[other], other) for own, other in _matches([one[0] for one in found], words)]
    starts = [(own[1] - one.start_ms, number) for own, one, number in pairs if one.start_ms is not None]
    ends = [(own[2] - one.end_ms, number) for own, one, number in pairs if one.end_ms is not None]
    starts = [error for error in starts if abs(error[0]) < FAR_MS]
    ends = [error for error in ends if abs(error[0]) < FAR_MS]
    cues = [error for error in _cue_errors(segments, words, clip) if abs(error[0]) < FAR_MS]
    paused = [error for error in cues if _pause(words, error[1]) >= PAUSE_MS]
    return Errors(
        words=len(starts),
        start=_middle(error for error, _ in starts) or 0.0,
        end=_middle(error for error, _ in ends),
        bias=statistics.median(error for error, _ in starts),
        after_pause=_middle(error for error, number in starts if _pause(words, number) >= PAUSE_MS),
        before_pause=_middle(
            error for error, number in ends if number + 1 == len(words) or _pause(words, number + 1) >= PAUSE_MS
        ),
        cues=len(cues),
        cues_within_frame=_within_frame(cues),
        paused=len(paused),
        paused_within_frame=_within_frame(paused),
    )


def _within_frame(cues: Sequence[tuple[int, int]]) -> float | None:
    return round(100 * sum(abs(error) <= FRAME_MS for error, _ in cues) / len(cues), 1) if cues else None


def _middle(found: Iterator[int]) -> float | None:
    absolute = [abs(error) for error in found]
    return statistics.median(absolute) if absolute else None


def _matches(texts: Sequence[str], words: Sequence[Spoken]) -> Iterator[tuple[int, int]]:
    """Yield the places of words that were recognised right, in the texts and among the words."""
    matcher = SequenceMatcher(None, texts, [word.text for word in words], autojunk=False)
    for block in matcher.get_matching_blocks():
        yield from ((block.a + number, block.b + number) for number in range(block.size) if texts[block.a + number])


def _cue_errors(segments: Sequence[Segment], words: Sequence[Spoken], clip: Span) -> list[tuple[int, int]]:
    """Return by how much each cue appears late, and the place of its first word, where that was recognised and its
    time is known."""
    transcript = table.Transcript("en", clip.start_ms, clip.end_ms - clip.start_ms, tuple(segments))
    cues = track_of(transcript, rules_for("netflix", "en", 24.0)).cues
    texts, begins = list[str](), dict[int, int]()
    for cue in cues:
        begins[len(texts)] = cue.start_ms
        texts += [normalise(text) for text in " ".join(cue.lines).split()]
    return [
        (begins[own] - start, other)
        for own, other in _matches(texts, words)
        if own in begins and (start := words[other].start_ms) is not None
    ]


def measure(one: Set, transcribe: Callable[[Samples], Sequence[Segment]], early: int) -> dict[str, Errors]:
    """Return the errors of the recogniser's own times, and of those on the edges."""
    import numpy as np

    sound = Samples(np.rint(np.clip(one.sound, -1, 1) * 32767).astype(np.int16))
    clip = Span(0, sound.duration_ms)
    own = tuple(transcribe(sound))
    better = on_edges(own, {"": quiet_spans(sound)}, clip, early)
    return {"own": errors(own, one.words, clip), "edges": errors(better, one.words, clip)}


def _transcribe(model: sutradhar.Model, sound: Samples) -> Sequence[Segment]:
    return model.transcribe(sound.cut_ms(0, sound.duration_ms), language="en").segments


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--engine", default="whisperx")
    parser.add_argument("--model", default="base")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--set", default="", metavar="NAME", help="only sets that begin so, such as clean,8k")
    parser.add_argument("--seed", type=int, default=1, help="another one makes other noise and compositions")
    arguments = parser.parse_args(argv)
    settings = {"ALIGNMENT_MODEL": "none", "SPEECH_DETECTOR": "silero+segmentation"}
    wishes = {"backend": arguments.engine, "device": arguments.device}
    model = sutradhar.load(arguments.model, **wishes, models_dir=ROOT / "models", settings=settings)
    early = early_ms(arguments.engine, arguments.model)
    rows: dict[str, dict[str, Errors]] = {}
    print(f"{'set':28} times  words start   end  bias  after before pause  cues in a frame, after a pause")
    for one in make_sets(arguments.data, arguments.seed):
        if one.name.startswith(tuple(arguments.set.split(","))):
            rows[one.name] = measure(one, partial(_transcribe, model), early)
            print("\n".join(_row(one.name, *item) for item in rows[one.name].items()), flush=True)
    result = {"machine": machine(), "engine": arguments.engine, "model": arguments.model, "seed": arguments.seed}
    result |= {
        "early_ms": early,
        "sets": {name: {way: asdict(one) for way, one in row.items()} for name, row in rows.items()},
    }
    file = RESULTS / f"word_times-{arguments.engine}.json"
    file.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


def _row(name: str, way: str, found: Errors) -> str:
    cells = [found.start, found.end, found.bias, found.after_pause, found.before_pause]
    shown = "  ".join("   -" if cell is None else f"{cell:4.0f}" for cell in cells)
    all_cues, paused = (
        "   -" if share is None else f"{share:3.0f}%" for share in (found.cues_within_frame, found.paused_within_frame)
    )
    return f"{name:28} {way:5} {found.words:5}  {shown}  {found.cues:4} {all_cues}  {found.paused:4} {paused}"


if __name__ == "__main__":
    sys.exit(main())
