"""Find what is wrong inside a model folder, as far as it shows without loading the model.

Checks are cheap, since a folder is looked at whenever a job is prepared: they read a configuration and the table of
contents of the weights, never the weights.
"""

from __future__ import annotations

import contextlib
import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import msgspec

from sutradhar.pipeline.errors import UsageError

# Of a Whisper: fields of `ModelDimensions` in OpenAI's whisper/model.py.
DIMENSIONS = (
    "n_mels", "n_audio_ctx", "n_audio_state", "n_audio_head", "n_audio_layer",
    "n_vocab", "n_text_ctx", "n_text_state", "n_text_head", "n_text_layer"
)  # fmt: skip
HEAD_WIDTH = 64  # of every Whisper of OpenAI's; no other can be decoded here
CT2_VERSIONS = range(4, 7)  # of the file; before 4 it did not say which type a number has
UNKNOWN = -1
WORDS = "decoder/embeddings/weight"  # the table of words in a Whisper's model.bin, a row each
LONGEST_HEADER = 100_000_000  # bytes, which is safetensors' own limit


class Tensor(msgspec.Struct):
    """An entry in the header of a safetensors file. Its metadata, which stand among them, have no offsets; some
    programs write null for none."""

    data_offsets: tuple[int, int] = (0, 0)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object. Raises UsageError for anything else, and OSError."""
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise UsageError(f"its {path.name} is damaged")
    return content


def dimensions_problem(values: Mapping[str, object]) -> str:
    """Say why these are not the dimensions of a Whisper that can be decoded here; empty where they are."""
    found: dict[str, int] = {}
    for name in DIMENSIONS:
        value = values.get(name)
        if type(value) is not int or value <= 0:
            return f"it does not say its {name}" if value is None else f"its {name} is {value!r}"
        found[name] = value
    for part in ("audio", "text"):
        width, heads = found[f"n_{part}_state"], found[f"n_{part}_head"]
        if width != HEAD_WIDTH * heads:
            return (
                f"it has {heads} heads in a width of {width}, "
                f"where each must be {HEAD_WIDTH} wide, as in OpenAI's models"
            )
    if found["n_audio_state"] != found["n_text_state"]:
        return f"its encoder is {found['n_audio_state']} wide and its decoder {found['n_text_state']}"
    return ""


def is_whole_archive(path: Path) -> bool:
    """Tell whether the table of contents is there, which stands at the end of a .npz file."""
    import zipfile

    return zipfile.is_zipfile(path)


def is_whole_safetensors(path: Path) -> bool:
    """Tell whether the file is as long as its header says. The layout: the header's length in 8 bytes, the header
    in JSON, the numbers. Raises OSError."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > LONGEST_HEADER:
            return False
        try:
            header = msgspec.json.decode(file.read(length), type=dict[str, Tensor | None])
        except (ValueError, RecursionError):  # msgspec's own are such, and so are those of texts that are not UTF-8
            return False
    return path.stat().st_size == 8 + length + max(
        (tensor.data_offsets[1] for tensor in header.values() if tensor), default=0
    )


def is_whole_ct2(path: Path) -> bool:
    """Tell whether a `model.bin` is as long as the names and shapes in it say. Its layout is that of
    `ctranslate2/specs/model_spec.py`. Raises OSError."""
    with path.open("rb") as file:
        try:
            return _walk_ct2(file)[0] in (path.stat().st_size, UNKNOWN)
        except (struct.error, UnicodeDecodeError):
            return False


def _ct2_words(path: Path) -> int:
    """Count the words that a `model.bin` knows, from the shape of its table of them; 0 where that cannot be told."""
    try:
        with path.open("rb") as file:
            return next(iter(_walk_ct2(file)[1].get(WORDS, ())), 0)
    except (OSError, struct.error, UnicodeDecodeError):
        return 0


def _walk_ct2(file: IO[bytes]) -> tuple[int, dict[str, tuple[int, ...]]]:
    """Walk over its variables and aliases. Returns where they end, UNKNOWN in old files, and the shapes of the
    variables. Raises struct.error and UnicodeDecodeError for a file that has none."""

    def number(kind: str) -> int:
        return int(struct.unpack(f"<{kind}", file.read(struct.calcsize(kind)))[0])

    def text() -> str:
        length = number("H")
        return str(struct.unpack(f"{length}s", file.read(length))[0].decode())

    version = number("I")
    if version not in CT2_VERSIONS:
        return UNKNOWN if 0 < version < CT2_VERSIONS[0] else 0, {}
    text()
    number("I")
    shapes = {}
    for _ in range(number("I")):
        name = text().rstrip("\0")
        shapes[name] = tuple(number("I") for _ in range(number("B")))
        number("B")
        file.seek(number("I"), 1)
    for _ in range(number("I")):
        text()
        text()
    return file.tell(), shapes


def damage(path: Path) -> str:
    """Say in half a sentence what shows that a file of a model is damaged, without loading its numbers; "" where
    nothing does. Raises OSError."""
    if path.suffix == ".json":
        return _json_damage(path) or _too_few_words(path)
    if path.suffix == ".safetensors" and not is_whole_safetensors(path):
        return "its table of contents and its length do not go together"
    if path.suffix == ".npz" and not is_whole_archive(path):
        return "its table of contents is missing"
    if path.name == "model.bin" and not is_whole_ct2(path):
        return "its names, shapes and length do not go together"
    if path.suffix == ".txt":
        try:
            path.read_bytes().decode()
        except UnicodeDecodeError:
            return "it is not UTF-8"
    return _too_few_words(path)


def _too_few_words(path: Path) -> str:
    """Say that a vocabulary beside a `model.bin` has fewer words than the model knows; "" where it has not. Whoever
    converts a model fills its vocabulary up, so that one with fewer words was cut short."""
    if path.name not in ("vocabulary.txt", "vocabulary.json"):
        return ""
    there, known = _words(path), _ct2_words(path.with_name("model.bin"))
    return f"it has {there:,} of the {known:,} words that the model knows" if there < known else ""


def _words(path: Path) -> int:
    """Count the words of a vocabulary. The last is a time, such as <|30.00|>: whole also without a line break."""
    content = path.read_bytes()
    if path.suffix == ".txt":
        return content.count(b"\n") + content.endswith(b"|>")
    with contextlib.suppress(ValueError):
        return len(msgspec.json.decode(content, type=list[str]))
    return 0


def _json_damage(path: Path) -> str:
    try:
        msgspec.json.decode(path.read_bytes())
    except (ValueError, RecursionError):  # msgspec's own are such, and so are those of texts that are not UTF-8
        return "it is no JSON"
    return ""
