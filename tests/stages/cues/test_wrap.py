from __future__ import annotations

from itertools import pairwise

import pytest

from sutradhar.stages.cues.passage import Passage
from sutradhar.stages.cues.tokens import tokens_of
from sutradhar.stages.cues.wrap import wrap
from tests.stages.cues.support import netflix, spoken


def lines(text: str, language: str = "en") -> list[str]:
    rules = netflix(language)
    tokens = tokens_of(spoken(text, language=language), rules)
    passage = Passage(tokens, rules)
    marks = [0, *wrap(passage, 0, len(tokens), rules, rules.max_lines)[1], len(tokens)]
    return [passage.text(left, right) for left, right in pairwise(marks)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("This line has exactly forty-two characters", ["This line has exactly forty-two characters"]),
        ("This line has exactly forty-three character", ["This line has exactly", "forty-three character"]),
        (
            "He stole everything we had, and you just stood there.",
            ["He stole everything we had,", "and you just stood there."],
        ),
        (
            "It was in the beautiful old house of my grandmother.",
            ["It was in the beautiful old house", "of my grandmother."],
        ),
        (
            "Yesterday evening somebody saw Martin Luther King there.",
            ["Yesterday evening somebody", "saw Martin Luther King there."],
        ),
        ("I haven't seen you in church lately. No way.", ["I haven't seen you in church lately.", "No way."]),
        (
            "Nobody here wants to believe what Mr. Dashwood says.",
            ["Nobody here wants to believe", "what Mr. Dashwood says."],
        ),
    ],
)
def test_english(text: str, expected: list[str]) -> None:
    assert lines(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("कर्मचारियों को तीन हफ़्तों के लिए काम से निकाल दिया गया।", ["कर्मचारियों को तीन हफ़्तों के लिए", "काम से निकाल दिया गया।"]),
        (
            "अगर हमको स्टेशन समय पर पहुँचना है तो हमको जल्दी करनी होगी।",
            ["अगर हमको स्टेशन समय पर पहुँचना है", "तो हमको जल्दी करनी होगी।"],
        ),
    ],
)
def test_hindi(text: str, expected: list[str]) -> None:
    assert lines(text, "hi") == expected


def test_a_language_without_a_list_breaks_at_punctuation_and_not_after_short_words() -> None:
    assert lines("Est-ce que vous savez où se trouve la gare la plus proche ?", "fr") == [
        "Est-ce que vous savez où se trouve",
        "la gare la plus proche ?",
    ]
