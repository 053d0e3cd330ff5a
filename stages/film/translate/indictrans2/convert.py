"""Makes CTranslate2's form of an IndicTrans2 checkpoint:
`python -m sutradhar.stages.film.translate.indictrans2.convert --help`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.files import record
from sutradhar.pipeline.models import downloads
from sutradhar.pipeline.models.folder import problem, read_source
from sutradhar.pipeline.models.form import Release
from sutradhar.pipeline.processes.ending import end_with, exit_code_of
from sutradhar.pipeline.wording import escaped

ORIGINAL = "indictrans2"


def convert(checkpoint: Path, target: Path, form: str) -> None:
    """Convert a checkpoint; `form` is `indictrans2-int8` or the like. Raises UsageError."""
    from sutradhar.stages.film.translate.indictrans2 import ct2

    if reason := problem(checkpoint, ORIGINAL):
        raise UsageError(f"{checkpoint} is no IndicTrans2 checkpoint: {reason}")
    with downloads.place_for(target, form, _say) as place:
        if place is None:
            return
        quantization = form.removeprefix(f"{ORIGINAL}-")
        ct2.convert(checkpoint, place, quantization)
        source = read_source(checkpoint)
        release = Release(source.repo, source.revision) if source else Release(checkpoint.name)
        files = {path.name: record(path) for path in sorted(place.iterdir())}
        downloads.write_source(
            place,
            release,
            form,
            f"converted from {ORIGINAL}, {quantization}",
            source.licence if source else "not stated",
            files,
        )


def _say(message: str) -> None:
    print(f"[INFO] {escaped(message)}", file=sys.stderr, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    os.umask(0o077)
    return exit_code_of(lambda: work(argv), "nothing was written")


def work(argv: Sequence[str] | None) -> None:
    """Run the command. Raises UsageError, SutradharError."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, help="folder of the checkpoint")
    parser.add_argument("--output", type=Path, required=True, help="folder to make")
    parser.add_argument(
        "--form", choices=[f"{ORIGINAL}-{numbers}" for numbers in ("int8", "float16", "float32")], required=True
    )
    arguments = parser.parse_args(argv)
    convert(arguments.source.resolve(), arguments.output.resolve(), arguments.form)


if __name__ == "__main__":
    end_with(main)
