"""Judge what is heard in a composed recording (bench.compose), beside WhisperX and faster-whisper on the same weights.

    .venv/bin/python -m bench.hearing score film.wav --cache DIR [--engines ours,whisperx_pyannote] [--shifts 0,0.5,1]
    .venv/bin/python -m bench.hearing curve film.wav hours.wav --cache DIR

`score` prints errors, words under a cue, seconds shown outside speech, words invented where nobody speaks, words right
over music, and the sound decoded. With `--shifts` silence (s) is put before the recording, so that windows are cut
elsewhere: the spread of the figures, and the words in which the texts differ. `curve` draws, for the detectors of
speech, the words that each threshold keeps against the seconds that it marks where nobody speaks; `--wer` has the
product recognise the first recording at each threshold of its gate. What an engine heard is kept in the cache, by
recording and settings; `--again` hears anew. Results go to bench/results/hearing_<name>.json.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import sys
import wave
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timezone
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from bench.clips import MODELS
from bench.compose import moved
from bench.film_scores import Score, align, interval, outside_s, placed, score
from bench.heard import ENGINES, Heard, hear, read_heard
from bench.reference import Reference, read_reference
from bench.side_by_side import RESULTS, machine
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.stages.evaluate.comparing import Comparison
from sutradhar.stages.evaluate.spans import Cover
from sutradhar.stages.transcript import Span

THRESHOLDS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6)
ROW = "{:18}{:>7}{:>6}{:>5}{:>5}{:>5}{:>8}{:>9}{:>8}{:>9}{:>9}{:>9}{:>6}"
HEADS = (
    "",
    "WER",
    "words",
    "sub",
    "del",
    "ins",
    "cued %",
    "outside",
    "added",
    "a minute",
    "decoded",
    "doubtful",
    "cpu",
)


# --- Hearing, once for each recording and its settings


def heard_by(engine: str, audio: Path, options: argparse.Namespace) -> Heard:
    key = json.dumps([engine, _digest(audio), options.model.name, options.set if engine == "ours" else []])
    kept = options.cache / "heard" / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"
    if kept.exists() and not (options.again and engine == "ours"):
        return read_heard(kept)
    heard = hear(engine, audio, options)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(asdict(heard), ensure_ascii=False), encoding="utf-8")
    return heard


def _digest(audio: Path) -> str:
    return hashlib.sha256(audio.read_bytes()).hexdigest()


def shifted(audio: Path, seconds: float, folder: Path) -> Path:
    """Return the recording with silence before it."""
    if not seconds:
        return audio
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{audio.stem}+{seconds:g}.wav"
    with wave.open(str(audio), "rb") as source, wave.open(str(path), "wb") as target:
        target.setparams(source.getparams())
        target.writeframes(bytes(2 * round(seconds * source.getframerate())))
        target.writeframes(source.readframes(source.getnframes()))
    return path


def later(reference: Reference, by_ms: int) -> Reference:
    pieces = tuple(moved(piece, by_ms) for piece in reference.pieces)
    return replace(reference, duration_ms=reference.duration_ms + by_ms, pieces=pieces)


# --- Scores


def judge(audio: Path, seconds: float, options: argparse.Namespace) -> tuple[list[Score], list[Comparison]]:
    """Score all engines on a recording that begins later by so many seconds."""
    reference = later(read_reference(audio.with_suffix(".json")), round(seconds * 1000))
    path = shifted(audio, seconds, options.cache / "shifted")
    heard = [heard_by(engine, path, options) for engine in options.engines]
    alignments = [align(reference, one) for one in heard]
    places = placed([one for one, of in zip(alignments, heard, strict=True) if of.exact])
    return [score(reference, *pair, places) for pair in zip(alignments, heard, strict=True)], alignments


def run_score(options: argparse.Namespace) -> dict[str, Any]:
    results = {seconds: judge(options.audio[0], seconds, options) for seconds in options.shifts}
    first, alignments = results[options.shifts[0]]
    reference = read_reference(options.audio[0].with_suffix(".json"))
    for seconds, (scores, _) in results.items():
        print(f"\n{options.audio[0].name}, {seconds:g} s later\n{table(scores)}")
    print("\n".join(details(first)))
    differences = {}
    for one, alignment in zip(first[1:], alignments[1:], strict=True) if reference.spoken else ():
        if difference := interval(alignments[0], alignment):
            differences[one.engine] = [round(number, 2) for number in difference]
            print("WER of {} - {}: {:+.2f} [{:+.2f} {:+.2f}]".format(first[0].engine, one.engine, *difference))
    spread = spreads(results, options)
    return {
        "recording": {"seed": reference.seed, "minutes": round(reference.duration_ms / 60_000, 1)},
        "scores": {f"{seconds:g}": [asdict(one) for one in scores] for seconds, (scores, _) in results.items()},
        "differences": differences,
        "shifts": spread,
    }


def table(scores: Sequence[Score]) -> str:
    rows = [
        ROW.format(
            one.engine,
            f"{one.wer:.2f}",
            one.words,
            one.substituted,
            one.deleted,
            one.inserted,
            f"{one.under_a_cue:.1f}",
            f"{one.outside_s:.0f} s",
            one.invented,
            f"{one.invented_a_minute:.2f}",
            f"{one.decoded_s:.0f} s",
            f"{one.doubtful}/{one.windows}",
            f"{one.cpu_s:.0f}",
        )
        for one in scores
    ]
    return "\n".join([ROW.format(*HEADS), *rows])


def details(scores: Sequence[Score]) -> Iterator[str]:
    for one in scores:
        kinds = (
            f"{kind} {count['substituted']}/{count['deleted']}/{count['inserted']} of {count['words']}"
            for kind, count in one.by_kind.items()
        )
        yield f"{one.engine}, sub/del/ins: {', '.join(kinds)}"
    for one in scores:
        if one.right_over_music:
            yield f"{one.engine}, right over music, %: " + ", ".join(
                f"{snr} dB {share:.1f}" for snr, share in one.right_over_music.items()
            )


def spreads(
    results: dict[float, tuple[list[Score], list[Comparison]]], options: argparse.Namespace
) -> dict[str, dict[str, Any]]:
    """Return, for each engine, the mean and spread of its figures over all shifts, and in how many words the texts
    differ from the first."""
    if len(results) < 2:
        return {}
    found: dict[str, dict[str, Any]] = {}
    for number, engine in enumerate(options.engines):
        scores = [scores[number] for scores, _ in results.values()]
        texts = [[word.text for word in alignments[number].heard] for _, alignments in results.values()]
        found[engine] = {
            name: _spread([getattr(one, name) for one in scores])
            for name in ("wer", "deleted", "inserted", "under_a_cue", "lost_at_joins", "doubled_at_joins")
        } | {"words_that_differ": [words_that_differ(texts[0], other) for other in texts[1:]]}
        print(f"{engine}: {found[engine]}")
    return found


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"mean": round(statistics.mean(values), 2), "min": min(values), "max": max(values)}


def words_that_differ(one: Sequence[str], other: Sequence[str]) -> int:
    blocks = SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
    return sum(max(b - a, d - c) for tag, a, b, c, d in blocks if tag != "equal")


# --- The curve


def tracks_of(audio: Path) -> dict[str, Sequence[float]]:
    """Return the probabilities of speech by all detectors, each over the whole recording."""
    from sutradhar.stages.sound.about import NAME
    from sutradhar.stages.sound.hearing import probabilities_begun_anew
    from sutradhar.stages.sound.segmentation import Segmentation
    from sutradhar.stages.sound.silero import FRAME, Detector, speech_probabilities
    from sutradhar.stages.sound.wav import Sound

    with Sound(audio) as sound:
        detector, everywhere = Detector(), [True] * -(-sound.samples // FRAME)
        silero = speech_probabilities(sound, detector=detector)
        anew = probabilities_begun_anew(sound, everywhere, lambda done, total: None, detector)
        voices = Segmentation(MODELS / NAME).speech_probabilities(sound, everywhere, lambda done, total: None)

    def mean(one: Sequence[float], other: Sequence[float]) -> list[float]:
        return [(a + b) / 2 for a, b in zip(one, other, strict=True)]

    return {
        "silero": silero,
        "silero begun anew": anew,
        "segmentation-3.0": voices,
        "mean": mean(silero, voices),
        "mean, anew": mean(anew, voices),
    }


def marked(track: Sequence[float], threshold: float) -> list[Span]:
    """Return what a detector marks before any padding, in ms."""
    from sutradhar.stages.sound.silero import FRAME_MS
    from sutradhar.stages.sound.windows import speech_frames

    return [Span(first * FRAME_MS, end * FRAME_MS) for first, end in speech_frames(track, threshold, Settings())]


def run_curve(options: argparse.Namespace) -> dict[str, Any]:
    """Print and return a row for each detector and threshold: words kept in %, and s marked where nobody speaks."""
    tracks = [tracks_of(audio) for audio in options.audio]
    references = [read_reference(audio.with_suffix(".json")) for audio in options.audio]
    places = [
        words_placed(audio, reference, options) for audio, reference in zip(options.audio, references, strict=True)
    ]
    rows = []
    for name in tracks[0]:
        for threshold in THRESHOLDS:
            row: dict[str, Any] = {"detector": name, "threshold": threshold}
            for track, reference, words in zip(tracks, references, places, strict=True):
                row.setdefault("kept", []).append(kept(marked(track[name], threshold), words))
                row.setdefault("false_s", []).append(outside_s(marked(track[name], threshold), reference))
            if options.wer and name == "mean":
                row["wer"] = wer_at(threshold, references[0], options)
            rows.append(row)
            print(f"{name:20}{threshold:6}  " + "  ".join(f"{key} {row[key]}" for key in list(row)[2:]))
    return {"words": [len(words) for words in places], "rows": rows}


def words_placed(audio: Path, reference: Reference, options: argparse.Namespace) -> list[int]:
    if not reference.spoken:
        return []
    heard = [heard_by(engine, audio, options) for engine in options.engines if "whisperx" not in engine]
    return placed([align(reference, one) for one in heard])


def kept(spans: Sequence[Span], words: Sequence[int]) -> float | None:
    return round(100 * sum(map(Cover(spans).has, words)) / len(words), 1) if words else None


def wer_at(threshold: float, reference: Reference, options: argparse.Namespace) -> float:
    changed = argparse.Namespace(**{**vars(options), "set": [*options.set, f"SILERO_THRESHOLD={threshold}"]})
    heard = heard_by("ours", options.audio[0], changed)
    return score(reference, align(reference, heard), heard, ()).wer


# --- The command

RUNS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {"score": run_score, "curve": run_curve}


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.hearing", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", choices=RUNS)
    parser.add_argument("audio", type=Path, nargs="+", help="recordings of bench.compose, with their .json beside them")
    parser.add_argument("--cache", type=Path, required=True, metavar="DIR")
    parser.add_argument("--engines", type=lambda text: text.split(","), default=list(ENGINES))
    parser.add_argument("--shifts", type=lambda text: [float(one) for one in text.split(",")], default=[0.0])
    parser.add_argument("--model", type=Path, default=MODELS / "base")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="settings of ours")
    parser.add_argument("--wer", action="store_true", help="of the curve: recognise at each threshold")
    parser.add_argument("--again", action="store_true", help="have ours hear anew")
    parser.add_argument("--name", help="of the result's file")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    options = parse(argv)
    result = RUNS[options.run](options)
    about = {
        "name": f"hearing_{options.name or options.audio[0].stem}",
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": machine(),
        "model": options.model.name,
        "settings": options.set,
    }
    path = RESULTS / f"{about['name']}.json"
    path.write_text(json.dumps(about | result, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
