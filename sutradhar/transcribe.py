"""`sutradhar transcribe`: files in, subtitles or text out, without a job."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sutradhar.pipeline.commands import Joined, Parser, as_path
from sutradhar.pipeline.errors import SutradharError, UsageError
from sutradhar.pipeline.processes.ending import exit_code_of, print_result
from sutradhar.pipeline.wording import escaped

if TYPE_CHECKING:
    from sutradhar.model import Model
    from sutradhar.result import Transcript

EXAMPLES = """\
examples:
  sutradhar transcribe film.mkv -l en -o film.srt
  sutradhar transcribe film.mkv -l hi --translate -o film.en.srt       into English, by Whisper itself
  sutradhar transcribe *.mp3 -f txt,json -d transcripts/               one model, many files
  sutradhar transcribe talk.m4a --start 10:00 --end 15:00 -o -         to standard output, as srt

Nothing is kept of it but the files, so what is interrupted begins anew; `sutradhar prepare` makes a job that goes on.

exit codes: 0 all done, 1 a file failed, 2 usage, settings or media, 130 interrupted
"""
STANDARD_OUTPUT = "-"


def make_parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="sutradhar transcribe",
        usage="sutradhar transcribe FILE [FILE ...] [option ...]",
        description="Write the subtitles or the text of films and recordings.",
        epilog=EXAMPLES,
        example="sutradhar transcribe film.mkv -l en -o film.srt",
    )
    parser.add_argument("files", metavar="FILE", nargs="+", help="films and recordings")
    parser.add_argument(
        "-l", "--language", metavar="LANG", help="language spoken: hi, hin, Hindi (default: found by listening)"
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="file to write, for one input; its suffix is the format; - prints it"
    )
    parser.add_argument(
        "-d",
        "--output-dir",
        metavar="DIR",
        default=".",
        help="folder for files named like the inputs, made if need be (default: here)",
    )
    parser.add_argument(
        "-f", "--formats", action=Joined, default="", metavar="LIST", help="srt, vtt, json, txt ... (default: srt)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files that are there")
    parser.add_argument(
        "-m",
        "--model",
        default="auto",
        help="a size (large-v3), a hub id or a folder (default: the best one that is here)",
    )
    parser.add_argument("--translate", action="store_true", help="write English instead")
    parser.add_argument("--prompt", default="", metavar="TEXT", help="names and terms, to steer spelling")
    parser.add_argument("--start", default="0", metavar="T", help="work from here on (90, 1:30, 00:01:30.500)")
    parser.add_argument("--end", metavar="T", help="work up to here")
    parser.add_argument("--audio-track", metavar="N|LANG", help="audio track, counted from 0, or its language")
    parser.add_argument(
        "--channels", choices=("mix", "split"), default="mix", help="split takes each channel as a speaker"
    )
    parser.add_argument(
        "--profile", default="netflix", help="rules that cues keep to; docs/subtitles.md lists the profiles"
    )
    machine = parser.add_argument_group("machine (default: what suits it)")
    machine.add_argument("--backend", default="auto", help="recogniser: whisperx, mlx ...")
    machine.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    machine.add_argument("--compute-type", default="auto", metavar="TYPE", help="int8, float16, float32 ...")
    machine.add_argument("--batch-size", default="auto", metavar="N", help="windows decoded at once")
    machine.add_argument("--max-memory-gb", type=float, metavar="GB", help="what the model and its batch may take")
    machine.add_argument("--models-dir", metavar="DIR", help="where models are")
    machine.add_argument("--offline", action="store_true", help="never ask a model hub")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    arguments = make_parser().parse_args(argv)
    failed: list[SutradharError] = []
    code = exit_code_of(lambda: _transcribe_all(arguments, failed), "the file in hand was not written")
    return code or (failed[0].exit_code if len(failed) == len(arguments.files) else 1 if failed else 0)


def _transcribe_all(arguments: argparse.Namespace, failed: list[SutradharError]) -> None:
    files = [as_path(text) for text in arguments.files]
    targets = _targets(arguments, files)
    from sutradhar.model import load

    logging.basicConfig(format="[WARN] %(message)s", level=logging.WARNING)
    chosen = {
        name: getattr(arguments, name)
        for name in ("backend", "device", "compute_type", "max_memory_gb", "models_dir", "offline")
    }
    with load(arguments.model, batch_size=_number(arguments.batch_size), **chosen) as model:
        for file in files:
            try:
                _write(_transcribe(model, file, arguments), targets[file], arguments)
            except SutradharError as error:
                failed.append(error)
                print(f"[ERROR] {escaped(str(error))}", file=sys.stderr)


def _number(text: str) -> int:
    """Read a batch size; `auto` passes as it is, and anything else is refused with the other settings."""
    return int(text) if text.isdecimal() else text  # type: ignore[return-value]


def _transcribe(model: Model, file: Path, arguments: argparse.Namespace) -> Transcript:
    result = model.transcribe(
        file,
        language=arguments.language,
        prompt=arguments.prompt,
        translate=arguments.translate,
        start=arguments.start,
        end=arguments.end,
        track=arguments.audio_track,
        channels=arguments.channels,
        progress=_show if sys.stderr.isatty() else None,
    )
    for line in result.warnings:
        print(f"[WARN] {escaped(f'{file.name}: {line}')}", file=sys.stderr)
    return result.translation or result


def _show(done: float, total: float) -> None:
    end = "\n" if done >= total else ""
    print(f"\r{100 * done / total if total else 100:3.0f} %", end=end, file=sys.stderr, flush=True)


def _write(result: Transcript, targets: Sequence[Path | None], arguments: argparse.Namespace) -> None:
    for target in targets:
        if target is None:
            print_result(result.to_string(_formats(arguments)[0], profile=arguments.profile).rstrip("\n"))
        else:
            print_result(
                str(
                    result.save(target, format=arguments.formats if arguments.output else "", profile=arguments.profile)
                )
            )


def _formats(arguments: argparse.Namespace) -> list[str]:
    """Return the formats that are asked for. Raises UsageError for an unknown one, before anything is loaded."""
    from sutradhar.stages.cues.formats import FORMATS

    suffix = Path(arguments.output or "").suffix.removeprefix(".")
    names = [name.strip().lower() for name in (arguments.formats or suffix or "srt").split(",")]
    if unknown := [name for name in names if name not in FORMATS]:
        raise UsageError(f"No format {', '.join(unknown)}; choose from {', '.join(FORMATS)}")
    return names


def _targets(arguments: argparse.Namespace, files: Sequence[Path]) -> dict[Path, list[Path | None]]:
    """Return the files to write for each input; None is standard output; the folder for them is made. Raises
    UsageError where that does not work out."""
    from sutradhar.stages.cues.rules import rules_for

    formats = _formats(arguments)
    rules_for(arguments.profile, "en", 24.0)
    if arguments.output and (len(files) > 1 or len(formats) > 1):
        raise UsageError("-o is for one file and one format; for more, give -d FOLDER and -f FORMATS")
    if arguments.output == STANDARD_OUTPUT:
        return {files[0]: [None]}
    folder = Path(arguments.output_dir)
    named = {
        file: [Path(arguments.output)] if arguments.output else [folder / f"{file.stem}.{form}" for form in formats]
        for file in files
    }
    every = [target for targets in named.values() for target in targets]
    if twice := next((target for number, target in enumerate(every) if target in every[:number]), None):
        raise UsageError(
            f"{twice} would be written twice, for inputs of the same name: give them one at a time, with -o"
        )
    if there := next((target for target in every if target.exists() and not arguments.overwrite), None):
        raise UsageError(f"{there} is there already: add --overwrite, or write elsewhere with -o or -d")
    if not arguments.output:
        folder.mkdir(parents=True, exist_ok=True)
    elif not every[0].parent.is_dir():
        raise UsageError(f"There is no folder {every[0].parent}: make it, or write elsewhere with -o or -d")
    return {file: list(targets) for file, targets in named.items()}


if __name__ == "__main__":
    from sutradhar.pipeline.processes.ending import end_with

    end_with(main)
