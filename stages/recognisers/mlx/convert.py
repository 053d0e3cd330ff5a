"""The converter: a Whisper model of another form, or one to be quantised, as a folder that MLX loads.

`python -m sutradhar.stages.recognisers.mlx.convert --help`. It checks the written model by decoding; nothing is
left where that fails.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sutradhar.pipeline.commands import Parser
from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.files import record
from sutradhar.pipeline.models import downloads, library
from sutradhar.pipeline.models.folder import FORMS, folder_name
from sutradhar.pipeline.processes.ending import end_with, exit_code_of
from sutradhar.pipeline.wording import escaped
from sutradhar.pipeline.workspace import Workspace
from sutradhar.stages.recognisers.conversion import provenance

if TYPE_CHECKING:
    from sutradhar.stages.recognisers.mlx.conversion.original import Original
    from sutradhar.stages.recognisers.mlx.conversion.writing import NumberFormat

FORM = "mlx"
WEIGHTS = {  # the files that tell a form
    "model.safetensors": "hf",
    "model.safetensors.index.json": "hf",
    "model.bin": "ct2",
    "weights.safetensors": "mlx",
    "weights.npz": "mlx",
}
PLAIN_NAME = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)
EXAMPLES = """\
examples:
  scripts/convert-model.sh base                         models/base-mlx, of the starter model
  scripts/convert-model.sh large-v3 --bits 4            models/large-v3-q4-mlx: WHISPER_MODEL=large-v3-q4
  scripts/convert-model.sh ./my-finetune                a folder with model.safetensors, as transformers saves it
  scripts/convert-model.sh ~/.cache/whisper/small.pt    OpenAI's own weights
"""


def readers() -> dict[str, Callable[[Path], Original]]:
    """Return the readers by form. Importing them brings MLX into memory."""
    from sutradhar.stages.recognisers.mlx.conversion import ct2, huggingface, mlx_folder, openai

    return {"ct2": ct2.read, "hf": huggingface.read, "mlx": mlx_folder.read, "pt": openai.read}


def read(path: Path) -> tuple[str, Original]:
    """Return the form's name, and the model. Raises UsageError."""
    form = _form_of(path)
    try:
        return form, readers()[form](path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except UsageError as error:
        raise UsageError(f"{path} cannot be converted: {error}") from None


def _form_of(path: Path) -> str:
    if path.suffix == ".pt":
        return "pt"
    for file, form in WEIGHTS.items():
        if (path / "config.json").is_file() and (path / file).is_file():
            return form
    raise UsageError(
        f"{path} is no model to convert:"
        f" that is a .pt file of OpenAI's, or a folder with config.json and one of {', '.join(WEIGHTS)}."
        " Have pytorch_model.bin saved as safetensors first"
    )


def convert(path: Path, target: Path, numbers: NumberFormat) -> None:
    """Make `target` out of the file or folder `path`. Raises UsageError, SutradharError."""
    import mlx.core as mx

    from sutradhar.stages.recognisers.mlx.conversion import writing

    provenance.refuse_within(target, path)
    # On the CPU: GPUs may multiply float32 with fewer digits, which would hide an error of the size looked for.
    with downloads.place_for(target, FORM, _say) as place, mx.stream(mx.cpu):
        if place is None:
            provenance.refuse_another(target, path, _form_of(path), numbers.full_name)
            _say(f"{target} is here already; remove it to make it anew")
            return
        form, original = read(path)
        made_of = provenance.describe(path, form, numbers.full_name)
        _say(f"Converting {path} ({form}) to {target} ({numbers.name})")
        writing.write(place, original, numbers)
        apart = writing.check(place, original, numbers)
        allowed = f"{numbers.name} may be up to {100 * numbers.tolerance:g}% off"
        _say(f"Checked by decoding noise: the encoded sound is {apart:.2%} off the original's, where {allowed}")
        release, licence = provenance.origin(path)
        files = {name: record(place / name) for name in writing.FILES}
        downloads.write_source(place, release, FORM, f"converted from {form}, {numbers.name}", licence, files, made_of)


def _say(message: str) -> None:
    print(f"[INFO] {escaped(message)}", file=sys.stderr, flush=True)


# --- The command


def _locate(source: str, models_dir: Path) -> tuple[Path, str]:
    """Return the file or folder, and a name for it; a named model is fetched where it is missing. Raises
    UsageError."""
    if source.endswith(".pt"):
        path = Path(source).expanduser().resolve()
        if not path.is_file():
            raise UsageError(f"There is no file {path}")
        return path, path.stem
    if library.is_folder(source):
        path = Path(source).expanduser().resolve()
        if not path.is_dir():
            raise UsageError(f"There is no folder {path}")
        return path, path.name
    if quantised := library.QUANTISED.fullmatch(source):
        raise UsageError(f"Name the model to quantise, and the bits: {quantised[1]} --bits {quantised[2]}")
    here = library.find_original(source, FORM, models_dir=models_dir) or library.find(
        source, FORM, models_dir=models_dir
    )
    found = here or library.resolve(source, "ct2", models_dir=models_dir, offline=False, say=_say)
    return found.path, folder_name(found.name)


def _target(output: str, name: str, numbers: NumberFormat, models_dir: Path) -> Path:
    if library.is_folder(output):
        target = Path(output).expanduser().resolve()
        if not target.parent.is_dir():
            raise UsageError(
                f"There is no folder {target.parent} to put {target.name} into; make it, or choose another --output"
            )
        return target
    if output:
        if not PLAIN_NAME.fullmatch(output):
            raise UsageError(
                f"--output {output!r} is neither a name (letters, digits, '.', '_', '-') nor a folder (./{output})"
            )
        return (models_dir / output).resolve()
    suffix = f"-q{numbers.bits}" if numbers.bits else "-fp32" if numbers.dtype == "float32" else ""
    return (models_dir / f"{name}{suffix}-{FORM}").resolve()


def _name_of(target: Path, models_dir: Path) -> str:
    """Return its name on a command line: the shortest name that finds it."""
    for name in (target.name.removesuffix(f"-{FORM}"), target.name):
        found = None if library.is_folder(name) else library.find(name, FORM, models_dir=models_dir)
        if found and found.path == target:
            return name
    return shlex.quote(str(target))


def make_parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="scripts/convert-model.sh",
        description="Make a Whisper model for MLX out of CTranslate2's form, Hugging Face's or OpenAI's,"
        " or quantise one. Prints its folder.",
        epilog=EXAMPLES,
        example="scripts/convert-model.sh base",
    )
    parser.add_argument(
        "source", metavar="SOURCE", help="a size or a name in models/, a folder (./NAME), or a .pt file"
    )
    parser.add_argument("--bits", type=int, choices=(4, 8), default=0, help="quantise: smaller and faster, less exact")
    parser.add_argument(
        "--dtype", choices=("float16", "float32"), default="float16", help="of what is not quantised (default: float16)"
    )
    parser.add_argument(
        "--output", metavar="DIR|NAME", default="", help="NAME: in models/ (default: models/SOURCE[-q4|-q8|-fp32]-mlx)"
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    arguments = make_parser().parse_args(argv)
    os.umask(0o077)  # folders 0700, files 0600, as where a job converts
    return exit_code_of(lambda: _convert_named(arguments, Workspace.find().models), "nothing was written")


def work(argv: Sequence[str]) -> None:
    """Convert for a process that has called this one. Raises UsageError, SutradharError."""
    _convert_named(make_parser().parse_args(argv), Workspace.find().models)


def _convert_named(arguments: argparse.Namespace, models_dir: Path) -> None:
    if not library.can_convert(FORM):
        converter = FORMS[FORM].converter
        raise UsageError(converter.remedy if converter else "")
    from sutradhar.stages.recognisers.mlx.conversion.writing import NumberFormat

    numbers = NumberFormat(arguments.dtype, arguments.bits)
    path, name = _locate(arguments.source, models_dir)
    target = _target(arguments.output, name, numbers, models_dir)
    convert(path, target, numbers)
    _say(
        f"Next: ./prepare-job.sh FILM --transcribe -s LANGUAGE --backend {FORM} --model {_name_of(target, models_dir)}"
    )
    print(target)


if __name__ == "__main__":
    end_with(main)
