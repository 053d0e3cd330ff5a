"""A recogniser is one folder and one line: `echo` is added to a copy of the tree, and all that read descriptions know it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

SAMPLE = ROOT / "samples" / "dialogue.mp4"
ABOUT = """
from sutradhar.pipeline.models.form import Form
from sutradhar.stages.recognisers.about import About, ModelSizes

ABOUT = About(
    name="echo",
    title="Echo",
    library="Echo",
    engine="sutradhar.stages.recognisers.echo.engine",
    family="Echo",
    languages=frozenset({"en", "or"}),
    form="echo",
    forms={"echo": Form("Echo", files=(("echo.txt",),))},
    sizes=ModelSizes(
        by_gpu_memory=(("shouting", 0),),
        by_memory=(("shouting", 0),),
        cpu_seconds={"shouting": (0.1, 0.1)},
        gpu_cost={"shouting": (0.1, 0.1)},
        cpu_cost={"shouting": (0.1, 0.1)},
        smallest="shouting",
        unknown="shouting",
    ),
    devices=("cpu",),
    packages=("msgspec",),
    modules=("msgspec",),
    installer="scripts/bootstrap.sh",
    cpu_compute_type=("float32", "an echo is exact"),
    compute_types=("float32",),
)
"""
ENGINE = """
from sutradhar.stages.recognisers.echo.about import ABOUT
from sutradhar.stages.transcript import Word
from sutradhar.stages.recognisers.contract import NOTHING_YET, LanguageGuess, Recognition


def open_engine(settings, model, translate, times, log):
    return Echo(model)


class Echo:
    preparation = None
    packages = ABOUT.packages

    def __init__(self, model):
        self.engine = {"backend": "echo", "device": "cpu", "model": model.name}
        self.degraded = []
        self._text = (model.path / "echo.txt").read_text()

    def recognise(self, windows):
        for window in windows:
            if window is NOTHING_YET:
                continue
            word = Word(self._text, window.offset_ms, window.end_ms, 1.0)
            yield Recognition(window.id, self._text, window.language or "en", 1.0, ((word,),), confidence=1.0)

    def knows(self, language):
        return language == "en"

    def detect_languages(self, windows):
        return [LanguageGuess({"en": 1.0}) for _ in windows]
"""

CONTRACT = """
import logging
from pathlib import Path

from recogniser_contract import RecogniserContract
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.models.form import ResolvedModel
from sutradhar.stages.recognisers.opening import open_recogniser


class TestContract(RecogniserContract):
    def open(self, **settings):
        model = ResolvedModel(Path("models/shouting"), "shouting", "", "echo")
        return open_recogniser(Settings(WHISPER_BACKEND="echo", **settings), model, translate=False, log=logging.getLogger())
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = tmp_path_factory.mktemp("tree")
    for folder in ("pipeline", "stages", "sutradhar"):
        shutil.copytree(ROOT / folder, tree / folder, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "run-pipeline.sh", tree)  # by which a clone is known
    recognisers = tree / "stages" / "recognisers"
    (recognisers / "echo").mkdir()
    (recognisers / "echo" / "about.py").write_text(ABOUT)
    (recognisers / "echo" / "engine.py").write_text(ENGINE)
    listed = recognisers / "__init__.py"
    listed.write_text(listed.read_text().replace('    "mlx",\n', '    "mlx",\n    "echo",\n'))
    (tree / "models" / "shouting").mkdir(parents=True)
    (tree / "models" / "shouting" / "echo.txt").write_text(" Hello.")
    return tree


def python(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key not in ("SUTRADHAR_HOME", "PYTHONPATH")}
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )


def prepared(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return python(
        tree,
        "sutradhar.pipeline.prepare.prepare",
        str(SAMPLE),
        "--transcribe",
        "--set",
        "ALIGNMENT_MODEL=none",
        *arguments,
    )


def test_it_passes_the_suite_that_is_shipped_for_it(tree: Path) -> None:
    shutil.copy(ROOT / "tests" / "recogniser_contract.py", tree)
    (tree / "test_echo.py").write_text(CONTRACT)
    done = python(tree, "pytest", "-q", "-p", "no:cacheprovider", "test_echo.py")
    assert done.returncode == 0, done.stdout
    assert "1 skipped" in done.stdout  # it prepares nothing


def test_help_and_the_reference_of_the_settings_name_it(tree: Path) -> None:
    assert "recogniser: whisperx, mlx, echo" in " ".join(
        python(tree, "sutradhar.pipeline.prepare.prepare", "--help").stdout.split()
    )
    assert "One of whisperx, mlx, echo." in python(tree, "sutradhar.pipeline.jobs.settings").stdout
    assert "echo for echo" in " ".join(
        python(tree, "sutradhar.pipeline.models.command", "fetch", "--help").stdout.split()
    )


def test_a_job_is_prepared_and_run_with_it(tree: Path) -> None:
    done = prepared(tree, "--backend", "echo", "-s", "en", "--job-id", "one", "--run")
    assert done.returncode == 0, done.stderr
    lines = (tree / "jobs" / "one" / ".one.env").read_text().splitlines()
    assert {"WHISPER_BACKEND=echo", "WHISPER_MODEL=shouting", "WHISPER_COMPUTE_TYPE=float32", "BATCH_SIZE=8"} <= set(
        lines
    )
    assert "# Chosen: an echo is exact" in lines
    assert (tree / "out" / "one" / "dialogue.en.txt").read_text().split()[0] == "Hello."
    marker = json.loads((tree / "jobs" / "one" / "stages" / "asr" / "stage.json").read_text())
    assert marker["engine"] == {"backend": "echo", "device": "cpu", "model": "shouting"}
    assert "msgspec" in marker["packages"]


def test_a_language_is_detected_with_it(tree: Path) -> None:
    done = prepared(tree, "--backend", "echo", "-s", "auto", "--job-id", "two", "--run")
    assert done.returncode == 0, done.stderr
    assert (tree / "out" / "two" / "dialogue.en.srt").is_file()


def test_a_language_that_whisper_does_not_know_is_its_own_affair(tree: Path) -> None:
    known = prepared(
        tree, "--backend", "echo", "-s", "Odia", "--job-id", "odia", "--set", "WHISPER_BEAM_SIZE=1", "--run"
    )
    assert known.returncode == 0, known.stderr
    assert known.stderr.count("[WARN] WHISPER_BEAM_SIZE without effect: Echo has no such option") == 1
    assert (tree / "out" / "odia" / "dialogue.or.srt").is_file()
    unknown = prepared(tree, "--backend", "echo", "-s", "hi", "--job-id", "hindi")
    assert (unknown.returncode, "Echo does not know Hindi (hi)" in unknown.stderr) == (2, True)


def test_what_it_does_not_have_is_refused_before_the_run(tree: Path) -> None:
    refused = prepared(tree, "--backend", "echo", "-s", "en", "--set", "WHISPER_COMPUTE_TYPE=int8", "--job-id", "three")
    assert refused.returncode == 2
    assert "WHISPER_COMPUTE_TYPE=int8 does not go with WHISPER_BACKEND=echo; set float32" in refused.stderr
    missing = prepared(tree, "--backend", "echo", "-s", "en", "--model", "base", "--job-id", "four")
    assert missing.returncode == 2
    assert "Model 'base' has no echo form on the hub, only ct2, mlx" in missing.stderr
