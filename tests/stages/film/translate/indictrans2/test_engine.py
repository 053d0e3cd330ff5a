"""Sentences through the toy, by both engines: it knows the lines of tests/data/indictrans2/phrasebook.tsv."""

from __future__ import annotations

from pathlib import Path

import pytest

from sutradhar.pipeline.errors import UsageError
from sutradhar.stages.film.translate.indictrans2 import ct2, engine
from sutradhar.stages.film.translate.indictrans2.engine import IndicTrans2
from sutradhar.stages.film.translate.indictrans2.generator import BeamSearch
from sutradhar.stages.film.translate.indictrans2.tokenizer import IndicTokenizer
from tests.conftest import ROOT

TOY = ROOT / "tests" / "data" / "indictrans2" / "toy"
YES, HELLO, HOME, TRAIN = "हाँ", "नमस्ते", "मुझे घर जाना है।", "ट्रेन 12:30 बजे आएगी।"
JAIL = "अगर पुलिस को पता चल गया कि पैसे हमारे पास हैं, तो हम सब जेल चले जाएँगे।"
LONG = " ".join(["मुझे घर जाना है"] * 150)  # 600 words
BOTH = pytest.mark.parametrize("name", ["ct2", "mlx"])


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ct2")
    ct2.convert(TOY, folder, "float32")
    return folder


def opened(name: str, converted: Path) -> IndicTrans2:
    if name == "ct2":
        return IndicTrans2(ct2.CTranslate2(converted, "cpu", "float32"), IndicTokenizer(converted))
    pytest.importorskip("mlx.core", reason="MLX is not installed: ./install-mlx.sh")
    from sutradhar.stages.film.translate.indictrans2.mlx import MlxTranslator

    return IndicTrans2(MlxTranslator(TOY, "cpu", "float32"), IndicTokenizer(TOY))


@pytest.fixture
def toy(name: str, converted: Path) -> IndicTrans2:
    return opened(name, converted)


def best(toy: IndicTrans2, *sentences: str, search: BeamSearch | None = None) -> list[str]:
    return [found[0].text if found else "" for found in toy.translate(sentences, "hi", "en", search or BeamSearch())]


@BOTH
def test_translations_come_in_the_order_of_the_sentences_and_blanks_have_none(
    toy: IndicTrans2, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [
        "Yes.",
        "",
        "If the police find out that we have the money, we will all go to jail.",
        "Hello.",
        "",
        "I have to go home.",
    ]
    for at_once in (512, 2):
        monkeypatch.setattr(engine, "SENTENCES_AT_ONCE", at_once)
        assert best(toy, YES, "", JAIL, HELLO, " \n", HOME) == expected


@BOTH
def test_the_best_hypothesis_comes_first(toy: IndicTrans2) -> None:
    for found in toy.translate([YES, HOME], "hi", "en", BeamSearch(5, hypotheses=3)):
        scores = [one.score for one in found]
        assert len({one.text for one in found}) == 3
        assert scores == sorted(scores, reverse=True)
    assert found[0].text == "I have to go home."


@BOTH
def test_nothing_to_translate_is_nothing(toy: IndicTrans2) -> None:
    assert toy.translate([], "hi", "en", BeamSearch()) == []
    assert toy.translate(["", " "], "hi", "en", BeamSearch()) == [[], []]


@BOTH
def test_tells_how_far_it_is(toy: IndicTrans2, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "SENTENCES_AT_ONCE", 2)
    told: list[tuple[int, int]] = []
    toy.translate([YES, "", HELLO, HOME], "hi", "en", BeamSearch(1), lambda done, total: told.append((done, total)))
    assert told == [(2, 3), (3, 3)]


@BOTH
@pytest.mark.parametrize(
    ("hindi", "english"),
    [
        (TRAIN, "The train will arrive at 12:30."),
        ("ट्रेन १२:३० बजे आएगी।", "The train will arrive at 12:30."),
        ("मुझे raj@example.com पर लिखो।", "Write to me at raj@example.com."),
        ("इसका दाम ₹1,500 है।", "This costs ₹1,500."),
        ("मेरा जन्म 15/08/1990 को हुआ था।", "I was born on 15/08/1990."),
    ],
)
def test_what_a_translator_must_not_touch_comes_back(hindi: str, english: str, toy: IndicTrans2) -> None:
    assert best(toy, YES, hindi, HELLO) == ["Yes.", english, "Hello."]


@BOTH
def test_a_sentence_that_is_too_long_harms_nobody(toy: IndicTrans2) -> None:
    found = toy.translate([LONG, YES, LONG], "hi", "en", BeamSearch(1))
    assert [[one.text for one in hypotheses] for hypotheses in found] == [[], ["Yes."], []]


@pytest.mark.parametrize(
    "search",
    [
        BeamSearch(1),
        BeamSearch(5),
        BeamSearch(5, hypotheses=5),
        BeamSearch(5, hypotheses=5, unrepeated=2),
        BeamSearch(3, length_penalty=0.5),
    ],
)
def test_both_engines_say_the_same(search: BeamSearch, converted: Path) -> None:
    sentences = [YES, HELLO, HOME, TRAIN, JAIL, "क्या हुआ?", "राज घर पर है।"]
    ours, theirs = (opened(name, converted).translate(sentences, "hi", "en", search) for name in ("ct2", "mlx"))
    assert [[one.text for one in found] for found in ours] == [[one.text for one in found] for found in theirs]
    assert [one.score for found in ours for one in found] == pytest.approx(
        [one.score for found in theirs for one in found], abs=1e-4
    )


def test_numbers_that_the_device_has_not_and_damaged_files_are_refused_in_one_line(
    converted: Path, tmp_path: Path
) -> None:
    with pytest.raises(
        UsageError, match=r"^INDICTRANS2_COMPUTE_TYPE=float16 does not go with cpu here; .*float32.* do$"
    ):
        ct2.CTranslate2(converted, "cpu", "float16")
    for name in ("config.json", "source_vocabulary.json", "target_vocabulary.json"):
        (tmp_path / name).write_bytes((converted / name).read_bytes())
    (tmp_path / "model.bin").write_bytes((converted / "model.bin").read_bytes()[:-100])
    with pytest.raises(UsageError, match=r"cannot be loaded \(File model.bin is incomplete: .*\); get the model again"):
        ct2.CTranslate2(tmp_path, "cpu", "float32")


@pytest.mark.parametrize(("device", "steps"), [("cuda", ["libraries", "cuda"]), ("cpu", ["cpu"])])
def test_nvidias_libraries_are_loaded_before_a_gpu_is_used(
    device: str, steps: list[str], converted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ctranslate2

    done: list[str] = []
    monkeypatch.setattr(ct2, "preload_libraries", lambda: done.append("libraries"))
    monkeypatch.setattr(ctranslate2, "Translator", lambda folder, device, **options: done.append(device))
    ct2.CTranslate2(converted, device, "float32")
    assert done == steps
