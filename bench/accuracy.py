"""Compare the word error rate of our recogniser with WhisperX's, on the same files, weights and search.

    .venv/bin/python -m bench.accuracy --data DIR --limit 20

DIR holds a folder for each set with `manifest.jsonl`: a line a file, with `audio` (its path in the set), `text` and
`language`. Ours: speech detection and recognition as the stages do them. WhisperX: its Python API with its own
speech detection (pyannote), in a process of its own. Both: int8 on the CPU, beam 5. Results go to
bench/results/accuracy.json.
"""

from __future__ import annotations

import argparse
import json
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from bench.clips import SETS, Clip, cut_windows, read_clips, samples_of
from bench.scoring import Rates, figures, rates_in
from bench.side_by_side import RESULTS, ROOT, machine
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.models import library

ENGINES = ("ours", "whisperx")
THREADS = 2  # WhisperX's; ours finds out itself


@dataclass(frozen=True)
class Row:
    set: str
    files: int
    ours: Rates
    whisperx: Rates
    difference: tuple[float, float, float] | None  # of the WER, ours less WhisperX's, and the bounds of that (95 %)


# --- The engines, each in a process of its own


def recognise_ours(clips: Sequence[Clip], model: Path, settings: Settings) -> list[str]:
    """Recognise all clips in one stream of windows, so that batches fill across files."""
    from sutradhar.stages.recognisers.contract import AudioWindow
    from sutradhar.stages.recognisers.opening import open_recogniser

    resolved = library.resolve(str(model), "ct2", models_dir=ROOT / "models", offline=True)
    recogniser = open_recogniser(settings, resolved, translate=False, log=logging.getLogger())
    owner: list[int] = []
    texts: list[list[str]] = [[] for _ in clips]

    def windows() -> Iterator[AudioWindow]:
        for clip, window in cut_windows(clips, settings):
            owner.append(clip)
            yield window

    for recognition in sorted(recogniser.recognise(windows()), key=lambda recognition: recognition.window):
        texts[owner[recognition.window]].append(recognition.text)
    return [" ".join(parts) for parts in texts]


def recognise_whisperx(clips: Sequence[Clip], model: Path, settings: Settings) -> list[str]:
    import whisperx.asr

    pipelines: dict[str, Any] = {}
    texts = []
    for clip in clips:
        if clip.language not in pipelines:
            pipelines[clip.language] = whisperx.asr.load_model(
                str(model), "cpu", compute_type="int8", language=clip.language, threads=THREADS, local_files_only=True
            )
        done = pipelines[clip.language].transcribe(samples_of(clip), batch_size=settings.BATCH_SIZE)
        texts.append(" ".join(segment["text"].strip() for segment in done["segments"]))
    return texts


def run_engine(engine: str, arguments: argparse.Namespace) -> tuple[list[str], float]:
    """Return the texts of all clips, and the seconds that the process took."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "texts.json"
        command = [sys.executable, "-m", "bench.accuracy", *arguments.passed, "--engine", engine, "--out", str(out)]
        started = time.perf_counter()
        subprocess.run(
            command,
            cwd=ROOT,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if engine == "whisperx" else None,
        )
        return json.loads(out.read_text(encoding="utf-8")), time.perf_counter() - started


# --- The table


def compare(clips: Sequence[Clip], ours: Sequence[str], theirs: Sequence[str]) -> list[Row]:
    rows = []
    for name in dict.fromkeys(clip.set for clip in clips):
        picked = [index for index, clip in enumerate(clips) if clip.set == name]
        references, language = [clips[index].text for index in picked], clips[picked[0]].language
        scores = [figures(references, [texts[index] for index in picked], language) for texts in (ours, theirs)]
        difference = scores[0]["wer"].difference(scores[1]["wer"])
        rows.append(Row(name, len(picked), *map(rates_in, scores), difference))
    return rows


def table(rows: Sequence[Row]) -> str:
    heads = ("WER ours", "WhisperX", "CER ours", "WhisperX")
    lines = [f"{'':16}{'files':>6}" + "".join(f"{head:>10}" for head in heads) + f"{'WER, difference':>20}"]
    lines += [
        f"{row.set:16}{row.files:6}{row.ours.wer:10.2f}{row.whisperx.wer:10.2f}"
        f"{row.ours.cer:10.2f}{row.whisperx.cer:10.2f}{_shown(row.difference):>20}"
        for row in rows
    ]
    return "\n".join(lines)


def _shown(difference: tuple[float, float, float] | None) -> str:
    return f"{difference[0]:+.1f} [{difference[1]:+.1f} {difference[2]:+.1f}]" if difference else "-"


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.accuracy", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument(
        "--sets", type=lambda text: text.split(","), default=list(SETS), help=f"separated by commas ({','.join(SETS)})"
    )
    parser.add_argument("--limit", type=int, help="files of each set (all; 40 of tel_asterisk)")
    parser.add_argument(
        "--model", type=Path, default=ROOT / "models" / "base", help="folder of CTranslate2 weights (models/base)"
    )
    parser.add_argument("--temperatures", default=Settings().WHISPER_TEMPERATURE, help="of ours; WhisperX knows only 0")
    parser.add_argument("--engine", choices=ENGINES, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    arguments.passed = list(sys.argv[1:] if argv is None else argv)
    return arguments


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parse(argv)
    clips = read_clips(arguments.data, arguments.sets, arguments.limit)
    if arguments.engine:
        recognise = recognise_ours if arguments.engine == "ours" else recognise_whisperx
        texts = recognise(clips, arguments.model, Settings(WHISPER_TEMPERATURE=arguments.temperatures))
        arguments.out.write_text(json.dumps(texts, ensure_ascii=False), encoding="utf-8")
        return 0
    (ours, our_seconds), (theirs, their_seconds) = (run_engine(engine, arguments) for engine in ENGINES)
    rows = compare(clips, ours, theirs)
    print(table(rows))
    date = datetime.now(timezone.utc).isoformat(timespec="seconds")
    seconds = {"ours": round(our_seconds, 1), "whisperx": round(their_seconds, 1)}
    result = {
        "name": "accuracy",
        "date": date,
        "machine": machine(),
        "model": arguments.model.name,
        "beam": 5,
        "seconds": seconds,
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "accuracy.json"
    path.write_text(json.dumps(result | {"sets": [asdict(row) for row in rows]}, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
