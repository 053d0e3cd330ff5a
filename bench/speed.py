"""Wall-clock time of prepare + run against the `whisperx` command, on a short clip and on ten minutes of speech.

    .venv/bin/python -m bench.speed --data DIR --runs 5

DIR holds en_librispeech and en_ljspeech, each with `manifest.jsonl` (`audio`, `duration`). Both commands use the same
weights (models/base), int8 on the CPU, beam 5 and batches of 8. `whisperx` runs with --no_align; ours times every word.
Needs ffmpeg on PATH for whisperx; ours brings its own. Results go to bench/results/speed_<clip>.json.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import wave
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

from bench.side_by_side import ROOT, compare, save, table
from sutradhar.pipeline import media

CLIPS = {"11s": 11.0, "10min": 600.0}
PAUSE = bytes(2 * media.SAMPLE_RATE)  # a second


def utterances(data: Path) -> Iterator[bytes]:
    """Yield read speech, over and over: 16-bit samples at 16 kHz."""
    files = [
        data / name / json.loads(line)["audio"]
        for name in ("en_librispeech", "en_ljspeech")
        for line in (data / name / "manifest.jsonl").read_text().splitlines()
    ]
    for path in cycle(files):
        yield b"".join(block.tobytes() for block in media.decode(path))


def write_clip(path: Path, data: Path, seconds: float) -> None:
    """Write utterances with a pause between them, cut off at the length asked for."""
    wanted = int(seconds * media.SAMPLE_RATE) * 2
    sound = bytearray()
    for utterance in utterances(data):
        sound += utterance + PAUSE
        if len(sound) >= wanted:
            break
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(media.SAMPLE_RATE)
        file.writeframes(sound[:wanted])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--clip", choices=tuple(CLIPS), action="append", help="only this one (repeatable)")
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="speed-") as folder:
        home = Path(folder)
        (home / "models").symlink_to(ROOT / "models")
        os.environ["SUTRADHAR_HOME"] = folder
        for name in arguments.clip or CLIPS:
            clip = home / f"{name}.wav"
            write_clip(clip, arguments.data, CLIPS[name])
            ours = f"./prepare-job.sh {clip} --transcribe -s en --model base --run"
            same = "--model models/base --compute_type int8 --device cpu --language en --beam_size 5"
            theirs = f".venv/bin/whisperx {clip} {same} --no_align --output_dir {folder}/whisperx"
            load = os.getloadavg()[0]
            comparison = compare(ours, theirs, arguments.runs)
            print(f"--- {name}")
            print(table(comparison))
            save(f"speed_{name}", comparison, load)
    return 0


if __name__ == "__main__":
    sys.exit(main())
