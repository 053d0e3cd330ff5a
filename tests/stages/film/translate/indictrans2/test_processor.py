from __future__ import annotations

import subprocess
import sys

import pytest

from sutradhar.stages.film.translate.indictrans2 import processor
from tests.conftest import ROOT


def test_the_text_that_the_model_reads() -> None:
    prepared, kept = processor.prepare(["यह १२:३० बजे है।", "“हाँ” — ठीक?"], "hin_Deva", "eng_Latn")
    assert prepared == ["hin_Deva eng_Latn यह < ID1 > बजे है ।", 'hin_Deva eng_Latn " हाँ " - ठीक ?']
    assert kept == [["12:30"], []]


def test_all_scripts_of_india_become_one_and_come_back_as_their_own() -> None:
    assert processor.prepare(["வணக்கம்"], "tam_Taml", "hin_Deva")[0] == ["tam_Taml hin_Deva वणक्कम्"]
    assert processor.finish(["वणक्कम् ।"], [[]], "tam_Taml") == ["வணக்கம்।"]
    assert processor.finish(["नमस्ते"], [[]], "guj_Gujr") == ["નમસ્તે"]


def test_english_is_written_as_people_write_it() -> None:
    assert processor.finish(["I don 't know , Raj .", 'He said , " <ID1> ! "'], [[], ["₹1,500"]], "eng_Latn") == [
        "I don't know, Raj.",
        'He said, "₹1,500!"',
    ]


def test_what_was_prepared_and_never_finished_shifts_nothing() -> None:
    processor.prepare(["12:30", "13:30"], "hin_Deva", "eng_Latn")
    _, kept = processor.prepare(["14:45 बजे"], "hin_Deva", "eng_Latn")
    assert processor.finish(["at < ID1 >"], kept, "eng_Latn") == ["at 14:45"]
    assert processor.finish([], [], "eng_Latn") == []


@pytest.mark.parametrize("seed", ["1", "2"])
def test_every_process_prepares_alike(seed: str) -> None:
    code = "from sutradhar.stages.film.translate.indictrans2 import processor; print(processor.prepare(['12:30 14:45 16:50 #ए @b'], 'hin_Deva', 'eng_Latn'))"
    child = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PYTHONHASHSEED": seed, "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (
        child.stdout
        == "(['hin_Deva eng_Latn < ID1 > < ID2 > < ID3 > < ID4 > < ID5 >'], [['12:30', '14:45', '16:50', '#ए', '@b']])\n"
    )


def test_neither_transformers_nor_torch_is_loaded() -> None:
    code = "import sys; from sutradhar.stages.film.translate.indictrans2 import processor; processor.prepare(['x'], 'hin_Deva', 'eng_Latn'); print({'torch', 'transformers'} & set(sys.modules))"
    assert (
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        == "set()\n"
    )
