"""The options of `prepare-job.sh`."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

from sutradhar.pipeline.commands import Joined, Parser
from sutradhar.pipeline.machine import engines
from sutradhar.pipeline.workspace import VERSION
from sutradhar.stages.cues.formats import FORMATS
from sutradhar.stages.film.translate import registry

_LATER = next(engine.name for engine in engines.ENGINES.values() if engine.measures_memory)  # takes BATCH_SIZE=auto
EXAMPLES = f"""\
examples:
  ./prepare-job.sh film.mkv --transcribe -s hi                subtitles in the language spoken
  ./prepare-job.sh film.mkv --translate -s hi -t en           subtitles in English too
  ./prepare-job.sh film.mkv --translate -s hi -t en,ta,mr --glossary names.tsv
  ./prepare-job.sh film.mkv --transcribe -s hi --start 10:00 --end 15:00      try five minutes first
  ./prepare-job.sh film.mkv --transcribe -s auto --set WHISPER_BEAM_SIZE=1 --run
  job=$(./prepare-job.sh film.mkv --transcribe -s hi) && ./run-pipeline.sh -j "$job"
  for film in *.mkv; do ./prepare-job.sh "$film" --transcribe -s hi; done; ./run-pipeline.sh --all
  ./prepare-job.sh calls/ --transcribe -s en --glob '*.wav' --min-bytes 1024 --run     \
a folder of recordings, to transcripts
  ./prepare-job.sh calls/ --transcribe -s en --shuffle --limit 500                     try 500 of them, taken at random

The job id is the only line on standard output. Settings are written to jobs/<job-id>/.<job-id>.env: look at them,
change them, then run. A job keeps its backend, also when ./install-mlx.sh comes later. \
To change it, edit that file, or:
  ./run-pipeline.sh -j JOB --set WHISPER_BACKEND={_LATER} --set WHISPERX_DEVICE=DEVICE \
--set WHISPER_COMPUTE_TYPE=float16 --set BATCH_SIZE=auto
DEVICE is mps on a Mac with Apple Silicon, and cuda with an NVIDIA GPU. \
On a CPU it is cpu, with WHISPER_COMPUTE_TYPE=float32.

exit codes: 0 prepared (with --run: done), 2 it cannot work and why; with --run also those of run-pipeline.sh
"""


class ListSettings(argparse.Action):
    """Print every setting, those of stages too, and end the command."""

    def __call__(self, parser: argparse.ArgumentParser, *ignored: Any, **options: Any) -> NoReturn:
        from sutradhar.pipeline.jobs.settings import listing

        print(listing())
        parser.exit()


def make_parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="prepare-job.sh",
        usage="prepare-job.sh MEDIA (--transcribe | --translate) -s LANG [option ...]",
        description="Prepare a job: check the media file, choose the settings for this machine, "
        "and write them into a file that you can edit.",
        epilog=EXAMPLES,
        example="./prepare-job.sh film.mkv --transcribe -s hi",
    )
    _add_media(parser)
    _add_recogniser(parser)
    _add_settings(parser)
    _add_recordings(parser.add_argument_group("folders of recordings"))
    parser.add_argument(
        "--job-id", default="", metavar="ID", help="name of the job (default: date, title and a number)"
    )
    parser.add_argument("--run", action="store_true", help="run the job at once")
    parser.add_argument("--version", action="version", version=f"Sutradhar {VERSION}")
    return parser


def _add_media(parser: Parser) -> None:
    parser.add_argument(
        "media", metavar="MEDIA", nargs="?", help="film or recording, one a job; or a folder of recordings"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--transcribe",
        dest="workflow",
        action="store_const",
        const="transcribe",
        help="subtitles in the language spoken",
    )
    what.add_argument(
        "--translate",
        dest="workflow",
        action="store_const",
        const="translate",
        help="subtitles in other languages as well",
    )
    parser.add_argument(
        "-s", "--source-language", default="", metavar="LANG", help="language spoken: hi, hin, Hindi, or auto"
    )
    parser.add_argument(
        "-t",
        "--target-language",
        action=Joined,
        default="",
        metavar="LANG[,LANG]",
        help="languages to translate to (default: en)",
    )
    parser.add_argument(
        "--translation-engine",
        type=str.lower,
        metavar=f"{{{','.join(('auto', *registry.NAMES, registry.WHISPER))}}}",
        default="",
        help=f"auto (default) takes {' or '.join(registry.NAMES)} where it knows the languages and its model is here,"
        " else whisper, which knows English alone",
    )
    parser.add_argument(
        "--glossary",
        metavar="FILE",
        help="names and terms, a line each: source, TAB, target; samples/glossary.tsv explains it",
    )
    parser.add_argument("--start", default="", metavar="T", help="work from here on (90, 1:30, 00:01:30.500)")
    parser.add_argument("--end", default="", metavar="T", help="work up to here")
    parser.add_argument(
        "--audio-track",
        default="",
        metavar="N|LANG",
        help="audio track, counted from 0, or its language (default: the source language's)",
    )


def _add_recogniser(parser: Parser) -> None:
    parser.add_argument("--model", default="", help="Whisper model: a size such as large-v3, a hub id, or a folder")
    parser.add_argument(
        "--backend",
        type=str.lower,
        default="",
        help=f"recogniser: {', '.join(engines.ENGINES)} (default: what suits this machine)",
    )
    parser.add_argument(
        "--device",
        type=str.lower,
        choices=("cpu", "cuda", "mps"),
        help="where recognition runs (default: what suits this machine)",
    )


def _add_settings(parser: Parser) -> None:
    parser.add_argument(
        "--channels", choices=("mix", "split"), default="", help="split takes each channel of stereo as a speaker"
    )
    of_files = f"files to write: {','.join(FORMATS)} (default: all; for folders txt,json)"
    parser.add_argument("--formats", default="", metavar="LIST", help=of_files)
    parser.add_argument(
        "--allow-truncated", action="store_true", help="accept a file that ends before its container says it does"
    )
    parser.add_argument("--offline", action="store_true", help="never ask a model hub")
    other = "any other setting (repeatable); --list-settings tells of all"
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="changes", help=other)
    all_settings = "print every setting of a job with its default and meaning, and exit"
    parser.add_argument("--list-settings", action=ListSettings, nargs=0, help=all_settings)


def _add_recordings(corpus: argparse._ArgumentGroup) -> None:
    corpus.add_argument(
        "--from-list", metavar="FILE", help="instead of a folder: a file that names recordings, a path a line"
    )
    corpus.add_argument(
        "--glob", action=Joined, default="", metavar="PATTERN", help="only files with such names: '*.wav' (repeatable)"
    )
    corpus.add_argument("--min-bytes", default="", metavar="N", help="smaller files count as empty")
    corpus.add_argument("--limit", default="", metavar="N", help="work on so many of them")
    corpus.add_argument(
        "--shuffle",
        nargs="?",
        const="1",
        default="",
        metavar="SEED",
        help="in random order instead of the longest first",
    )
    corpus.add_argument(
        "--timestamps", choices=("word", "segment", "none"), default="", help="times in the results (default: segment)"
    )
    corpus.add_argument(
        "--executor", choices=("local", "ray"), default="", help="who runs the workers (default: local)"
    )
    corpus.add_argument(
        "--workers", default="", metavar="N", help="processes that recognise (default: one for each GPU)"
    )
