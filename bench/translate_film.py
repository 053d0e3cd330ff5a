"""Run a film job on Hindi speech, by each way into English: does it end well, keep the rules, and how near is it to
the references?

    python -m bench.translate_film --data DIR --indictrans2 MODEL

DIR holds `hi_commonvoice` with `translation_en` in its manifest; its clips with a reference become one recording, a
second apart. MODEL is INDICTRANS2_MODEL, left out to run Whisper's way alone. Results go to
bench/results/translate_film.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import unicodedata
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pysubs2

from bench.side_by_side import RESULTS, ROOT, machine
from sutradhar.pipeline import media
from sutradhar.stages.cues.check import check
from sutradhar.stages.cues.rules import rules_for
from sutradhar.stages.transcript import Span, Tracks, Transcript, load

GAP_MS = 1000


def make_recording(data: Path, target: Path, limit: int | None) -> list[tuple[Span, list[str]]]:
    """Write the clips that have a reference into one file; return where each lies, and its references."""
    rows = [json.loads(line) for line in (data / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    clips, sound = [], []
    done = 0
    for row in [row for row in rows if row.get("translation_en")][:limit]:
        samples = np.concatenate(list(media.decode(data / row["audio"])))
        clips.append((Span(done // 16, (done + len(samples)) // 16), row["translation_en"]))
        sound += [samples, np.zeros(16 * GAP_MS, np.int16)]
        done += len(samples) + 16 * GAP_MS
    with wave.open(str(target), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(np.concatenate(sound).astype("<i2").tobytes())
    return clips


def run_job(recording: Path, home: Path, name: str, options: list[str]) -> dict[str, Any]:
    environment = {**os.environ, "SUTRADHAR_HOME": str(home), "PYTHONPATH": str(ROOT)}
    command = [
        sys.executable,
        "-m",
        "sutradhar.pipeline.prepare.prepare",
        str(recording),
        "--translate",
        "-s",
        "hi",
        "-t",
        "en",
        "--job-id",
        name,
        "--run",
        *options,
    ]
    began = time.monotonic()
    child = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    return {"exit_code": child.returncode, "seconds": round(time.monotonic() - began, 1)}


def judge(recording: Path, home: Path, name: str, clips: list[tuple[Span, list[str]]]) -> dict[str, Any]:
    import sacrebleu

    job = home / "jobs" / name / "stages"
    (track,) = [track for track in load(job / "subtitles" / "tracks.json", Tracks).tracks if track.language == "en"]
    source = load(job / "align" / "transcript.json", Transcript)
    clip = Span(source.start_ms, source.start_ms + source.duration_ms)
    broken = [
        violation.rule for violation in check(track.cues, rules_for("netflix", "en", 24.0), clip) if violation.hard
    ]
    cues = pysubs2.load(str(home / "out" / name / f"{recording.stem}.en.srt"))
    said = ["" for _ in clips]
    for cue in cues:
        middle = (cue.start + cue.end) // 2
        nearest = min(
            range(len(clips)), key=lambda number: abs(clips[number][0].start_ms + clips[number][0].end_ms - 2 * middle)
        )
        said[nearest] += " " + cue.plaintext.replace("\n", " ")
    most = max(len(references) for _, references in clips)
    references = [[(references * most)[number] for _, references in clips] for number in range(most)]
    return {
        "note": track.note,
        "cues": len(track.cues),
        "hard_rules_broken": broken,
        "devanagari_characters": sum(
            "DEVANAGARI" in unicodedata.name(character, "") for cue in cues for character in cue.plaintext
        ),
        "missing": sum("[…]" in cue.plaintext for cue in cues),
        "chrf": round(sacrebleu.corpus_chrf([text.strip() for text in said], references).score, 2),
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.translate_film", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--indictrans2", default="")
    parser.add_argument("--model", default="base", help="of Whisper")
    parser.add_argument("--limit", type=int)
    options = parser.parse_args()
    ways = {"whisper": ["--translation-engine", "whisper"]}
    if options.indictrans2:
        ways["indictrans2"] = [
            "--translation-engine",
            "indictrans2",
            "--set",
            f"INDICTRANS2_MODEL={options.indictrans2}",
        ]
    results: dict[str, Any] = {"machine": machine()}
    with tempfile.TemporaryDirectory() as folder:
        home, recording = Path(folder) / "home", Path(folder) / "फ़िल्म.wav"
        home.mkdir()
        (home / "models").symlink_to(ROOT / "models")
        clips = make_recording(options.data / "hi_commonvoice", recording, options.limit)
        for name, arguments in ways.items():
            results[name] = run_job(recording, home, name, ["--model", options.model, *arguments])
            if results[name]["exit_code"] == 0:
                results[name] |= judge(recording, home, name, clips)
            print(name, results[name], flush=True)
    (RESULTS / "translate_film.json").write_text(
        json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return int(any(results[name]["exit_code"] for name in ways))


if __name__ == "__main__":
    sys.exit(main())
