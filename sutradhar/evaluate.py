"""`sutradhar eval`: what was recognised, judged by a reference."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sutradhar.pipeline.commands import Parser, as_path
from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.processes.ending import end_with, exit_code_of

if TYPE_CHECKING:
    from sutradhar.stages.evaluate.evaluation import Evaluation
    from sutradhar.stages.evaluate.version import Version

EXAMPLES = """\
examples:
  ./scripts/evaluate.sh reference.txt film.srt                 word and character errors
  ./scripts/evaluate.sh words.json film.json                   and what was not heard, word times, cues
  ./scripts/evaluate.sh film.stm ours.json whisperx.json       side by side; the others are compared with the first
  ./scripts/evaluate.sh references/ calls-job --json -         a job, against files of the same names
  ./scripts/evaluate.sh film.en.srt film-job --translation     SubER, chrF++ and BLEU

Both sides are files ({suffixes}), folders of them, or jobs. What they have decides what
is measured. In a reference, (words in brackets) may be heard or not, and [ignore] stands for anything.

exit codes: 0 judged, 1 a file cannot be read, 2 usage, or a file that is not what its name says
"""
STANDARD_OUTPUT = "-"
MAX_FPS = 1000


def make_parser() -> argparse.ArgumentParser:
    from sutradhar.stages.evaluate.readers import readers

    parser = Parser(
        prog="./scripts/evaluate.sh",
        usage="./scripts/evaluate.sh REFERENCE SYSTEM [SYSTEM ...] [option ...]",
        description="Judge what was recognised by a reference: errors, times, coverage, speakers, subtitles.",
        epilog=EXAMPLES.format(suffixes=", ".join(readers())),
        example="./scripts/evaluate.sh reference.srt film.srt",
    )
    parser.add_argument("reference", metavar="REFERENCE", help="file or folder with what is said")
    parser.add_argument("systems", metavar="SYSTEM", nargs="+", help="files, folders or jobs to judge")
    parser.add_argument("-l", "--language", metavar="LANG", default="", help="language of the texts (default: as told)")
    parser.add_argument(
        "--normaliser",
        metavar="NAME",
        default="auto",
        help="english, unicode or spelling (default: english for English, unicode for others)",
    )
    parser.add_argument(
        "--variants", metavar="FILE", help="spellings that count as the same: a line a word, parted by tabs"
    )
    parser.add_argument("--translation", action="store_true", help="judge a translation by SubER, chrF++ and BLEU")
    parser.add_argument("--profile", default="netflix", help="rules that cues are checked by (netflix)")
    parser.add_argument("--fps", type=float, default=24.0, help="frames a second, which some rules count (24)")
    parser.add_argument("--json", metavar="FILE", help="write all figures as JSON; - prints it, and no table")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    arguments = make_parser().parse_args(argv)
    return exit_code_of(lambda: _evaluate(arguments), "nothing was written")


def _evaluate(arguments: argparse.Namespace) -> None:
    from sutradhar.pipeline.files import json_document, write_atomic
    from sutradhar.pipeline.wording import escaped_json
    from sutradhar.stages.evaluate.table import document_of, table_of

    _check(arguments)
    evaluation = _judged(arguments)
    if arguments.json == STANDARD_OUTPUT:
        sys.stdout.write(escaped_json(json_document(document_of(evaluation))).decode())
        return
    sys.stdout.write(table_of(evaluation))
    if arguments.json:
        write_atomic(Path(arguments.json), json_document(document_of(evaluation)))


def _check(arguments: argparse.Namespace) -> None:
    """Raise UsageError for numbers and places that will not do, before there is anything to wait for."""
    if not 0 < arguments.fps < MAX_FPS:
        raise UsageError(f"--fps {arguments.fps:g}: give frames a second, such as 25")
    folder = Path(arguments.json or STANDARD_OUTPUT).absolute().parent
    if not folder.is_dir():
        raise UsageError(f"--json {arguments.json}: there is no folder {folder}")


def _judged(arguments: argparse.Namespace) -> Evaluation:
    from sutradhar.pipeline.languages import parse
    from sutradhar.stages.cues.rules import rules_for
    from sutradhar.stages.evaluate.evaluation import evaluate
    from sutradhar.stages.evaluate.measures import Conditions
    from sutradhar.stages.evaluate.normalise import NORMALISERS, normaliser_for
    from sutradhar.stages.evaluate.recordings import read_recordings
    from sutradhar.stages.evaluate.variants import read_variants

    wanted = parse(arguments.language) if arguments.language else ""
    reference = read_recordings(_place(arguments.reference), wanted)
    language = wanted or _language_of(reference)
    normaliser = normaliser_for(arguments.normaliser, language)
    conditions = Conditions(
        language,
        normaliser,
        read_variants(as_path(arguments.variants), NORMALISERS[normaliser]) if arguments.variants else {},
        is_translation=arguments.translation,
        profile=arguments.profile,
        fps=arguments.fps,
    )
    rules_for(arguments.profile, language, arguments.fps)
    systems = dict(zip(_names(arguments.systems), arguments.systems, strict=True))
    found = {name: read_recordings(_place(text), language) for name, text in systems.items()}
    return evaluate(reference, found, conditions)


def _language_of(recordings: Mapping[str, Version]) -> str:
    """Return the language that most of the recordings say they are in, or else the usual one of their script."""
    from collections import Counter

    from sutradhar.stages.text.scripts import likely_language

    told = Counter(version.language for version in recordings.values() if version.language)
    if told:
        return told.most_common(1)[0][0]
    return likely_language(" ".join(one.text for version in recordings.values() for one in version.utterances))


def _names(systems: Sequence[str]) -> list[str]:
    """Return a name for each system: the last part of its path where that tells it from the others."""
    last = [Path(text).name or text for text in systems]
    names = last if len(set(last)) == len(last) else list(systems)
    if len(set(names)) < len(names):
        raise UsageError("The same system is named twice")
    return names


def _place(text: str) -> Path:
    """Return the path of a file or folder, or the folder of a job's results. Raises UsageError for neither."""
    path = as_path(text)
    if path.exists():
        return path
    from sutradhar.pipeline.jobs.job import find_job
    from sutradhar.pipeline.workspace import Workspace

    try:
        return find_job(Workspace.find(), text).deliverables
    except UsageError as error:
        raise UsageError(f"{text}: no such file or folder; as a job: {error}") from None


if __name__ == "__main__":
    end_with(main)
