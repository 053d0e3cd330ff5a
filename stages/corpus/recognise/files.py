"""The files that a recording's result is written as."""

from __future__ import annotations

import errno
import re
import traceback
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import msgspec

from sutradhar.pipeline.errors import is_unwritable
from sutradhar.pipeline.files import write_whole
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.stages.corpus.edit_log import EditLog
from sutradhar.stages.corpus.recognise.formats import formats_of
from sutradhar.stages.corpus.recognise.messages import Remark
from sutradhar.stages.corpus.results import FILE_SETTINGS, Result
from sutradhar.stages.corpus.transcript_paths import file_of
from sutradhar.stages.cues.formats import format_of

LEFTOVER = re.compile(r"\.tmp-[0-9a-f]{6}-.*", re.DOTALL)  # leftovers of write_whole
STAMP = ".written-with.json"


class Files:
    def __init__(self, tree: Path, settings: Settings) -> None:
        self._tree, self._settings, self._formats = tree, settings, formats_of(settings)
        self._written_with = msgspec.json.encode({key: getattr(settings, key) for key in FILE_SETTINGS})
        self._outdated = self._stamp() != self._written_with
        self._written = EditLog(tree)
        self._folders = set[Path]()  # folders that exist, in the tree

    def write(self, result: Result, paths: Sequence[str]) -> list[Remark]:
        """Write the files for each name of the recording. A file that cannot be written for reasons of its own,
        such as a path too long, is remarked on. Raises OSError where nothing can be written, on a full disk for
        instance."""
        return [remark for path in paths for form in self._formats if (remark := self._write(result, path, form))]

    def _write(self, result: Result, path: str, form: str) -> Remark | None:
        target = self._tree / file_of(path, form)
        try:
            self._make_folder(target.parent)
            kept = self._replace(target, self._encoded(self._formats[form](result, path, self._settings), form))
        except OSError as error:
            if is_unwritable(error):
                raise
            return Remark(path, f"its {form} could not be written ({error.strerror})", unwritten=True)
        except (ValueError, LookupError, ArithmeticError) as error:
            # A result that the format cannot take must not cost the others.
            where = traceback.extract_tb(error.__traceback__)[-1]  # the message may hold text
            return Remark(
                path, f"its {form} could not be made ({type(error).__name__} in {where.name})", unwritten=True
            )
        return Remark(path, f"its {form} had been edited: that version is kept beside it as …{kept}") if kept else None

    def _encoded(self, text: str, form: str) -> bytes:
        return format_of(form).encoded(text, bom=self._settings.SUBTITLE_BOM, newline=self._settings.SUBTITLE_NEWLINE)

    def _make_folder(self, folder: Path) -> None:
        """Make a folder. Raises OSError where a link on the way leads out of the tree."""
        if folder in self._folders:
            return
        if not folder.resolve().is_relative_to(self._tree.resolve()):
            raise OSError(errno.ELOOP, "a folder on the way to it is a link to elsewhere")
        folder.mkdir(parents=True, exist_ok=True)
        self._folders.add(folder)

    def _replace(self, target: Path, content: bytes) -> str:
        """Write a file, and move a version that somebody has edited out of its way. Returns how that one's name
        ends now."""
        present = target.read_bytes() if target.exists() else b""
        if present == content and target.exists():
            return ""
        ending = ""
        if present and not self._written.has(target, present):
            kept = next(
                spare
                for n in count(1)
                if not (spare := target.with_name(f"{target.stem}.edited-{n}{target.suffix}")).exists()
            )
            target.rename(kept)
            ending = kept.name.removeprefix(target.stem)
        self._written.add(target, content)
        write_whole(target, content, sync=False)
        return ending

    def missing(self, path: str) -> bool:
        """Return whether the files have to be written, because they are not there or were written with other
        settings."""
        return self._outdated or not all((self._tree / file_of(path, form)).is_file() for form in self._formats)

    def stamp(self) -> None:
        """Note that all files are as these settings say."""
        self._tree.mkdir(parents=True, exist_ok=True)
        write_whole(self._tree / STAMP, self._written_with, sync=False)
        self._outdated = False

    def _stamp(self) -> bytes:
        """Return the settings that files were written with."""
        try:
            return (self._tree / STAMP).read_bytes()
        except OSError:
            return b""

    def sweep(self) -> None:
        """Remove what killed workers left half written. Nobody may write meanwhile."""
        self._written.merge()
        for leftover in self._tree.rglob(".tmp-*"):
            if LEFTOVER.fullmatch(leftover.name) and leftover.is_file() and not leftover.is_symlink():
                leftover.unlink(missing_ok=True)
