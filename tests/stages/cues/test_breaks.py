from __future__ import annotations

import pytest

from sutradhar.stages.cues.breaks import break_costs, grammar_cost, sentence_ends
from sutradhar.stages.cues.tokens import spoken_tokens
from sutradhar.stages.transcript import Transcript
from tests.stages.cues.support import spoken


@pytest.mark.parametrize(
    ("language", "left", "right", "cost"),
    [
        ("en", "house,", "and", 0.25),
        ("en", "house", "and", 0.45),
        ("en", "house", "of", 0.6),
        ("en", "you", "that", 0.6),
        ("en", "house", "was", 0.8),
        ("en", "stone", "house", 1.0),
        ("en", "beautiful", "house", 1.4),
        ("en", "he", "walked", 1.6),
        ("en", "didn’t", "walk", 1.6),
        ("en", "John", "Dashwood", 1.6),
        ("en", "Mr.", "Dashwood", 2.2),
        ("en", "25", "people", 2.2),
        ("en", "of", "people", 2.2),
        ("en", "the", "house", 3.2),
        ("hi", "चुरा", "और", 0.45),
        ("hi", "घर", "में", 3.2),
        ("hi", "में", "वापस", 0.6),
        ("hi", "खड़े", "रहे", 2.2),
        ("hi", "नहीं", "आया", 2.2),
        ("ja", "に", "映", 0.45),
        ("ja", "し", "た", 1.6),
        ("ja", "映", "画", 2.2),
        ("ja", "プ", "ロ", 5.0),
        ("fr", "la", "gare", 1.2),
        ("fr", "gare", "centrale", 1.0),
        ("de", "Der", "Film", 1.2),
    ],
)
def test_grammar(language: str, left: str, right: str, cost: float) -> None:
    assert grammar_cost(left, right, language) == cost


def costs(transcript: Transcript) -> list[float]:
    tokens = spoken_tokens(transcript)
    return [round(cost, 2) for cost in break_costs(tokens, sentence_ends(tokens), transcript.language)]


def test_a_pause_makes_a_break_better() -> None:
    assert costs(spoken("stone[400] house[1200] wall")) == [0.0, 0.5, 0.25]


def test_a_segment_end_is_a_hint_but_not_after_an_article() -> None:
    assert costs(spoken("stone| house the| wall,| man")) == [0.0, 0.6, 1.0, 3.2, 0.25]


def test_segments_are_sentences_where_nothing_is_punctuated() -> None:
    def ends(text: str) -> list[bool]:
        return sentence_ends(spoken_tokens(spoken(text, language="hi")))

    assert ends("वह आया| मैं गया| हम हैं") == [False, False, True, False, True, False]
    assert ends("वह आया।| मैं गया| हम हैं") == [False, False, True, False, False, False]


def test_a_space_parts_phrases_in_a_language_without_spaces() -> None:
    assert costs(spoken("ดีไหม ฉัน", language="th")) == [0.0, 1.0, 0.6]
