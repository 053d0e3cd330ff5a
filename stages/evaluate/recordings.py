"""The recordings that a file, a folder or a job holds, by name, and their pairs in reference and systems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.languages import WHISPER_LANGUAGES
from sutradhar.pipeline.media.recordings import SUFFIXES
from sutradhar.pipeline.wording import counted
from sutradhar.stages.evaluate.readers import read_versions, readers
from sutradhar.stages.evaluate.version import Version

_NAMED = 3  # of many recordings, in a message
_TREE = "transcripts"  # in a corpus job's folder of results, the folder with a transcript a recording


@dataclass(frozen=True)
class _File:
    path: Path
    name: str  # of the recording: the path in the folder without suffixes
    language: str  # from the suffix before the last, as in film.en.srt; "" where there is none

    @property
    def rank(self) -> int:
        return list(readers()).index(self.path.suffix.lower())


def read_recordings(path: Path, language: str = "") -> Mapping[str, Version]:
    """Return what a file or a folder has of each recording. Of several files of one recording, the kind that knows
    most is taken, in `language`. Raises UsageError."""
    if not path.is_dir():
        named = _named(path, path.parent)
        found = read_versions(path)
        return {
            named.name if len(found) == 1 and name == path.stem else name: _in(version, named.language)
            for name, version in found.items()
        }
    versions: dict[str, Version] = {}
    for file in _chosen(path, language):
        for name, version in read_versions(file.path).items():
            versions[file.name if name == file.path.stem else name] = _in(version, file.language)
    if not versions:
        raise UsageError(f"{path}: has no file that can be judged ({', '.join(readers())})")
    return versions


def _in(version: Version, language: str) -> Version:
    return replace(version, language=version.language or language)


def _named(path: Path, folder: Path) -> _File:
    relative = PurePosixPath(path.relative_to(folder).as_posix()).with_suffix("")
    language = relative.suffix[1:] if relative.suffix[1:] in WHISPER_LANGUAGES else ""
    bare = relative.with_suffix("") if language or relative.suffix.lower() in SUFFIXES else relative
    return _File(path, str(bare), language)


def _chosen(folder: Path, language: str) -> Iterator[_File]:
    tree = folder / _TREE if (folder / _TREE).is_dir() else folder
    files: dict[str, list[_File]] = {}
    for path in sorted(tree.rglob("*")):
        if path.suffix.lower() in readers() and not path.name.startswith(".") and path.is_file():
            file = _named(path, tree)
            files.setdefault(file.name, []).append(file)
    for name, several in files.items():
        yield min(_of_language(several, language, tree / name), key=lambda file: file.rank)


def _of_language(files: Sequence[_File], language: str, where: Path) -> Sequence[_File]:
    languages = sorted({file.language for file in files})
    if len(languages) == 1:
        return files
    if language not in languages:
        raise UsageError(f"{where}: is there in {', '.join(filter(None, languages))}; --language chooses one")
    return [file for file in files if file.language == language]


def paired(reference: Mapping[str, Version], system: Mapping[str, Version]) -> dict[str, Version]:
    """Return the versions of a system by the names that the reference has for the recordings: two that are alone,
    those of the same name, and those of the same last part of it that no other has."""
    if len(reference) == len(system) == 1:
        return dict(zip(reference, system.values(), strict=True))
    last = _by_last_part(system)
    wanted = _by_last_part(reference)
    found = {}
    for name in reference:
        part = PurePosixPath(name).name
        if name in system:
            found[name] = system[name]
        elif part in last and part in wanted:
            found[name] = system[last[part]]
    return found


def _by_last_part(names: Mapping[str, Version]) -> dict[str, str]:
    parts: dict[str, list[str]] = {}
    for name in names:
        parts.setdefault(PurePosixPath(name).name, []).append(name)
    return {part: several[0] for part, several in parts.items() if len(several) == 1}


def listed(names: Sequence[str]) -> str:
    """Return how many recordings there are, and the names of the first."""
    first = ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
    return f"{counted(len(names), 'recording')} ({first})"
