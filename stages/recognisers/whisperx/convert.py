"""Makes CTranslate2's form of a Whisper that transformers has saved:
`python -m sutradhar.stages.recognisers.whisperx.convert --help`.

Weights come from safetensors alone, and no code in the folder is run. What is written is checked by decoding;
nothing is left where that fails.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.files import record
from sutradhar.pipeline.models import downloads
from sutradhar.pipeline.models.content import read_json
from sutradhar.pipeline.models.folder import problem
from sutradhar.pipeline.processes.ending import end_with, exit_code_of
from sutradhar.pipeline.wording import escaped
from sutradhar.stages.recognisers.conversion import provenance
from sutradhar.stages.recognisers.conversion.decoded import (
    by_ctranslate,
    by_transformers,
    difference,
    noise,
    refuse_beyond,
)

if TYPE_CHECKING:
    from ctranslate2.converters import TransformersConverter

FORM, ORIGINAL = "ct2", "hf"
NUMBERS = "float16"  # on the disk; the engine makes others of it when it loads the model
# The allowed distance of the copy from its original, as a share of the spread of the numbers: twice what was seen
# of Whisper base, whose weights are float16 already, and of random ones (3e-3).
ALLOWED = 1e-2
TOKENIZER, SLOW_TOKENIZER = "tokenizer.json", ("vocab.json", "merges.txt")
FEATURES = "preprocessor_config.json"


def convert(original: Path, target: Path) -> None:
    """Convert a folder. Raises UsageError, SutradharError."""
    provenance.refuse_within(target, original)
    with downloads.place_for(target, FORM, _say) as place:
        if place is None:
            provenance.refuse_another(target, original, ORIGINAL, NUMBERS)
            _say(f"{target} is here already; remove it to make it anew")
            return
        _check_original(original)
        made_of = provenance.describe(original, ORIGINAL, NUMBERS)
        _write(original, place)
        _say(f"Checked by decoding a second: what it hears is {_check(original, place):.2%} off the original's")
        release, licence = provenance.origin(original)
        files = {path.name: record(path) for path in sorted(place.iterdir())}
        downloads.write_source(place, release, FORM, f"converted from {ORIGINAL}, {NUMBERS}", licence, files, made_of)


def _check_original(folder: Path) -> None:
    """Raise UsageError for a folder that is no Whisper, and for a model whose tokens have no names."""
    if reason := problem(folder, ORIGINAL):
        raise UsageError(f"{folder} cannot be converted: {reason}")
    kind = read_json(folder / "config.json").get("model_type")
    if kind != "whisper":
        raise UsageError(f"{folder} cannot be converted: config.json calls it {kind!r}, not 'whisper'")
    if not (folder / TOKENIZER).is_file() and not all((folder / name).is_file() for name in SLOW_TOKENIZER):
        wanted = f"{TOKENIZER}, or {' and '.join(SLOW_TOKENIZER)}"
        raise UsageError(
            f"{folder} cannot be converted: it has no tokenizer ({wanted}); copy that of the model it was tuned from"
        )


def _write(original: Path, place: Path) -> None:
    """Write the model. Raises UsageError for files that the libraries cannot read: damaged weights, and others
    than Whisper's."""
    made = place / "made"
    try:
        _converter(original).convert(str(made), quantization=NUMBERS)
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise UsageError(f"{original} cannot be converted: {_first_line(error)}") from None
    for path in made.iterdir():
        path.rename(place / path.name)
    made.rmdir()
    if (original / TOKENIZER).is_file():
        shutil.copyfile(original / TOKENIZER, place / TOKENIZER)
    else:
        _fast_tokenizer(original).backend_tokenizer.save(str(place / TOKENIZER))
    if (original / FEATURES).is_file():
        shutil.copyfile(original / FEATURES, place / FEATURES)


def _converter(original: Path) -> TransformersConverter:
    import transformers
    from ctranslate2.converters import TransformersConverter

    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]

    class SafeConverter(TransformersConverter):  # type: ignore[misc]  # CTranslate2 has no types
        def load_model(self, model_class: Any, model_name_or_path: str, **kwargs: Any) -> Any:
            return model_class.from_pretrained(
                model_name_or_path, use_safetensors=True, local_files_only=True, trust_remote_code=False, **kwargs
            )

        def load_tokenizer(self, tokenizer_class: Any, model_name_or_path: str, **kwargs: Any) -> Any:
            return _fast_tokenizer(Path(model_name_or_path))

    return SafeConverter(str(original), low_cpu_mem_usage=True)


def _fast_tokenizer(folder: Path) -> Any:
    from transformers import WhisperTokenizerFast

    return WhisperTokenizerFast.from_pretrained(str(folder), local_files_only=True)


def _check(original: Path, made: Path) -> float:
    """Decode the same sound with both, and return the distance of the results. Raises SutradharError where it is
    too large."""
    mel = noise(int(read_json(original / "config.json").get("num_mel_bins", 80)))
    found = by_ctranslate(made, mel)
    expected = by_transformers(original, mel, found.tokens)
    heard = float(difference(found.encoded, expected.encoded).mean())
    refuse_beyond(ALLOWED, "the sound", heard)
    refuse_beyond(ALLOWED, "the text", float(difference(found.logits, expected.logits).mean()))
    return heard


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def _say(message: str) -> None:
    print(f"[INFO] {escaped(message)}", file=sys.stderr, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    os.umask(0o077)
    return exit_code_of(lambda: work(argv), "nothing was written")


def work(argv: Sequence[str] | None) -> None:
    """Convert as the command line says. Raises UsageError, SutradharError."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, help="folder with model.safetensors, as transformers saves it")
    parser.add_argument("--output", type=Path, required=True, help="folder to make")
    arguments = parser.parse_args(argv)
    convert(arguments.source.resolve(), arguments.output.resolve())


if __name__ == "__main__":
    end_with(main)
