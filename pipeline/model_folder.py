"""What a model folder is: its form, told by its files, and `source.json`, which says where it came from.

To add a form, add one entry to `FORMS`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from pipeline.files import FileRecord, read_known
from pipeline.model_content import MLX_WEIGHTS, mlx_problem

SOURCE = "source.json"


@dataclass(frozen=True)
class Release:
    """A model on the hub. An empty revision means the newest, which is written down when it is fetched."""

    repo: str
    revision: str = ""


@dataclass(frozen=True)
class Converter:
    """A program that makes models of one form out of others."""

    module: str
    packages: tuple[str, ...]  # that it needs
    remedy: str  # where they are missing
    takes: tuple[str, ...]  # the other forms, best first; its own too, to quantise it
    by_hand: str  # what to do with a folder `{path}` of such a form, called `{name}`
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Form:
    title: str
    files: tuple[tuple[str, ...], ...]  # what a folder must hold, each by one of its names
    optional: tuple[str, ...] = ()
    releases: Mapping[str, Release] = field(default_factory=dict)  # by size
    converter: Converter | None = None
    content_problem: Callable[[Path], str] = lambda folder: ""  # of a folder that has its files

    @property
    def file_names(self) -> tuple[str, ...]:
        return tuple(name for names in self.files for name in names) + self.optional


INDICTRANS2 = (
    *("indic-en-1B", "en-indic-1B", "indic-indic-1B"),
    *("indic-en-dist-200M", "en-indic-dist-200M", "indic-indic-dist-320M"),
)

# Every revision was seen in several public projects that pin it. The ct2 sizes are those of faster-whisper 1.2.1.
FORMS: dict[str, Form] = {
    # Whisper for CTranslate2. Without tokenizer.json, faster-whisper would ask the hub for one.
    "ct2": Form(
        title="CTranslate2",
        files=(("model.bin",), ("config.json",), ("tokenizer.json",), ("vocabulary.json", "vocabulary.txt")),
        optional=("preprocessor_config.json",),
        releases={
            "tiny": Release("Systran/faster-whisper-tiny", "d90ca5fe260221311c53c58e660288d3deb8d356"),
            "tiny.en": Release("Systran/faster-whisper-tiny.en", "0d3d19a32d3338f10357c0889762bd8d64bbdeba"),
            "base": Release("Systran/faster-whisper-base", "ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66"),
            "base.en": Release("Systran/faster-whisper-base.en", "3d3d5dee26484f91867d81cb899cfcf72b96be6c"),
            "small": Release("Systran/faster-whisper-small", "536b0662742c02347bc0e980a01041f333bce120"),
            "small.en": Release("Systran/faster-whisper-small.en", "d1d751a5f8271d482d14ca55d9e2deeebbae577f"),
            "medium": Release("Systran/faster-whisper-medium", "08e178d48790749d25932bbc082711ddcfdfbc4f"),
            "medium.en": Release("Systran/faster-whisper-medium.en", "a29b04bd15381511a9af671baec01072039215e3"),
            "large-v1": Release("Systran/faster-whisper-large-v1", "b07c8d4be0be90092aa01a29c975077acb8d15c9"),
            "large-v2": Release("Systran/faster-whisper-large-v2", "f0fe81560cb8b68660e564f55dd99207059c092e"),
            "large-v3": Release("Systran/faster-whisper-large-v3", "edaa852ec7e145841d8ffdb056a99866b5f0a478"),
            "large-v3-turbo": Release("mobiuslabsgmbh/faster-whisper-large-v3-turbo", "0a363e9161cbc7ed1431c9597a8ceaf0c4f78fcf"),
            "distil-small.en": Release("Systran/faster-distil-whisper-small.en", "ef77d90526ccd62cde3808ee70626a01e5cf83e4"),
            "distil-medium.en": Release("Systran/faster-distil-whisper-medium.en", "80ddfce281f77766d8943d63109199fc8145dfa5"),
            "distil-large-v2": Release("Systran/faster-distil-whisper-large-v2", "fe9b404fc56de3f7c38606ef9ba6fd83526d05e4"),
            "distil-large-v3": Release("Systran/faster-distil-whisper-large-v3", "c3058b475261292e64a0412df1d2681c06260fab"),
            "distil-large-v3.5": Release("distil-whisper/distil-large-v3.5-ct2", "9793ccc07920e0f830e1dba0343efcdf0ef8c903"),
        },
    ),
    # Whisper for transformers: what others are converted from.
    "hf": Form(
        title="Hugging Face",
        files=(("config.json",), ("model.safetensors", "model.safetensors.index.json")),
        optional=("generation_config.json",),
    ),
    # Whisper for mlx-whisper, which has its tokenizer in the package.
    "mlx": Form(
        title="MLX",
        files=(("config.json",), MLX_WEIGHTS),
        releases={
            "tiny": Release("mlx-community/whisper-tiny-mlx", "6caf9c55601caafbe6508a8b0d216bdf4783c4e8"),
            "base": Release("mlx-community/whisper-base-mlx", "1e3e249fb8d01c655324bd6841b1deadffd6d04c"),
            "small": Release("mlx-community/whisper-small-mlx", "45f3915923c7a79a5a5b5a7d909d39aeb0e5630e"),
            "medium": Release("mlx-community/whisper-medium-mlx", "7fc08c4eac4c316526498f147dfdee6f6303f975"),
            "large-v2": Release("mlx-community/whisper-large-v2-mlx", "cce86229e2765266197fef869ce9f7e2550067ab"),
            "large-v3": Release("mlx-community/whisper-large-v3-mlx", "49e6aa286ad60c14352c404340ded53710378a11"),
            "large-v3-q4": Release("mlx-community/whisper-large-v3-mlx-4bit", "d12b5d0043a6fe0c59af321617fba041d4e8e0c8"),
            "large-v3-turbo": Release("mlx-community/whisper-large-v3-turbo", "a4aaeec0636e6fef84abdcbe3544cb2bf7e9f6fb"),
            "large-v3-turbo-q4": Release("mlx-community/whisper-large-v3-turbo-q4", "660c343bbf4e52ac257f0b7d952e5388e6f93bef"),
        },
        converter=Converter(
            module="stages.whisper.mlx.convert",
            packages=("mlx", "mlx_whisper"),
            remedy="MLX is not installed; run ./install-mlx.sh",
            takes=("mlx", "hf", "ct2"),
            by_hand="scripts/convert-model.sh {path}, and then --model {name}",
        ),
        content_problem=mlx_problem,
    ),
    # IndicTrans2 as the hub has it, behind a form to agree to there: HF_TOKEN opens it.
    "indictrans2": Form(
        title="IndicTrans2",
        files=(("config.json",), ("dict.SRC.json",), ("dict.TGT.json",), ("model.SRC",), ("model.TGT",), ("model.safetensors",)),
        releases={f"indictrans2-{name}": Release(f"ai4bharat/indictrans2-{name}") for name in INDICTRANS2},
    ),
    # For CTranslate2, in int8, float16 or float32. Ready-made ones may have model.SRC and model.TGT in another folder beside.
    **{
        f"indictrans2-{numbers}": Form(
            title=f"IndicTrans2 {numbers}",
            files=(("model.bin",), ("config.json",), ("source_vocabulary.json",), ("target_vocabulary.json",)),
            optional=("model.SRC", "model.TGT"),
            converter=Converter(
                module="stages.translate.indictrans2.convert",
                packages=("ctranslate2",),
                remedy="Run scripts/bootstrap.sh",
                takes=("indictrans2",),
                by_hand="cp -r {path} models/, and then INDICTRANS2_MODEL={name}",
                options=("--form", f"indictrans2-{numbers}"),
            ),
        )
        for numbers in ("int8", "float16", "float32")
    },
}
ALIASES = {"large": "large-v3", "turbo": "large-v3-turbo"}


class Conversion(msgspec.Struct, frozen=True, kw_only=True):
    """What a model was converted from, and into which numbers."""

    original: str  # its file or folder
    files: dict[str, FileRecord]  # of the original, those that make the result what it is
    numbers: str


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """`source.json` in a folder that we made."""

    repo: str
    revision: str  # commit
    form: str
    via: str  # "hub", the packages it came in, or what it was converted from
    licence: str
    fetched_at: str  # ISO 8601, UTC
    files: dict[str, FileRecord]
    conversion: Conversion | None = None


def read_source(folder: Path) -> Source | None:
    """None where the folder is not one of ours, or its `source.json` is damaged."""
    return read_known(folder / SOURCE, Source)


def problem(folder: Path, form: str) -> str:
    """What keeps a folder from being a model of this form, in half a sentence: a file that is missing, cut short or damaged. Empty for nothing."""
    if folder.is_dir() and not os.access(folder, os.R_OK | os.X_OK):
        return f"you may not read it; its owner can change that: chmod -R a+rX {folder}"
    for names in FORMS[form].files:
        if not any((folder / name).is_file() for name in names):
            return f"{' or '.join(names)} is missing"
    source = read_source(folder)
    for name, record in source.files.items() if source else ():
        size = (folder / name).stat().st_size if (folder / name).is_file() else 0
        if size != record.size:
            return f"{name} has {size} of {record.size} bytes"
    return FORMS[form].content_problem(folder)


def forms_of(folder: Path) -> list[str]:
    return [form for form in FORMS if not problem(folder, form)]


def meant_form(folder: Path) -> str:
    """The form that an incomplete folder was to have: what it says itself, or else that of which most files are there."""
    if source := read_source(folder):
        return source.form

    def share(form: str) -> float:
        files = FORMS[form].files
        return sum(any((folder / name).is_file() for name in names) for names in files) / len(files)

    return max(FORMS, key=share)


def is_ours(folder: Path, form: str) -> bool:
    """Whether the folder is one that we made, of this form, and that nobody has put anything into: it may be made anew, whatever its state."""
    source = read_source(folder)
    return source is not None and source.form == form and {path.name for path in folder.iterdir()} <= {SOURCE, ".DS_Store", *source.files}


def folder_name(name: str) -> str:
    """`base` -> `base`, `Systran/faster-whisper-base` -> `Systran--faster-whisper-base`"""
    return name.replace("/", "--")
