from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sutradhar.pipeline.errors import UsageError
from sutradhar.stages.evaluate.evaluation import evaluate
from sutradhar.stages.evaluate.normalise import NORMALISERS
from sutradhar.stages.evaluate.variants import read_variants, with_variants
from tests.stages.evaluate.support import ENGLISH, text


def test_variants_count_as_the_first_spelling_of_their_line(tmp_path: Path) -> None:
    (tmp_path / "names.tsv").write_text("# names\nChaudhary\tChowdhury\tChou Dhari\n\nthank you\tthanks\n")
    variants = read_variants(tmp_path / "names.tsv", NORMALISERS["english"])
    assert variants == {"chowdhury": "chaudhary", "chou dhari": "chaudhary", "thanks": "thank you"}
    normalise = with_variants(NORMALISERS["english"], variants)
    assert normalise("Thanks, thanks, Mr. Chou Dhari!") == "thank you thank you mister chaudhary"
    systems = {"other": {"a": text("thanks chowdhury")}}
    evaluation = evaluate({"a": text("thank you Chaudhary")}, systems, replace(ENGLISH, variants=variants))
    assert evaluation.judgements[0].figures["wer"].value == 0


def test_a_line_with_one_spelling_is_refused(tmp_path: Path) -> None:
    (tmp_path / "names.tsv").write_text("Chaudhary, Chowdhury\n")
    with pytest.raises(UsageError, match=r"names.tsv: line 1 has no tab between two spellings"):
        read_variants(tmp_path / "names.tsv", NORMALISERS["unicode"])
