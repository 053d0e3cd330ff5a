"""The origin of a model: a request for the same model gets it, a request for another one by its name is refused."""

from __future__ import annotations

from pathlib import Path

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.files import FileRecord, record
from sutradhar.pipeline.models.folder import Conversion, read_source
from sutradhar.pipeline.models.form import Release

INPUTS = {  # for each form, the files that decide the result
    "ct2": ("model.bin", "config.json"),
    "hf": ("*.safetensors", "config.json", "generation_config.json"),
    "mlx": ("weights.safetensors", "weights.npz", "config.json"),
}


def describe(original: Path, form: str, numbers: str) -> Conversion:
    """Describe an original; this reads all of it. Raises OSError."""
    return Conversion(
        original=str(original),
        files={name: record(path) for name, path in _inputs(original, form).items()},
        numbers=numbers,
    )


def refuse_another(target: Path, original: Path, form: str, numbers: str) -> None:
    """Raise UsageError unless the model in `target` was made of this original and into these numbers. Raises
    OSError."""
    source = read_source(target)
    made = source.conversion if source else None
    if made and made.numbers == numbers and _is_unchanged(made, original, form):
        return
    if made is None:
        what = f"from {source.repo}, {source.via}" if source else "and does not say what it was made of"
    elif (made.original, made.numbers) == (str(original), numbers):
        what = f"made of {original} before that was changed"
    else:
        what = f"made of {made.original} in {made.numbers}, not of {original} in {numbers}"
    raise UsageError(f"{target} is there already, {what}: remove it, or choose another --output")


def _is_unchanged(made: Conversion, original: Path, form: str) -> bool:
    inputs = _inputs(original, form)
    same_place = made.original == str(original)
    return inputs.keys() == made.files.keys() and all(
        _is_same(made.files[name], path, same_place) for name, path in inputs.items()
    )


def _is_same(found: FileRecord, path: Path, same_place: bool) -> bool:
    """Compare a file with its record: a file elsewhere may have the same size and time, and yet be another."""
    if same_place and found.looks_same(path):
        return True
    return found.size == path.stat().st_size and found.sha256 == record(path).sha256


def _inputs(original: Path, form: str) -> dict[str, Path]:
    if original.is_file():
        return {original.name: original}
    return {path.name: path for pattern in INPUTS[form] for path in sorted(original.glob(pattern))}


def refuse_within(target: Path, path: Path) -> None:
    """Raise UsageError where making `target` anew would remove its original. Links and letters' case make no
    difference."""
    if target.exists() and any(target.samefile(folder) for folder in (path, *path.parents)):
        raise UsageError(f"{target} holds the model that is to be converted; choose another --output")


def origin(path: Path) -> tuple[Release, str]:
    """Return the release that a folder of ours, or one in the hub's cache, names, and its licence."""
    if source := read_source(path):
        return Release(source.repo, source.revision), source.licence
    if path.parent.name == "snapshots" and path.parent.parent.name.startswith("models--"):
        return Release(path.parent.parent.name.removeprefix("models--").replace("--", "/"), path.name), "not stated"
    return Release(path.stem if path.suffix == ".pt" else path.name), "not stated"
