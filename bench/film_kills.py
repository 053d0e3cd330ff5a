"""Kill asr and translate of a film again and again; look whether they end with the same to the byte, and what was
done twice.

    .venv/bin/python -m bench.film_kills --data DIR --kills 50 --minutes 20

DIR holds en_librispeech and en_ljspeech, as for `bench.speed`. First each stage runs undisturbed. Then it is killed
with SIGKILL, the whole run or its stage alone in turn, at a random moment after it has begun to recognise or
translate, or after it has kept the first of that, and started again with the same command; after the last kill it
runs to its end. Every window that is begun, and every sentence that is handed to the generator, is counted in the
stage's own process: work done twice is what was begun beyond the undisturbed run.

There are no weights of IndicTrans2 in the registry, so translate runs the toy of tests/data/indictrans2, each batch
slowed down by `PAUSE` seconds and no more than `AT_ONCE` sentences, since the toy's are short; the film says the
sentences of the toy's phrase book. Results go to bench/results/film_kills.json.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.side_by_side import RESULTS, ROOT, machine
from bench.speed import write_clip

if TYPE_CHECKING:
    from sutradhar.stages.recognisers.contract import AudioWindow, Recognition

PHRASES = ROOT / "tests" / "data" / "indictrans2" / "phrasebook.tsv"

PAUSE = 0.2  # seconds that a batch of the toy takes longer
AT_ONCE = 8
SAID = 6  # sentences in a window
LONGEST = {"asr": 4.0, "translate": 0.5}  # seconds from the first that is begun or kept to the kill
COUNT = "SUTRADHAR_BENCH_COUNT"  # names the file that counts; a line for each call, with how much it began
CHILD = (
    sys.executable,
    "-c",
    "import sys; sys.path[:] = filter(None, sys.path); from bench.film_kills import counting_child; counting_child()",
)
ARTIFACTS = {"asr": "asr/transcript.json", "translate": "translate/transcripts.json"}


@dataclass(frozen=True)
class Repeated:
    """The outcome of one stage. Counts are of windows or of sentences."""

    stage: str
    kills: int
    went_on: int  # runs that began with pieces that were kept
    begun_undisturbed: int
    begun: int
    most_at_once: int  # that a kill may cost
    worst_kill: int  # what was begun and not kept by the worst
    identical: bool
    undisturbed_seconds: float
    left_over: int  # pieces that stay when all is done

    @property
    def good(self) -> bool:
        repeated = self.begun - self.begun_undisturbed
        return (
            self.identical
            and not self.left_over
            and repeated <= self.kills * self.most_at_once
            and self.worst_kill <= self.most_at_once
        )


# --- Within the processes that are killed


def counting_child() -> None:
    """Run a stage, counting what it begins."""
    from sutradhar.pipeline.running import child
    from sutradhar.stages.film.translate.indictrans2 import ct2, engine
    from sutradhar.stages.recognisers.whisper.decoding import Decoder

    recognise, generate = Decoder.recognise, ct2.CTranslate2.generate

    def counting_recognise(decoder: Decoder, window: AudioWindow) -> Iterator[Any]:
        _count(1)
        return _said_in(window) if window.language == "hi" else (yield from recognise(decoder, window))

    def counting_generate(translator: ct2.CTranslate2, sentences: Any, search: Any) -> Any:
        _count(len(sentences))
        time.sleep(PAUSE)
        return generate(translator, sentences, search)

    Decoder.recognise = counting_recognise  # type: ignore[method-assign]
    ct2.CTranslate2.generate = counting_generate  # type: ignore[method-assign]
    engine.SENTENCES_AT_ONCE = AT_ONCE
    child.main()


def _said_in(window: AudioWindow) -> Recognition:
    """Return sentences of the phrase book, one after the other, a second each."""
    from sutradhar.stages.recognisers.contract import Recognition
    from sutradhar.stages.transcript import Word

    lines = PHRASES.read_text(encoding="utf-8").splitlines()
    sentences = [
        lines[number % len(lines)].split("\t")[0] for number in range(SAID * window.id, SAID * (window.id + 1))
    ]
    phrases = tuple(
        (Word(f" {text}", window.offset_ms + 1000 * number, window.offset_ms + 1000 * number + 900, 0.9),)
        for number, text in enumerate(sentences)
    )
    return Recognition(window.id, " ".join(sentences), "hi", 1.0, phrases, confidence=0.7)


def _count(begun: int) -> None:
    with Path(os.environ[COUNT]).open("ab", buffering=0) as file:
        file.write(b"%d\n" % begun)


def run_counting(arguments: list[str]) -> int:
    from sutradhar.pipeline.running import run, stage_process

    stage_process.CHILD = CHILD
    return run.main(arguments)


# --- Jobs


class FilmJob:
    def __init__(self, home: Path, name: str, media: Path, stage: str, options: list[str]) -> None:
        self.home, self.name, self.stage = home, name, stage
        self.counted = home / f"{name}.count"
        self.environment = {
            **os.environ,
            "SUTRADHAR_HOME": str(home),
            "PYTHONPATH": str(ROOT),
            "PYTHONSAFEPATH": "1",
            COUNT: str(self.counted),
        }
        command = [sys.executable, "-m", "sutradhar.pipeline.prepare.prepare", str(media), "--job-id", name, *options]
        subprocess.run(command, env=self.environment, check=True, capture_output=True)

    def start(self, until: str = "") -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "bench.film_kills", "--run", "-j", self.name, "--until", until or self.stage]
        return subprocess.Popen(command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    @property
    def begun(self) -> list[int]:
        return [int(line) for line in self.counted.read_text().split()] if self.counted.exists() else []

    @property
    def folder(self) -> Path:
        return self.home / "jobs" / self.name

    def digest(self) -> str:
        return hashlib.sha256((self.folder / "stages" / ARTIFACTS[self.stage]).read_bytes()).hexdigest()

    def stage_process(self, runner: int) -> int:
        """Return the stage's process; the runner's own where it has none."""
        with contextlib.suppress(OSError, ValueError):
            children = Path(f"/proc/{runner}/task/{runner}/children").read_text().split()
            return next(
                (int(pid) for pid in children if b"counting_child" in Path(f"/proc/{pid}/cmdline").read_bytes()), runner
            )
        return runner


def kept(job: FilmJob, is_piece: Callable[[list[Any]], bool]) -> int:
    count = 0
    for path in job.folder.glob(f"pieces/{job.stage}/*.jsonl"):
        for line in path.read_bytes().split(b"\n")[:-1]:
            count += is_piece(json.loads(line.partition(b" ")[2]))
    return count


def kill_once(job: FilmJob, number: int, moment: float, is_piece: Callable[[list[Any]], bool]) -> bool:
    """Kill at a moment after the first is begun or, in two runs of four, after the first is kept. Returns False
    where all was done before that."""
    before, there = len(job.begun), kept(job, is_piece)
    runner = job.start()
    while runner.poll() is None and (kept(job, is_piece) == there if number % 4 < 2 else len(job.begun) == before):
        time.sleep(0.02)
    with contextlib.suppress(subprocess.TimeoutExpired):
        runner.wait(moment)
        return False
    os.kill(runner.pid if number % 2 else job.stage_process(runner.pid), signal.SIGKILL)
    runner.wait()
    time.sleep(0.1)  # the stage dies with its runner
    return True


def torment(
    undisturbed: FilmJob, tormented: FilmJob, kills: int, seed: int, end: float, is_piece: Callable[[list[Any]], bool]
) -> Repeated:
    """Kill again and again, but not after `end`, of `time.monotonic`."""
    began = time.monotonic()
    if code := undisturbed.start().wait():
        raise SystemExit(f"the undisturbed run ended with {code}")
    seconds = time.monotonic() - began
    moments, longest = random.Random(seed), LONGEST[tormented.stage]
    done, worst, before, went_on = 0, 0, 0, 0
    for number in range(kills):
        begun_before = sum(tormented.begun)
        if time.monotonic() > end or not kill_once(tormented, number, moments.uniform(0, longest), is_piece):
            break
        done += 1
        went_on += before > 0
        there = kept(tormented, is_piece)
        worst = max(worst, sum(tormented.begun) - begun_before - (there - before))
        before = there
        print(f"{tormented.stage}: kill {done}, {there} kept, {sum(tormented.begun)} begun", flush=True)
    if code := tormented.start().wait():
        raise SystemExit(f"the last run ended with {code}")
    return Repeated(
        stage=tormented.stage,
        kills=done,
        went_on=went_on,
        begun_undisturbed=sum(undisturbed.begun),
        begun=sum(tormented.begun),
        most_at_once=8 if tormented.stage == "asr" else max(undisturbed.begun),
        worst_kill=worst,
        identical=undisturbed.digest() == tormented.digest(),
        undisturbed_seconds=round(seconds, 1),
        left_over=len(list(tormented.folder.glob(f"pieces/{tormented.stage}/*"))),
    )


# --- The two stages


def torment_asr(home: Path, film: Path, kills: int, seed: int, end: float) -> Repeated:
    options = ["--transcribe", "-s", "en", "--model", "base"]
    undisturbed, tormented = (FilmJob(home, name, film, "asr", options) for name in ("asr-whole", "asr-killed"))
    return torment(undisturbed, tormented, kills, seed, end, lambda piece: piece[0].isdigit())


def torment_translate(home: Path, film: Path, kills: int, seed: int, end: float) -> Repeated:
    from sutradhar.stages.film.translate.indictrans2 import ct2

    (home / "toy").mkdir()
    ct2.convert(ROOT / "tests" / "data" / "indictrans2" / "toy", home / "toy", "float32")
    options = ["--translate", "-s", "hi", "-t", "en", "--model", "base", "--translation-engine", "indictrans2"]
    options += ["--set", f"INDICTRANS2_MODEL={home / 'toy'}", "--set", "INDICTRANS2_COMPUTE_TYPE=float32"]
    undisturbed, tormented = (
        FilmJob(home, name, film, "translate", options) for name in ("translate-whole", "translate-killed")
    )
    for job in (undisturbed, tormented):  # what comes before
        if code := job.start(until="align").wait():
            raise SystemExit(f"the run up to align ended with {code}")
        job.counted.unlink(missing_ok=True)
    return torment(undisturbed, tormented, kills, seed, end, lambda piece: piece[0].startswith("hi "))


TORMENTS = {"translate": torment_translate, "asr": torment_asr}


def main() -> int:
    if sys.argv[1:2] == ["--run"]:
        return run_counting(sys.argv[2:])
    parser = argparse.ArgumentParser(
        prog="python -m bench.film_kills", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--kills", type=int, default=50, help="of each stage")
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stage", choices=tuple(TORMENTS), action="append", help="only this one (repeatable)")
    parser.add_argument(
        "--at-most",
        type=float,
        default=120.0,
        metavar="MINUTES",
        help="no kills after so long; the last runs go to their end",
    )
    arguments = parser.parse_args()
    end = time.monotonic() + 60 * arguments.at_most
    with tempfile.TemporaryDirectory(prefix="film-kills-") as folder:
        home = Path(folder)
        (home / "models").symlink_to(ROOT / "models")
        film = home / "film.wav"
        write_clip(film, arguments.data, 60 * arguments.minutes)
        repeated = [
            torment(home, film, arguments.kills, arguments.seed, end)
            for torment in (TORMENTS[stage] for stage in arguments.stage or TORMENTS)
        ]
    for one in repeated:
        print(one)
    path = RESULTS / "film_kills.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    results |= {
        one.stage: {"machine": machine(), "minutes": arguments.minutes, "seed": arguments.seed, **asdict(one)}
        for one in repeated
    }
    path.write_text(json.dumps(results, indent=1) + "\n")
    return 0 if all(one.good for one in repeated) else 1


if __name__ == "__main__":
    sys.exit(main())
