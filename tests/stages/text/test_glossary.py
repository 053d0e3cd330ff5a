from __future__ import annotations

from pathlib import Path

import pytest

from sutradhar.pipeline.errors import UsageError
from sutradhar.stages.text.glossary import Glossary, Term, read_glossary

RAJ = Term("राज", "Raj")
RAJ_MALHOTRA = Term("राज मल्होत्रा", "Raj Malhotra")
SURYA = Term("सूर्य", "Surya")
NAMES = Glossary([RAJ, RAJ_MALHOTRA, SURYA])
INTO_HINDI = Glossary([Term("Raj", "राज"), Term("Dadar", "दादर")])


def written(folder: Path, content: bytes) -> Path:
    path = folder / "glossary.tsv"
    path.write_bytes(content)
    return path


def test_a_file_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, "\ufeff# names\r\n\r\nराज\tRaj\tthe hero\r\n सूर्य \tSurya\r\nराज\tRaj".encode())
    assert [(term.source, term.target, term.line) for term in read_glossary(path).terms] == [
        ("सूर्य", "Surya", 4),
        ("राज", "Raj", 3),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("# x\nराज Raj\n".encode(), "line 2: write source, TAB, target"),
        ("राज\t \n".encode(), "line 1: write source"),
        (b"a\tb\tc\td\n", "line 1: write source"),
        ("राज\tRaj\n\nराज\tRaaj\n".encode(), "line 3: राज is Raj in line 1 already"),
        (b"a\tb\n\xff\xfe\n", "line 2: not UTF-8"),
    ],
)
def test_mistakes_are_told_with_their_line(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_glossary(written(tmp_path, content))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"Cannot read the glossary .*none\.tsv: No such file"):
        read_glossary(tmp_path / "none.tsv")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("राज को बुलाओ, राज!", {RAJ: 2}),
        ("राजा आया", {}),
        ("महाराज आया", {}),
        ("राज मल्होत्रा और राज", {RAJ_MALHOTRA: 1, RAJ: 1}),
        ("राज  मल्होत्राजी", {RAJ: 1}),
        ("सूर्य।", {SURYA: 1}),
    ],
)
def test_terms_are_whole_words_the_longest_first(text: str, found: dict[Term, int]) -> None:
    assert NAMES.terms_in(text) == found


def test_latin_terms_are_found_in_capitals_or_not() -> None:
    assert list(INTO_HINDI.terms_in("RAJ's house in dadar, not Rajan's").values()) == [1, 1]


def test_a_term_is_missing_where_its_target_does_not_stand() -> None:
    assert NAMES.missing("सूर्य राज से मिला", "The Sun met raj.") == (SURYA,)
    assert NAMES.missing("सूर्य राज से मिला", "Surya met Rajan.") == (RAJ,)
    assert NAMES.missing("कोई नहीं आया", "Nobody came.") == ()


def test_a_latin_target_stands_in_for_its_source() -> None:
    protected = NAMES.protect("सूर्य ने राज मल्होत्रा को राजा कहा")
    assert protected.text == "Surya ने Raj Malhotra को राजा कहा"
    assert protected.restore("Surya called Raj Malhotra a king") == "Surya called Raj Malhotra a king"


def test_another_target_has_a_slot() -> None:
    protected = INTO_HINDI.protect("Raj's brother met Raj in Dadar.")
    assert protected.text == "#G1 's brother met #G1 in #G2."
    assert protected.restore("#G1 का भाई #G1 से #G2 में मिला #G3 #G12") == "राज का भाई राज से दादर में मिला #G3 #G12"


def test_a_protected_translation_is_kept_where_each_term_stands_as_often() -> None:
    said = "राज ने राज मल्होत्रा को देखा"
    assert NAMES.kept(said, "Raj saw Raj Malhotra")
    assert not NAMES.kept(said, "He saw Raj Malhotra")
    assert not NAMES.kept(said, "Raj Raj saw Raj Malhotra")


def test_the_prompt_has_the_names_as_they_are_said() -> None:
    assert NAMES.prompt(100) == "राज, राज मल्होत्रा, सूर्य"
    assert NAMES.prompt(18) == "राज, राज मल्होत्रा"
    assert NAMES.prompt(17) == "राज"
    assert NAMES.prompt(2) == ""


def test_an_empty_glossary_finds_nothing() -> None:
    empty = Glossary([])
    assert (empty.terms_in("राज"), empty.protect("राज").text, empty.kept("राज", ""), empty.prompt(10)) == (
        {},
        "राज",
        True,
        "",
    )


def test_the_sample_fits_the_sample_clip(root: Path) -> None:
    said = (root / "samples" / "dialogue.txt").read_text(encoding="utf-8")
    assert [term.target for term in read_glossary(root / "samples" / "glossary.tsv").terms_in(said)] == [
        "डैनियल",
        "सबटाइटल",
    ]


def test_of_a_file_for_several_languages_each_gets_the_terms_in_its_script() -> None:
    glossary = Glossary([Term("राज", "Raj"), Term("मीरा", "மீரா"), Term("दिल्ली", "Delhi 6")])
    assert [term.target for term in glossary.fitting("en").terms] == ["Delhi 6", "Raj"]
    assert [term.target for term in glossary.fitting("ta").terms] == ["மீரா"]
    assert glossary.fitting("mr").terms == ()
