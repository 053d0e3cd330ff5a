"""What a stage's code uses and what the stage declares are the same: else it would not run again when it should, or would for nothing."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from pipeline.settings import Settings
from pipeline.stage import Stage
from stages import WORKFLOWS, asr, recognise
from tests.conftest import ROOT

STAGES = sorted({stage.name for stages in WORKFLOWS.values() for stage in stages})
WHISPER = sorted((ROOT / "stages" / "whisper").rglob("*.py"))
SPEECH = ROOT / "stages" / "speech.py"
SHARD = ROOT / "stages" / "recognise" / "shard.py"  # a command, which runs the stage
CHOOSE_THE_STAGES = {"WORKFLOW", "TRANSLATION_ENGINE"}  # by Settings.workflow
HAS_NO_EFFECT_ANY_MORE = {"OFFLINE"}  # the runner has had the models by then


def variants(name: str) -> list[Stage]:
    return [stage for stages in WORKFLOWS.values() for stage in stages if stage.name == name]


def files_of(name: str) -> list[Path]:
    package = ROOT / "stages" / name
    return sorted(set(package.rglob("*.py")) - {SHARD}) if package.is_dir() else [package.with_suffix(".py")]


def borrowed_by(name: str) -> list[Path]:
    """What a stage does its work with, of what several share and what reads settings."""
    return (WHISPER if name in ("asr", "rescue", "recognise") else []) + ([SPEECH] if name in ("vad", "recognise") else [])


def behind(attribute: str) -> set[str]:
    """The settings that an attribute of Settings is made from."""
    if attribute in Settings.__struct_fields__:
        return {attribute}
    member = inspect.getattr_static(Settings, attribute, None)
    return attributes(ast.parse(dedent(inspect.getsource(member.fget)))) if isinstance(member, property) and member.fget else set()


def attributes(tree: ast.AST) -> set[str]:
    return {key for node in ast.walk(tree) if isinstance(node, ast.Attribute) for key in behind(node.attr)}


def used(path: Path, *, checks: bool) -> set[str]:
    """Settings that a module reads; `check` functions only refuse values, so what they read does not change a result."""
    tree = ast.parse(path.read_text())
    if not checks:
        tree.body = [node for node in tree.body if not (isinstance(node, ast.FunctionDef) and node.name.startswith("check"))]
    return attributes(tree)


def artifacts(path: Path, method: str) -> Iterator[str]:
    """What a module passes to such a method of its context, as a literal or by the name of a constant."""
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in (f"ctx.{method}", f"self._ctx.{method}"):
            yield eval(ast.unparse(node.args[0]), vars(module))


def test_what_is_looked_through_is_there() -> None:
    assert all(path.is_file() for path in (*WHISPER, SPEECH, SHARD))
    assert len(WHISPER) > 20


@pytest.mark.parametrize("name", STAGES)
def test_settings(name: str) -> None:
    declared = {key for stage in variants(name) for key in (*stage.settings, *stage.tuning)}
    files = files_of(name) + borrowed_by(name)
    in_run = set().union(*(used(path, checks=False) for path in files))
    anywhere = set().union(*(used(path, checks=True) for path in files))
    assert in_run - declared - HAS_NO_EFFECT_ANY_MORE == set(), "used, but not declared"
    assert declared - anywhere - CHOOSE_THE_STAGES == set(), "declared, but not used"


@pytest.mark.parametrize("name", STAGES)
def test_artifacts(name: str) -> None:
    calling = [path for path in files_of(name) if "ctx." in path.read_text()]
    for method, field in (("read", "reads"), ("write", "writes"), ("keep", "keeps"), ("tree", "trees")):
        declared = set().union(*(getattr(stage, field) for stage in variants(name)))
        assert {artifact for path in calling for artifact in artifacts(path, method)} == declared


def test_what_a_result_depends_on_tells_it_from_others() -> None:
    makers = [ROOT / "stages" / "recognise" / name for name in ("loading.py", "transcriber.py")]
    read = set().union(*(used(path, checks=True) for path in (*makers, SPEECH)))
    # A recording cut short is done or not; times are there or not, which `_made_with` tells apart.
    assert read - set(recognise.RESULT_SETTINGS) == {"ALLOW_TRUNCATED"}


def test_what_recognition_depends_on_tells_results_of_folders_apart() -> None:
    assert set(asr.STAGE.settings) - set(recognise.RESULT_SETTINGS) == {"GLOSSARY"}  # which folders of recordings do without


def test_all_else_that_stages_share_reads_no_settings() -> None:
    own = {path for name in STAGES for path in (*files_of(name), *borrowed_by(name), SHARD)}
    shared = {str(path.relative_to(ROOT)): used(path, checks=True) for path in set((ROOT / "stages").rglob("*.py")) - own}
    assert shared == {path: set() for path in shared}
    assert "stages/transcript.py" in shared


def test_every_setting_is_used() -> None:
    modules = [path for folder in ("pipeline", "stages") for path in (ROOT / folder).rglob("*.py") if path.name != "settings.py"]
    assert set(Settings.__struct_fields__) - set().union(*(used(path, checks=True) for path in modules)) == set()
