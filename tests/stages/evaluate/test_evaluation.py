from __future__ import annotations

import sys

import pytest

from sutradhar.pipeline.errors import UsageError
from sutradhar.stages.evaluate.evaluation import evaluate
from sutradhar.stages.evaluate.table import document_of, table_of
from tests.stages.evaluate.support import ENGLISH, cues, text

REFERENCE = {name: text("the cat sat") for name in "abcdefgh"}
GOOD = {name: text("the cat sat") for name in REFERENCE}
BAD = {name: text("the bat sat") for name in REFERENCE}


def test_systems_are_compared_with_the_first_in_pairs() -> None:
    document = document_of(evaluate(REFERENCE, {"good": GOOD, "bad": BAD}, ENGLISH))
    first, other = document["systems"]
    assert (document["recordings"], document["resampled_by"]) == (tuple("abcdefgh"), "recordings")
    assert (first["figures"]["wer"]["value"], other["figures"]["wer"]["value"]) == (0.0, 100 / 3)
    assert first["figures"]["wer"]["interval"] == (0.0, 0.0)
    assert "against_first" not in first["figures"]["wer"]
    assert other["figures"]["wer"]["against_first"] == {
        "difference": 100 / 3,
        "interval": (pytest.approx(100 / 3), pytest.approx(100 / 3)),
    }


def test_the_table_has_a_column_a_system_and_says_what_is_left_out() -> None:
    lines = table_of(evaluate(REFERENCE, {"good": GOOD, "bad": BAD}, ENGLISH)).splitlines()
    assert lines[0] == "8 recordings, English, normaliser english; [95 % intervals] over recordings"
    assert lines[2].split() == ["good", "bad"]
    assert lines[4].split() == ["WER", "0.0", "%", "[0.0", "0.0]", "33.3", "%", "[33.3", "33.3]"]
    assert lines[5].split() == ["against", "good", "+33.3", "[+33.3", "+33.3]"]
    assert "Left out: causes: it has no times" in lines
    assert len({len(line) for line in lines[3:12] if line.startswith("  ") and "against" not in line}) <= 2


def test_what_one_system_lacks_is_left_out_for_it_alone() -> None:
    evaluation = evaluate(
        {"a": text("hello")}, {"text": {"a": text("hello")}, "cues": {"a": cues((0, 1000, "hello"))}}, ENGLISH
    )
    assert "compliance" in document_of(evaluation)["systems"][0]["left_out"]
    assert document_of(evaluation)["systems"][1]["figures"]["cues"]["value"] == 1
    assert "Left out: compliance of text: it has no cues" in table_of(evaluation)


def test_recordings_that_a_system_lacks_are_judged_for_none_and_told() -> None:
    part = {name: BAD[name] for name in "abcde"} | {"z": text("more")}
    evaluation = evaluate(REFERENCE, {"good": GOOD, "part": part}, ENGLISH)
    assert evaluation.recordings == tuple("abcde")
    assert evaluation.notes == (
        "part has nothing of 3 recordings (f, g, h) of the reference: not judged, for any system",
        "part has 1 recording that the reference has not: not judged",
    )


def test_names_do_not_control_the_terminal() -> None:
    assert "\x1b" not in table_of(evaluate(REFERENCE, {"\x1b[2J": GOOD}, ENGLISH))


def test_nothing_in_common_is_an_error() -> None:
    with pytest.raises(UsageError, match="have no recording in common: the reference has 8 recordings"):
        evaluate(REFERENCE, {"other": {"x": text("a"), "y": text("b")}}, ENGLISH)


def test_a_measure_whose_package_is_missing_is_left_out_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sacrebleu", "sacrebleu.metrics", "sacrebleu.metrics.bleu"):
        monkeypatch.setitem(sys.modules, name, None)
    evaluation = evaluate({"a": text("hello")}, {"b": {"a": text("hello")}}, ENGLISH)
    (left_out,) = (one.left_out for one in evaluation.judgements[0].sections if one.title == "chrF")
    assert left_out.endswith("is missing: run ./scripts/bootstrap.sh --eval")
    assert evaluation.judgements[0].figures["wer"].value == 0


def test_without_what_everything_needs_there_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jiwer", None)
    with pytest.raises(UsageError, match=r"the package jiwer is missing: run \./scripts/bootstrap\.sh --eval"):
        evaluate({"a": text("hello")}, {"b": {"a": text("hello")}}, ENGLISH)
