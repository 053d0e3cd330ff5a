"""Check by sha256 that a model's files are what they were when it was fetched, converted or first used.

They are read in full where their size or date is another, once a day, and with `--verify`. What is known of them
stands in `out/model_hashes/`, since the folder of models may be shared or read-only.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.files import FileRecord, json_document, read_known, record, write_atomic
from sutradhar.pipeline.models.content import damage
from sutradhar.pipeline.models.folder import FORMS, folder_name, read_source
from sutradhar.pipeline.models.form import ResolvedModel
from sutradhar.pipeline.models.library import command_to_get
from sutradhar.pipeline.wording import size
from sutradhar.pipeline.workspace import Workspace

FOLDER = "model_hashes"
DAY = 86_400.0  # seconds
WORTH_TELLING = 1 << 30  # bytes, which take seconds


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """The files of one model, by name, when they were last read in full."""

    path: str
    at: float  # seconds since 1970
    files: dict[str, FileRecord]


def check_content(
    model: ResolvedModel, workspace: Workspace, *, verify: bool = False, say: Callable[[str], None] = lambda line: None
) -> None:
    """Check the files. Raises UsageError where one is damaged, and OSError."""
    place = _place(model, workspace)
    known = read_known(place, Checked)
    files = _files(model)
    if known and not verify and _is_recent(known, files):
        return
    total = sum(path.stat().st_size for path in files.values())
    if total > WORTH_TELLING:
        say(f"Reading the files of {model.name} ({size(total)}), as once a day: whether they are what they were")
    found = {name: record(path) for name, path in files.items()}
    _compare(model, found, known, place)
    place.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(place, json_document(Checked(path=str(model.path), at=time.time(), files=found)))


def _place(model: ResolvedModel, workspace: Workspace) -> Path:
    digest = hashlib.sha256(str(model.path).encode(errors="surrogateescape")).hexdigest()
    return workspace.out / FOLDER / f"{folder_name(model.path.name)}-{digest[:8]}.json"


def _files(model: ResolvedModel) -> dict[str, Path]:
    """Find the files that make the model what it is: not a README beside it."""
    source, form = read_source(model.path), FORMS[model.form]
    made = source.files if source else {}
    return {
        path.name: path
        for path in sorted(model.path.iterdir())
        if path.is_file() and (path.name in made or form.has(path.name))
    }


def _is_recent(known: Checked, files: Mapping[str, Path]) -> bool:
    same = known.files.keys() == files.keys() and all(
        known.files[name].looks_same(path) for name, path in files.items()
    )
    return same and abs(time.time() - known.at) < DAY


def _compare(model: ResolvedModel, found: Mapping[str, FileRecord], known: Checked | None, place: Path) -> None:
    """Compare the files with what we wrote beside them when we made them, else with what we saw when they were first
    used: a file of another size has then been replaced by somebody. Raises UsageError."""
    source = read_source(model.path)
    again = f"Remove {model.path}, then get it again: {command_to_get(model.name, model.form)}"
    if not source:
        again = f"Get it again, or, if another model was put there on purpose, remove {place}"
    for name, now in found.items():
        ours = source.files.get(name) if source else None
        then = ours or (known.files.get(name) if known else None)
        if then and then.sha256 != now.sha256 and (ours or then.size == now.size):
            raise UsageError(
                f"Model {model.name} is damaged: {name} is not "
                f"what it was when the model was {_made(ours)}, by its sha256. {again}"
            )
        if what := damage(model.path / name):
            raise UsageError(f"Model {model.name} is damaged: {name} cannot be used: {what}. {again}")


def _made(ours: FileRecord | None) -> str:
    return "fetched or converted" if ours else "first used"
