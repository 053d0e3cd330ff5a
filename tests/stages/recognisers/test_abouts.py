"""Descriptions are read by everything that starts, and the pipeline names no engine beside them."""

from __future__ import annotations

import re
import subprocess
import sys

from sutradhar.stages.recognisers import ABOUTS, NAMES
from tests.conftest import ROOT

ENGINES = re.compile(r"mlx|whisperx|ctranslate|indictrans", re.IGNORECASE)
SETTINGS = re.compile(r"WHISPERX_DEVICE|INDICTRANS2_\w+|install-mlx\.sh")
STILL = {  # files of pipeline/ that name engines, with the reason
    "installed.py": "the name of an extra of the package",
    "content.py": "where the layout of model.bin is written down",
    "settings.py": "meanings of settings",
    "sizing.py": "where the number formats of GPUs are written down",
}


def test_the_name_of_an_engine_is_that_of_its_folder() -> None:
    assert tuple(about.name for about in ABOUTS) == NAMES


def test_every_engine_says_what_its_models_cost() -> None:
    for about in ABOUTS:
        sizes = about.sizes
        assert about.form in about.forms
        for costs in (sizes.gpu_cost, sizes.cpu_cost):
            assert {sizes.smallest, sizes.unknown, *(model for model, _ in sizes.by_memory)} <= set(costs)
        assert {model for model, _ in sizes.by_memory} <= set(sizes.cpu_seconds)


def test_reading_them_loads_nothing_heavy() -> None:
    program = (
        "import sys, sutradhar.pipeline.machine.engines, sutradhar.stages.film.translate.registry; print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    heavy = {
        "numpy",
        "msgspec",
        "torch",
        "mlx",
        "whisperx",
        "ctranslate2",
        "transformers",
        "sutradhar.stages.film.translate.stage",
    }
    assert set(done.stdout.split()) & heavy == set()


def test_the_pipeline_names_no_engine() -> None:
    found = (ROOT / "pipeline").rglob("*.py")
    assert {path.name for path in found if ENGINES.search(SETTINGS.sub("", path.read_text()))} == set(STILL)
