"""Stages meet in artifacts only: none imports another, and what several use is a library, which imports no stage either."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from importlib.util import resolve_name
from pathlib import Path

from sutradhar.stages import WORKFLOWS
from tests.conftest import ROOT

# By the name of each stage, the module or package that it is defined in: {"vad": "sutradhar.stages.film.vad"}.
STAGES = {
    stage.name: ".".join(stage.run.__module__.split(".")[:4]) for stages in WORKFLOWS.values() for stage in stages
}

LIBRARY = "sutradhar.pipeline.models.library."


def modules(folder: str) -> dict[str, Path]:
    """By the name that each is imported by."""
    paths = {
        ".".join(("sutradhar", *path.relative_to(ROOT).with_suffix("").parts)): path
        for path in (ROOT / folder).rglob("*.py")
    }
    return {name.removesuffix(".__init__"): path for name, path in paths.items()}


def imports(name: str, path: Path) -> Iterator[str]:
    """All that a module imports, wherever in it."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), package)
            yield from (f"{module}.{alias.name}" for alias in node.names)


def texts(path: Path) -> Iterator[str]:
    """What a module may import by its name, or run as a process."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node.value.startswith("sutradhar.stages.")
        ):
            yield node.value


def stage_of(module: str) -> str | None:
    return next((name for name, home in STAGES.items() if f"{module}.".startswith(f"{home}.")), None)


def test_a_stage_is_the_module_of_its_name() -> None:
    rooms = {stage.name: room for room, stages in WORKFLOWS.items() for stage in stages}
    assert STAGES == {name: f"sutradhar.stages.{room}.{name}" for name, room in rooms.items()}


def test_no_stage_and_no_library_imports_another_stage() -> None:
    several = {
        name: path for name, path in modules("stages").items() if name != "sutradhar.stages"
    }  # the list of them all
    used = {(name, other) for name, path in several.items() for other in (*imports(name, path), *texts(path))}
    assert ("sutradhar.stages.corpus.recognise", "sutradhar.stages.recognisers.declared") in used
    assert {(name, other) for name, other in used if stage_of(other) not in (None, stage_of(name))} == set()


def test_what_loads_a_model_is_handed_it_and_looks_for_none() -> None:
    used = {
        name
        for name, path in modules("stages").items()
        for other in imports(name, path)
        if f"{other}.".startswith(LIBRARY)
    }
    assert used == {"sutradhar.stages.recognisers.mlx.convert"}  # a command, whose work is to find what it converts


def test_the_pipeline_imports_no_more_of_the_stages_than_their_lists_and_the_descriptions_of_engines() -> None:
    used = {other for name, path in modules("pipeline").items() for other in imports(name, path)}
    found = {other.removeprefix("sutradhar.stages.") for other in used if other.startswith("sutradhar.stages.")}
    lists = {
        "WORKFLOWS",
        "cues.formats.FORMATS",
        "recognisers.ABOUTS",
        "film.translate.registry",
        *(f"film.translate.registry.{name}" for name in ("NAMES", "TRANSLATORS", "WHISPER")),
        *(f"sound.about.{name}" for name in ("ALONE", "BOTH", "DETECTORS", "FORM", "NAME")),
    }
    of_recognisers = {f"recognisers.about.{name}" for name in ("About", "Capability", "ModelSizes", "Trial")}
    of_translators = {f"film.translate.about.{name}" for name in ("TranslatorAbout", "TranslatorModels")}
    assert found == lists | of_recognisers | of_translators


def test_no_module_needs_itself_to_be_imported() -> None:
    everything = {**modules("pipeline"), **modules("stages")}
    needs = {name: set(_at_import(name, path, everything)) for name, path in everything.items()}
    assert needs["sutradhar.stages.film.vad"] >= {"sutradhar.stages.sound.listening"}
    while ends := {name for name, others in needs.items() if not others & needs.keys()}:
        needs = {name: others for name, others in needs.items() if name not in ends}
    assert sorted(needs) == []


def _at_import(name: str, path: Path, everything: Mapping[str, Path]) -> Iterator[str]:
    """Yield the modules that a module imports while it is imported itself."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), package)
            for alias in node.names:
                found = f"{module}.{alias.name}" if f"{module}.{alias.name}" in everything else module
                if found in everything and found != name:
                    yield found
