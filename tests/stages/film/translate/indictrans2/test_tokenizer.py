from __future__ import annotations

import json

import pytest

from sutradhar.stages.film.translate.indictrans2 import processor
from sutradhar.stages.film.translate.indictrans2.tokenizer import Dictionary, IndicTokenizer
from tests.conftest import ROOT

DATA = ROOT / "tests" / "data" / "indictrans2"
SHARED = ROOT.parent / "shared" / "data"
BROKEN = "flores200_devtest-00231"  # of its "8:30" IndicProcessor makes "\\1ः30"; here it is a placeholder
REAL = SHARED / "indictrans2-1b-tokenizer"


def test_pieces_are_joined_as_they_were_cut() -> None:
    tokenizer = IndicTokenizer(DATA / "toy")
    assert tokenizer.join(tokenizer.split_target("I don 't know .")) == "I don 't know ."
    assert tokenizer.split("hin_Deva eng_Latn ")[:2] == ["hin_Deva", "eng_Latn"]


def test_what_a_dictionary_does_not_know_is_unknown() -> None:
    dictionary = Dictionary(DATA / "toy" / "dict.SRC.json")
    assert (dictionary.start, dictionary.padding, dictionary.end, dictionary.unknown) == (0, 1, 2, 3)
    assert dictionary.numbers(["</s>", "Ꙁ"]) == [2, 3]


@pytest.mark.skipif(
    not REAL.is_dir(),
    reason="the tokenizer of the released model is not here (../shared/data/indictrans2-1b-tokenizer)",
)
@pytest.mark.parametrize("side", ["source", "target"])
def test_the_released_tokenizer_gives_the_same_numbers(side: str) -> None:
    """As AI4Bharat's own gives them, for 250 Hindi and 100 English sentences."""
    tokenizer = IndicTokenizer(REAL)
    dictionary = Dictionary(REAL / f"dict.{'SRC' if side == 'source' else 'TGT'}.json")
    rows = {
        row["id"]: row
        for path in sorted((SHARED / "text_hi_en").glob("*.jsonl"))
        for row in map(json.loads, path.read_text(encoding="utf-8").splitlines())
    }
    expected = json.loads((DATA / "encoding.json").read_text(encoding="utf-8"))[
        "source" if side == "source" else "target_raw"
    ]
    assert len(expected) >= 100
    expected.pop(BROKEN, None)
    for name, numbers in expected.items():
        if side == "source":
            (tagged,), _ = processor.prepare([rows[name]["hi"]], "hin_Deva", "eng_Latn")
            pieces = tokenizer.split(tagged)
        else:
            pieces = tokenizer.split_target(rows[name]["en"])
        assert [*dictionary.numbers(pieces), dictionary.end] == numbers, name
