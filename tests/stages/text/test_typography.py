from __future__ import annotations

import pytest

from sutradhar.stages.text import typography


@pytest.mark.parametrize(
    ("text", "language", "width"),
    [
        ("Hello, you.", "en", 11),
        ("मैं स्कूल जा रहा हूँ", "hi", 20),
        ("見る。AB", "ja", 4),
        ("오늘 밤", "ko", 3.5),
        ("ที่นี่", "th", 2),
    ],
)
def test_measure(text: str, language: str, width: float) -> None:
    assert typography.measure(text, language) == width


@pytest.mark.parametrize(
    ("left", "right", "spaced", "parts"),
    [
        ("New", "York", True, True),
        ("don", "'t", False, False),
        ("है", "।", True, False),
        ("«", "Quoi", True, False),
        ("Yes", "–", True, False),
        ("-", "Yes", True, False),
        ("我", "们", False, True),
        ("吧", "，", False, False),
        ("「", "我", False, False),
        ("เ", "รา", False, False),
        ("ก", "ั", False, False),
    ],
)
def test_where_words_part(left: str, right: str, spaced: bool, parts: bool) -> None:
    assert typography.may_part(left, right, spaced) is parts


def test_clusters_keep_conjuncts_flags_and_emoji_whole() -> None:
    assert typography.clusters("क्षाe\u0301🇮🇳🇫🇷👍🏽👨‍👩‍👧x") == ["क्षा", "e\u0301", "🇮🇳", "🇫🇷", "👍🏽", "👨‍👩‍👧", "x"]


def test_blanks_part_words_but_not_those_that_forbid_it() -> None:
    assert typography.split_blanks(" a\tb\n\x00c\u2028d\u00a0e \u200b ") == ["a", "b", "c", "d\u00a0e"]
