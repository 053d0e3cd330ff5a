"""Error rates of the mlx and the whisperx backend on the same windows, with the same settings, on any machine.

    python -m bench.backends cut windows.npz --data DIR        here: windows as the vad stage cuts them
    python -m bench.backends run windows.npz --backend mlx --device cuda --compute-type float16 --beam 5 --out texts/
    python -m bench.backends table windows.npz texts/          here: the table, and bench/results/backends.json

`run` needs neither the sound files nor the packages that read and score them. DIR as for bench.accuracy; the set
multi_commonvoice counts how many languages are recognised.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.clips import SETS, cut_windows, read_clips
from sutradhar.pipeline.jobs.settings import Settings

if TYPE_CHECKING:
    from sutradhar.stages.recognisers.contract import AudioWindow

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = "multi_commonvoice"


def cut(path: Path, data: Path) -> None:
    clips = read_clips(data, (*SETS, LANGUAGES), None)
    windows, sound = [], []
    for clip, window in cut_windows(clips, Settings()):
        spans = [(span.start_ms, span.end_ms) for span in window.speech]
        windows.append({"clip": clip, "offset_ms": window.offset_ms, "samples": len(window.audio), "speech": spans})
        sound.append((window.audio * 32768).astype(np.int16))
    facts = {
        "clips": [{"set": clip.set, "text": clip.text, "language": clip.language} for clip in clips],
        "windows": windows,
    }
    np.savez_compressed(path, sound=np.concatenate(sound), facts=np.array(json.dumps(facts)))


def read(path: Path) -> tuple[list[dict[str, Any]], list[tuple[int, AudioWindow]]]:
    """Return the clips, and each window with its clip."""
    from sutradhar.stages.recognisers.contract import AudioWindow
    from sutradhar.stages.transcript import Span

    stored = np.load(path)
    facts, sound = json.loads(str(stored["facts"])), stored["sound"]
    windows, first = [], 0
    for number, window in enumerate(facts["windows"]):
        audio = sound[first : first + window["samples"]].astype(np.float32) / 32768
        first += window["samples"]
        speech = tuple(Span(*span) for span in window["speech"])
        windows.append(
            (
                window["clip"],
                AudioWindow(number, window["offset_ms"], audio, speech, facts["clips"][window["clip"]]["language"]),
            )
        )
    return facts["clips"], windows


def run(path: Path, options: argparse.Namespace) -> None:
    from sutradhar.pipeline.machine.engines import engine_of
    from sutradhar.pipeline.models import library
    from sutradhar.stages.recognisers.opening import open_recogniser

    clips, windows = read(path)
    settings = Settings(
        WHISPER_BACKEND=options.backend,
        WHISPERX_DEVICE=options.device,
        WHISPER_MODEL=options.model,
        WHISPER_COMPUTE_TYPE=options.compute_type,
        WHISPER_BEAM_SIZE=options.beam,
        BATCH_SIZE=options.batch,
        WHISPER_TEMPERATURE=options.temperatures,
        SOURCE_LANGUAGE="auto",
    )
    model = library.resolve(options.model, engine_of(options.backend).form, models_dir=options.models, offline=True)
    began = time.perf_counter()
    recogniser = open_recogniser(settings, model, translate=False, log=logging.getLogger())
    loaded = time.perf_counter()
    texts: list[list[str]] = [[] for _ in clips]
    owner = {window.id: clip for clip, window in windows}
    spoken: Iterator[AudioWindow] = (window for clip, window in windows if clips[clip]["set"] != LANGUAGES)
    for recognition in sorted(recogniser.recognise(spoken), key=lambda recognition: recognition.window):
        texts[owner[recognition.window]].append(recognition.text)
    decoded = time.perf_counter()
    first = {clip: window for clip, window in reversed(windows) if clips[clip]["set"] == LANGUAGES}
    heard = recogniser.detect_languages(list(first.values()))
    found = {
        "engine": recogniser.engine,
        "beam": options.beam,
        "temperatures": options.temperatures,
        "load_seconds": round(loaded - began, 2),
        "recognise_seconds": round(decoded - loaded, 2),
        "texts": [" ".join(parts) for parts in texts],
        "languages": {
            clip: max(one.languages, key=one.languages.__getitem__) for clip, one in zip(first, heard, strict=True)
        },
    }
    options.out.mkdir(exist_ok=True)
    fallback = "" if "," in options.temperatures else "-nofallback"
    name = f"{options.backend}-{options.model}-{options.compute_type}-beam{options.beam}{fallback}.json"
    (options.out / name).write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
    print(name, found["load_seconds"], "s to load,", found["recognise_seconds"], "s to recognise", flush=True)


def table(path: Path, folder: Path) -> None:
    from bench.scoring import rates

    clips, _ = read(path)
    rows = []
    for file in sorted(folder.glob("*.json")):
        found = json.loads(file.read_text(encoding="utf-8"))
        row: dict[str, Any] = {
            key: found[key]
            for key in ("engine", "beam", "temperatures", "load_seconds", "recognise_seconds")
            if key in found
        }
        for name in SETS:
            picked = [number for number, clip in enumerate(clips) if clip["set"] == name]
            row[name] = asdict(
                rates(
                    [clips[n]["text"] for n in picked],
                    [found["texts"][n] for n in picked],
                    clips[picked[0]]["language"],
                )
            )
        row["languages_right"] = sum(
            clips[int(clip)]["language"] == language for clip, language in found["languages"].items()
        )
        row["languages_of"] = len(found["languages"])
        rows.append(row)
        scores = "  ".join(f"{row[name]['wer']:6.2f}/{row[name]['cer']:5.2f}" for name in SETS)
        print(f"{file.stem:40} {scores}  {row['languages_right']}/{row['languages_of']}")
    result = ROOT / "bench" / "results" / "backends.json"
    result.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.backends", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    cutting = commands.add_parser("cut")
    cutting.add_argument("windows", type=Path)
    cutting.add_argument("--data", type=Path, required=True)
    running = commands.add_parser("run")
    running.add_argument("windows", type=Path)
    running.add_argument("--backend", choices=("mlx", "whisperx"), required=True)
    running.add_argument("--device", default="cuda")
    running.add_argument("--compute-type", default="float16")
    running.add_argument("--beam", type=int, default=5)
    running.add_argument("--batch", type=int, default=32)
    running.add_argument("--model", default="base")
    running.add_argument("--models", type=Path, default=ROOT / "models")
    running.add_argument("--temperatures", default=Settings().WHISPER_TEMPERATURE)
    running.add_argument("--out", type=Path, required=True)
    showing = commands.add_parser("table")
    showing.add_argument("windows", type=Path)
    showing.add_argument("texts", type=Path)
    options = parser.parse_args()
    if options.command == "cut":
        cut(options.windows, options.data)
    elif options.command == "run":
        run(options.windows, options)
    else:
        table(options.windows, options.texts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
